package metrics

// Snapshot is what the saver of a daemon's file of routes counts.
func Snapshot(path, name string) []Field {
	return []Field{
		Counter(path+".saves", name+"saves_total", "Times that the file of routes was written."),
		Counter(path+".failures", name+"failures_total", "Times that it could not be written."),
		Gauge(path+".bytes", name+"size_bytes", "Size of the file written last."),
		Gauge(path+".saved_at_ms", name+"saved_timestamp_seconds", "When that was, a Unix time; 0 if not since the start.").Times(1e-3),
	}
}
