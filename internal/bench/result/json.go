package result

import (
	"encoding/json"
	"math"
)

// number is a float64 that JSON may lack: NaN and the infinities are written
// as null, which is read as NaN.
type number float64

func (n number) MarshalJSON() ([]byte, error) {
	if !finite(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func (n *number) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(text, (*float64)(n))
}

// rowFields are the fields of a Row; rowJSON is what stands for it in JSON,
// where those that shadow them take their places.
type (
	rowFields Row
	rowJSON   struct {
		*rowFields
		Ours  *number `json:"ours"`
		Other *number `json:"other,omitempty"`
		Lars1 *number `json:"lars_1,omitempty"`
		// These say what follows from the others, and are not read.
		Ratio *number `json:"ratio,omitempty"`
		OK    bool    `json:"ok"`
	}
)

func (r Row) MarshalJSON() ([]byte, error) {
	unlessZero := func(v float64) *number {
		if v == 0 {
			return nil
		}
		return (*number)(&v)
	}
	v := rowJSON{rowFields: (*rowFields)(&r), Ours: (*number)(&r.Ours),
		Other: unlessZero(r.Other), Lars1: unlessZero(r.Lars1), OK: r.OK()}
	if r.Compared() {
		ratio := number(r.Ratio())
		v.Ratio = &ratio
	}
	return json.Marshal(v)
}

func (r *Row) UnmarshalJSON(text []byte) error {
	// A field that is null sets its pointer to nil, so the pointers cannot be
	// those into r.
	var v struct {
		*rowFields
		Ours  number `json:"ours"`
		Other number `json:"other"`
		Lars1 number `json:"lars_1"`
	}
	v.rowFields = (*rowFields)(r)
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	r.Ours, r.Other, r.Lars1 = float64(v.Ours), float64(v.Other), float64(v.Lars1)
	return nil
}

func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		X number `json:"x"`
		Y number `json:"y"`
	}{number(p.X), number(p.Y)})
}

func (p *Point) UnmarshalJSON(text []byte) error {
	var v struct{ X, Y number }
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*p = Point{float64(v.X), float64(v.Y)}
	return nil
}

// distributionJSON has the fields of a Distribution in their order.
type distributionJSON struct {
	Name string `json:"name"`
	P50  number `json:"p50"`
	P90  number `json:"p90"`
	P99  number `json:"p99"`
	P999 number `json:"p999"`
	Max  number `json:"max"`
}

func (d Distribution) MarshalJSON() ([]byte, error) {
	return json.Marshal(distributionJSON{d.Name, number(d.P50), number(d.P90), number(d.P99), number(d.P999), number(d.Max)})
}

func (d *Distribution) UnmarshalJSON(text []byte) error {
	var v distributionJSON
	if err := json.Unmarshal(text, &v); err != nil {
		return err
	}
	*d = Distribution{v.Name, float64(v.P50), float64(v.P90), float64(v.P99), float64(v.P999), float64(v.Max)}
	return nil
}
