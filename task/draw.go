package task

import (
	"hash/fnv"
	"math"

	"go.yaml.in/yaml/v3"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// span is a range of a parameter of a family, both ends included; a single number in a file is
// the range of that number alone.
type span struct{ Low, High float64 }

// UnmarshalYAML reads a number or [low, high].
func (s *span) UnmarshalYAML(node *yaml.Node) error {
	if node.Kind == yaml.SequenceNode {
		var ends [2]float64
		if err := node.Decode(&ends); err != nil {
			return err
		}
		*s = span{ends[0], ends[1]}
		return nil
	}
	var one float64
	if err := node.Decode(&one); err != nil {
		return err
	}
	*s = span{one, one}
	return nil
}

// draws are the random numbers of one generated task. Every use has a name and its own key, so
// that a parameter more, or another range of one, leaves all other draws as they are.
type draws struct{ key rsie.Key }

// stream returns the numbers of one use.
func (d draws) stream(name string) *stream {
	h := fnv.New64a()
	h.Write([]byte(name))
	return &stream{key: d.key.Child(h.Sum64())}
}

// between returns a value of a range, uniform.
func (d draws) between(name string, r span) float64 {
	return r.Low + float64(d.stream(name).uniform()*(r.High-r.Low))
}

// ratio returns a value of a range above 0, uniform in its logarithm.
func (d draws) ratio(name string, r span) float64 {
	if r.Low == r.High {
		return r.Low
	}
	return min(r.High, r.Low*math.Pow(r.High/r.Low, d.stream(name).uniform()))
}

// whole returns a whole number of a range from 0 on: uniform in the logarithm of value + 1, so
// that small ones are as well represented as large ones.
func (d draws) whole(name string, r span) int {
	low, high := r.Low+1, r.High+2
	v := math.Floor(low*math.Pow(high/low, d.stream(name).uniform())) - 1
	return int(max(r.Low, min(r.High, v)))
}

// pick returns one of a list.
func (d draws) pick(name string, list []string) string {
	return list[d.stream(name).below(len(list))]
}

// stream is a sequence of random numbers below one key.
type stream struct {
	key   rsie.Key
	words [4]uint32
	used  uint32 // words so far
	spare float64
	have  bool // spare holds a normal
}

// word returns the next random word.
func (s *stream) word() uint32 {
	if s.used%4 == 0 {
		s.words = s.key.Words(s.used/4, 0, 0, 0, rsie.StreamProblem)
	}
	s.used++
	return s.words[(s.used-1)%4]
}

// uniform returns the next number of (0,1).
func (s *stream) uniform() float64 { return rsie.Uniform(s.word()) }

// below returns the next of 0..n-1.
func (s *stream) below(n int) int { return int(rsie.Below(s.word(), uint32(n))) }

// normal returns the next standard normal number.
//
// Source: G. Box, M. Muller, A note on the generation of random normal deviates, 1958.
func (s *stream) normal() float64 {
	if s.have {
		s.have = false
		return s.spare
	}
	r, angle := math.Sqrt(-2*math.Log(s.uniform())), 2*math.Pi*s.uniform()
	sin, cos := math.Sincos(angle)
	s.spare, s.have = float64(r*sin), true
	return float64(r * cos)
}

// order returns a uniform permutation of 0..n-1 (Fisher-Yates; Knuth, TAOCP 2, 3.4.2P).
func (s *stream) order(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	for i := n - 1; i > 0; i-- {
		j := s.below(i + 1)
		out[i], out[j] = out[j], out[i]
	}
	return out
}
