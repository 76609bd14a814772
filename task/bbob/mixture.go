package bbob

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const mixtureFamily = "bbob-mixture"

// mixtureScales bring the logarithms of the 24 functions to one range, f1 first.
//
// Source: program of arXiv:2306.10627, and section 3 there for their purpose.
var mixtureScales = [Functions]float64{11, 17.5, 12.3, 12.6, 11.5, 15.3, 12.1, 15.3, 15.2, 17.4, 13.4,
	20.4, 12.9, 10.4, 12.3, 10.3, 9.8, 10.6, 10, 14.7, 10.7, 10.8, 9, 12.1}

// Component is the share of one function in a mixture.
type Component struct {
	Function int     // 1..24
	Instance int     // 1..MaxInstance
	Weight   float64 // >= 0; weights of a mixture are divided by their sum
}

// Mixture is an affine combination of functions in log space, with one optimum:
//
//	f(x) = 10^(10 L(x) - 8)
//	L(x) = Σ_k w_k (log10(clip(f_k(x - x_opt + x_opt_k) - f_opt_k, 10^-12, 10^20)) + 8)/s_k
//
// w are weights of sum 1, s scales per function. It is constant and safe for concurrent use.
//
// Source: D. Vermetten et al., arXiv:2306.10627, section 3.
type Mixture struct {
	name    string
	xOpt    []float64
	fOpt    float64
	members []member
}

type member struct {
	f     *Function
	share float64   // w_k/s_k
	shift []float64 // x_opt_k - x_opt
}

// NewMixture returns the mixture of the components with a positive weight; its optimum is xOpt,
// which is copied and has [MinDim]..[MaxDim] coordinates in [-5,5].
//
// It returns [rsie.ErrInvalid] for a value outside its range and when no weight is positive.
func NewMixture(components []Component, xOpt []float64) (*Mixture, error) {
	for i, v := range xOpt {
		if !(v >= -5 && v <= 5) {
			return nil, fmt.Errorf("%w: mixture: coordinate %d of the optimum is %g, allowed is -5 to 5",
				rsie.ErrInvalid, i, v)
		}
	}
	total := 0.0
	for i, c := range components {
		if !(c.Weight >= 0 && c.Weight <= 1e6) {
			return nil, fmt.Errorf("%w: mixture: weight of component %d is %g, allowed is 0 to 1e6",
				rsie.ErrInvalid, i, c.Weight)
		}
		total += c.Weight
	}
	if total == 0 {
		return nil, fmt.Errorf("%w: mixture: no component has a positive weight", rsie.ErrInvalid)
	}
	m := &Mixture{xOpt: slices.Clone(xOpt)}
	var parts []string
	for i, c := range components {
		f, err := New(c.Function, len(xOpt), c.Instance)
		if err != nil {
			return nil, fmt.Errorf("mixture: component %d: %w", i, err)
		}
		if c.Weight == 0 {
			continue
		}
		shift := f.XOpt()
		for j := range shift {
			shift[j] -= xOpt[j]
		}
		weight := c.Weight / total
		m.members = append(m.members, member{f, weight / mixtureScales[c.Function-1], shift})
		parts = append(parts, fmt.Sprintf("f%di%dw%.4g", c.Function, c.Instance, weight))
	}
	m.name = fmt.Sprintf("%s/%s/d%d", mixtureFamily, strings.Join(parts, "+"), len(xOpt))
	m.fOpt = m.Eval(xOpt)
	return m, nil
}

// GenerateMixture returns mixture 1..[MaxInstance] of the program of arXiv:2306.10627 (ManyAffine
// of ioh) in dimension [MinDim]..[MaxDim]: 24 uniform weights, of which the two largest, raised
// to 0.85, and all others above 0.85 stay; x_opt uniform in [-4,4]^D; all functions of that
// instance.
//
// It returns [rsie.ErrInvalid] for a value outside its range.
func GenerateMixture(dim, instance int) (*Mixture, error) {
	if err := checkSize(dim, instance); err != nil {
		return nil, err
	}
	const threshold = 0.85
	var weights [Functions]float64
	uniform(weights[:], 2000+int64(instance))
	order := make([]int, Functions)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if weights[a] > weights[b] {
			return -1
		}
		if weights[a] < weights[b] {
			return 1
		}
		return 0
	})
	components := make([]Component, 0, Functions)
	for rank, i := range order {
		if rank < 2 {
			weights[i] = max(weights[i], threshold)
		}
	}
	for i, w := range weights {
		if w >= threshold {
			components = append(components, Component{i + 1, instance, w})
		}
	}
	xOpt := make([]float64, dim)
	uniform(xOpt, 1000+int64(instance))
	for i, u := range xOpt {
		xOpt[i] = float64(u*8) - 4
	}
	m, err := NewMixture(components, xOpt)
	if err != nil {
		return nil, err
	}
	m.name = fmt.Sprintf("%s/d%d/i%d", mixtureFamily, dim, instance)
	return m, nil
}

// ParseMixture reads the name of a generated mixture, "bbob-mixture/d5/i3".
//
// It returns [rsie.ErrInvalid] when the text is not such a name or a number is out of range.
func ParseMixture(name string) (dim, instance int, err error) {
	rest, ok := strings.CutPrefix(name, mixtureFamily+"/d")
	first, second, found := strings.Cut(rest, "/i")
	dim, err1 := strconv.Atoi(first)
	instance, err2 := strconv.Atoi(second)
	if !ok || !found || err1 != nil || err2 != nil ||
		strconv.Itoa(dim) != first || strconv.Itoa(instance) != second {
		return 0, 0, fmt.Errorf("%w: %q is no mixture name, want bbob-mixture/d5/i3",
			rsie.ErrInvalid, name)
	}
	if err := checkSize(dim, instance); err != nil {
		return 0, 0, fmt.Errorf("%q: %w", name, err)
	}
	return dim, instance, nil
}

// Name returns "bbob-mixture/d5/i3" for a generated mixture, else its components, as in
// "bbob-mixture/f1i1w0.5+f3i2w0.5/d5".
func (m *Mixture) Name() string { return m.name }

// Dim returns D.
func (m *Mixture) Dim() int { return len(m.xOpt) }

// FOpt returns the value at XOpt, which lies between 0 and 1e-8: the clip at 10^-12 keeps it
// above 0.
func (m *Mixture) FOpt() float64 { return m.fOpt }

// XOpt returns a copy of the place of the lowest value.
func (m *Mixture) XOpt() []float64 { return slices.Clone(m.xOpt) }

// Components returns the functions with their weights, of sum 1.
func (m *Mixture) Components() []Component {
	out := make([]Component, len(m.members))
	for k, c := range m.members {
		out[k] = Component{c.f.number, c.f.instance, c.share * mixtureScales[c.f.number-1]}
	}
	return out
}

// Precision returns f(x) - f_opt. x has length D, or Precision panics.
func (m *Mixture) Precision(x []float64) float64 { return m.Eval(x) - m.fOpt }

// Eval returns f(x). x has length D, or Eval panics; it is not modified. NaN in gives NaN out.
// Nothing is allocated.
func (m *Mixture) Eval(x []float64) float64 {
	if len(x) != len(m.xOpt) {
		panic(fmt.Sprintf("bbob: point of length %d for %s", len(x), m.name))
	}
	if len(x) <= stackDim {
		var buf [stackDim]float64
		return m.combine(x, buf[:len(x)])
	}
	buf := scratch.Get().(*[2 * MaxDim]float64)
	defer scratch.Put(buf)
	return m.combine(x, buf[:len(x)])
}

// combine is the formula of [Mixture]; moved is scratch of length D.
func (m *Mixture) combine(x, moved []float64) float64 {
	sum := 0.0
	for _, c := range m.members {
		for j, v := range x {
			moved[j] = v + c.shift[j]
		}
		v := min(max(c.f.Precision(moved), 1e-12), 1e20)
		sum += float64(c.share * (math.Log10(v) + 8))
	}
	return math.Pow(10, float64(10*sum)-8)
}

// EvalAll writes fitness[i] = f(points[i]); points are [len(fitness), D], row-major.
//
// It returns [rsie.ErrShape] if the lengths disagree.
func (m *Mixture) EvalAll(fitness, points []float64) error {
	d := len(m.xOpt)
	if err := checkPoints(m.Name, fitness, points, d); err != nil {
		return err
	}
	for i := range fitness {
		fitness[i] = m.Eval(points[i*d : (i+1)*d])
	}
	return nil
}
