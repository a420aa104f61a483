package metrics

import "slices"

// These are the metrics of what package reactor counts. path is where its Stats
// are in the daemon's, and name what the names of the metrics begin with.

// TCPServer is a server's reactor.TCPStats.
func TCPServer(path, name string) []Field {
	fields := []Field{
		Gauge(path+".max_open", name+"connections_max", "Connections that there may be; the newest beyond it is closed."),
		Counter(path+".accept_pauses", name+"accept_pauses_total", "Times that accepting rested, since it could not go on."),
	}
	for _, reason := range []string{"max_conn", "no_fd", "error"} {
		fields = append(fields, Counter(path+".rejected_"+reason, name+"connections_rejected_total",
			"Connections closed as soon as they were accepted.").With("reason", reason))
	}
	return slices.Concat(tcp(path, name), fields)
}

// TCPServerLeftOut are the paths of a server's that make no sense.
func TCPServerLeftOut(path string) []string {
	return []string{path + ".connect_failures", path + ".switched"}
}

// TCPClient is a client's reactor.TCPStats.
func TCPClient(path, name string) []Field {
	return append(tcp(path, name),
		Counter(path+".connect_failures", name+"connect_failures_total", "Connections that could not be made."),
		Counter(path+".switched", name+"switched_total", "Times that another endpoint was connected to than before."))
}

// TCPClientLeftOut are the paths of a client's that make no sense: it rejects
// nobody.
func TCPClientLeftOut(path string) []string {
	return []string{path + ".max_open", path + ".rejected_max_conn", path + ".rejected_no_fd", path + ".rejected_error", path + ".accept_pauses"}
}

func tcp(path, name string) []Field {
	fields := []Field{
		Gauge(path+".open", name+"connections", "Connections now."),
		Counter(path+".opened", name+"connections_opened_total", "Connections opened."),
		Counter(path+".frames_in", name+"frames_received_total", "Frames received."),
		Counter(path+".frames_out", name+"frames_sent_total", "Frames queued to be sent."),
		Counter(path+".bytes_in", name+"received_bytes_total", "Bytes received."),
		Counter(path+".bytes_out", name+"sent_bytes_total", "Bytes that the kernel took."),
		Counter(path+".unknown_message", name+"frames_skipped_total", "Frames of a message that nobody handles; a newer peer may send them."),
		Counter(path+".backlogs", name+"backlogs_total", "Frames that a connection did not take, since its output was full."),
	}
	for _, reason := range []string{"by_peer", "by_us", "bad_frame", "bad_body", "partial_timeout", "error"} {
		fields = append(fields, Counter(path+".closed_"+reason, name+"connections_closed_total", "Connections closed.").With("reason", reason))
	}
	return fields
}

// UDPServers are the reactor.UDPStats of several servers.
func UDPServers(path, name string) []Field {
	fields := []Field{
		Counter(path+".received", name+"received_total", "Datagrams received, those dropped for a reason included."),
		Counter(path+".batches", name+"receive_batches_total", "Calls of the kernel that returned datagrams."),
		Counter(path+".sent", name+"sent_total", "Datagrams that the kernel took."),
	}
	for _, reason := range []string{"short", "bad_length", "truncated", "unknown_message", "bad_body"} {
		fields = append(fields, Counter(path+"."+reason, name+"dropped_total", "Datagrams received that are no requests.").With("reason", reason))
	}
	return append(fields,
		Counter(path+".send_blocked", name+"answers_dropped_total", "Answers that could not be sent.").With("reason", "blocked"),
		Counter(path+".send_errors", name+"answers_dropped_total", "Answers that could not be sent.").With("reason", "error"),
		Counter(path+".kernel_dropped", name+"kernel_dropped_total", "Datagrams that the kernel dropped, as the receive buffer was full or a checksum wrong."),
		Gauge(path+".receive_queued", name+"receive_queue_bytes", "What waits in the receive buffer, as the kernel counts it."),
		Gauge(path+".receive_buffer", name+"receive_buffer_bytes", "What the receive buffer holds, as the kernel counts it."),
	)
}

// Loops are the named reactor.LoopStats of a daemon.
func Loops(path string) []Field {
	return Each("loop",
		Counter(path+".turns", "loop_turn_seconds", "How long a turn of the event loop took: whatever became ready meanwhile waited as long."),
		Counter(path+".late", "loop_timer_late_seconds", "How much later than asked for timers ran."),
		Gauge(path+".busy_seconds", "loop_busy_seconds", "How long the turn under way has taken; 0 between turns."),
		Gauge(path+".tasks", "loop_tasks", "Tasks that wait for the loop."),
		Gauge(path+".max_tasks", "loop_tasks_max", "Tasks that may wait; more are refused."),
	)
}

// Queue is a reactor.QueueStats.
func Queue(path, name, what string) []Field {
	return []Field{
		Gauge(path+".len", name+"_queue", what+" that wait for their loop."),
		Gauge(path+".max", name+"_queue_max", what+" that may wait; more are dropped, and taken care of otherwise."),
	}
}
