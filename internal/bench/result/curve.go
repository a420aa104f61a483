package result

// Curve is how something grows, drawn on logarithmic axes. All values are above
// 0; a point with one that is not, or is not finite, is left out of the picture.
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

// Drawable reports whether the point has a place on logarithmic axes.
func (p Point) Drawable() bool { return p.X > 0 && p.Y > 0 && finite(p.X) && finite(p.Y) }

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

// Percentiles name what Values are, in its order.
var Percentiles = [...]string{"p50", "p90", "p99", "p99.9", "max"}

// Values are the percentiles in ascending order.
func (d Distribution) Values() [len(Percentiles)]float64 {
	return [...]float64{d.P50, d.P90, d.P99, d.P999, d.Max}
}
