package rsie

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// Schedule is the course of a factor over the spent share u of the budget, from 1 to end.
type Schedule string

// The schedules.
const (
	Constant    Schedule = "constant"    // 1
	LinearRamp  Schedule = "linear"      // 1 + (end - 1)·u
	Cosine      Schedule = "cosine"      // end + (1 - end)·(1 + cos πu)/2
	Exponential Schedule = "exponential" // end^u
	TwoPhase    Schedule = "two_phase"   // 1 in the first half of the budget, end in the second
)

// Schedules lists the schedules in the order of their codes.
var Schedules = []Schedule{Constant, LinearRamp, Cosine, Exponential, TwoPhase}

// Law is a gene whose value depends on the run: on its D parameters, its budget of B
// evaluations and the S samples of its training data (1 when there are none):
//
//	value(u) = Value · (D/200)^Dim · (B/10000)^Budget · (S/100)^Samples · schedule(u)
//
// In a file a law that is a plain constant is a number, any other an object.
type Law struct {
	Value    float64  `json:"value"`
	Dim      float64  `json:"dim_exponent"`
	Budget   float64  `json:"budget_exponent"`
	Samples  float64  `json:"samples_exponent"`
	Schedule Schedule `json:"schedule"`
	End      float64  `json:"end"` // factor at the end of the budget
}

// Scale is what a law depends on besides the spent share.
type Scale struct {
	Dim, Budget, Samples int
}

// Fixed returns the law of a constant.
func Fixed(v float64) Law { return Law{Value: v, Schedule: Constant, End: 1} }

// Base returns the value at the start of a run.
func (l Law) Base(s Scale) float64 {
	v := l.Value
	for _, f := range [3]struct{ ratio, exponent float64 }{
		{float64(s.Dim) / 200, l.Dim},
		{float64(s.Budget) / 10_000, l.Budget},
		{float64(max(1, s.Samples)) / 100, l.Samples},
	} {
		if f.exponent != 0 {
			v *= math.Pow(f.ratio, f.exponent)
		}
	}
	return v
}

// Factor returns the schedule's value at the spent share u in [0,1].
func (l Law) Factor(u float64) float64 {
	switch l.Schedule {
	case LinearRamp:
		return 1 + (l.End-1)*u
	case Cosine:
		return l.End + (1-l.End)*(1+math.Cos(math.Pi*u))/2
	case Exponential:
		return math.Pow(l.End, u)
	case TwoPhase:
		if u >= 0.5 {
			return l.End
		}
	}
	return 1
}

// At returns the value at the spent share u.
func (l Law) At(s Scale, u float64) float64 { return l.Base(s) * l.Factor(u) }

// plain reports whether l is a constant.
func (l Law) plain() bool {
	return l.Dim == 0 && l.Budget == 0 && l.Samples == 0 && l.Schedule == Constant
}

// MarshalJSON writes a constant as a number.
func (l Law) MarshalJSON() ([]byte, error) {
	if l.plain() {
		return json.Marshal(l.Value)
	}
	type object Law
	return json.Marshal(object(l))
}

// UnmarshalJSON reads a number or an object; fields that are missing from an object keep the
// values of a constant, unknown ones are refused.
func (l *Law) UnmarshalJSON(b []byte) error {
	if trimmed := bytes.TrimSpace(b); len(trimmed) > 0 && trimmed[0] != '{' {
		v := 0.0
		if err := json.Unmarshal(b, &v); err != nil {
			return fmt.Errorf("%w: a law is a number or an object with value: %v", ErrInvalid, err)
		}
		*l = Fixed(v)
		return nil
	}
	type object Law
	o := object(Fixed(l.Value))
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&o); err != nil {
		return fmt.Errorf("%w: law: %v", ErrInvalid, err)
	}
	*l = Law(o)
	return nil
}
