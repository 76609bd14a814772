package explain

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Factor is what is intervened on: a gene, or several that are set together.
type Factor struct {
	Name      string   `json:"name"`
	Genes     []string `json:"genes"`
	Subject   string   `json:"subject"`   // the value there, of several genes those that differ
	Reference string   `json:"reference"` // likewise

	genes []rsie.Gene
}

// set gives s the values that the factor has in from.
func (f Factor) set(s *rsie.Strategy, from rsie.Strategy) {
	for _, g := range f.genes {
		g.Set(s, g.Get(&from))
	}
}

// do returns a copy of s with the values that the factor has in from.
func (f Factor) do(s, from rsie.Strategy) rsie.Strategy {
	f.set(&s, from)
	return s
}

// negligible is the difference of a number, as a share of its searched range, that counts as
// none: the rounding of files.
const negligible = 0.005

// factorsBetween returns the factors by which two strategies differ and that act in the subject,
// in the order of the space. The exponents of a law are one factor, its schedule with its end
// another.
func factorsBetween(subject, reference rsie.Strategy) []Factor {
	var out []Factor
	place := map[string]int{}
	for _, g := range rsie.StrategySpace {
		name := groupOf(g.Name)
		k, ok := place[name]
		if !ok {
			k = len(out)
			place[name] = k
			out = append(out, Factor{Name: name})
		}
		out[k].genes = append(out[k].genes, g)
	}
	kept := out[:0]
	for _, f := range out {
		if f.describe(subject, reference) && acts(f, subject, subject, reference) {
			kept = append(kept, f)
		}
	}
	return kept
}

// groupOf returns the name of the factor that a gene belongs to by default.
func groupOf(gene string) string {
	law, part, ok := strings.Cut(gene, ".")
	switch {
	case !ok:
		return gene
	case part == "schedule" || part == "end":
		return law + ".schedule"
	}
	return law + ".exponents"
}

// describe fills what the factor is in both strategies and reports whether it differs.
func (f *Factor) describe(subject, reference rsie.Strategy) bool {
	var a, b []string
	f.Genes = nil
	for _, g := range f.genes {
		f.Genes = append(f.Genes, g.Name)
		if !differ(g, subject, reference) {
			continue
		}
		label := ""
		if len(f.genes) > 1 {
			label = g.Name + "="
			if _, part, ok := strings.Cut(g.Name, "."); ok && len(f.genes) <= 3 {
				label = part + "="
			}
		}
		a, b = append(a, label+short(g, subject)), append(b, label+short(g, reference))
	}
	f.Subject, f.Reference = strings.Join(a, " "), strings.Join(b, " ")
	return len(a) > 0
}

// short returns the value of a gene with at most four significant digits.
func short(g rsie.Gene, s rsie.Strategy) string {
	if g.Kind == rsie.Real {
		return fmt.Sprintf("%.4g", g.Get(&s))
	}
	return g.Format(&s)
}

// differ reports whether a gene has another value in a than in b.
func differ(g rsie.Gene, a, b rsie.Strategy) bool {
	if g.Kind != rsie.Real {
		return g.Get(&a) != g.Get(&b)
	}
	return math.Abs(coordinate(g, a)-coordinate(g, b)) > negligible
}

// coordinate returns the place of a gene's value in [0,1].
func coordinate(g rsie.Gene, s rsie.Strategy) float64 {
	g.Active, g.Neutral = nil, nil
	x := []float64{0}
	rsie.Space{g}.Encode(x, s)
	return x[0]
}

// place sets a gene to the value at a coordinate, where all values have the same share.
func place(g rsie.Gene, s *rsie.Strategy, x float64) {
	free := g
	free.Active, free.Neutral = nil, nil
	from := rsie.Space{free}.Decode([]float64{x})
	g.Set(s, g.Get(&from))
}

// acts reports whether the two values of a factor make different algorithms of s.
func acts(f Factor, s, subject, reference rsie.Strategy) bool {
	return !same(f.do(s, subject), f.do(s, reference))
}

// signature is equal for strategies that are the same algorithm, as their digests are, and much
// cheaper: all values of the genes, in the order of the space.
type signature string

// signatureOf returns the signature of a canonical strategy.
func signatureOf(s rsie.Strategy) signature {
	b := make([]byte, 0, 8*len(rsie.StrategySpace))
	for _, g := range rsie.StrategySpace {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(g.Get(&s)))
	}
	return signature(b)
}

// same reports whether two strategies are the same algorithm.
func same(a, b rsie.Strategy) bool {
	a, b = rsie.StrategySpace.Canonical(a), rsie.StrategySpace.Canonical(b)
	for _, g := range rsie.StrategySpace {
		if g.Get(&a) != g.Get(&b) {
			return false
		}
	}
	return true
}

// namedFactors returns the factors of the given names: a gene, a factor of the default division
// such as sigma.schedule, all genes of a law as sigma.*, or several of these joined by +.
func namedFactors(names []string, subject, reference rsie.Strategy) ([]Factor, error) {
	var out []Factor
	for _, name := range names {
		f := Factor{Name: name}
		for _, part := range strings.Split(name, "+") {
			genes := genesNamed(part)
			if genes == nil {
				return nil, fmt.Errorf("%w: %q is no gene; rsie strategy show lists them, LAW.* names all of a law",
					rsie.ErrInvalid, part)
			}
			f.genes = append(f.genes, genes...)
		}
		if !f.describe(subject, reference) || !acts(f, subject, subject, reference) {
			return nil, fmt.Errorf("%w: %s makes no difference between the strategy and its reference",
				rsie.ErrInvalid, name)
		}
		if slices.ContainsFunc(out, func(o Factor) bool { return o.Name == name }) {
			return nil, fmt.Errorf("%w: %s stands twice", rsie.ErrInvalid, name)
		}
		out = append(out, f)
	}
	return out, nil
}

// genesNamed returns the genes that one name stands for, nil for none.
func genesNamed(name string) []rsie.Gene {
	var out []rsie.Gene
	law, all := strings.CutSuffix(name, ".*")
	for _, g := range rsie.StrategySpace {
		switch {
		case all && (g.Name == law || strings.HasPrefix(g.Name, law+".")),
			!all && strings.Contains(name, ".") && groupOf(g.Name) == name:
			out = append(out, g)
		case g.Name == name:
			return []rsie.Gene{g}
		}
	}
	return out
}
