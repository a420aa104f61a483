package result

// Curve is how something grows, drawn on logarithmic axes. All values are above 0.
type Curve struct {
	Part   string   `json:"part"`
	Name   string   `json:"name"` // of the picture's file: "gethost-modules"
	Title  string   `json:"title"`
	X      string   `json:"x"` // what the axes show, with the unit: "modules", "memory, MB"
	Y      string   `json:"y"`
	Series []Series `json:"series"`
}

// Series is one line of a Curve.
type Series struct {
	Name   string  `json:"name"`
	Points []Point `json:"points"` // ascending in X; four or more
}

// Point is a measured one.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Latency is how long something takes, as percentiles of several programs or
// states of one.
type Latency struct {
	Part  string         `json:"part"`
	Name  string         `json:"name"` // of the picture's file: "gethost-latency"
	Title string         `json:"title"`
	Unit  string         `json:"unit"`
	Of    []Distribution `json:"of"`
}

// Distribution is one program's, or one state's.
type Distribution struct {
	Name string  `json:"name"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}
