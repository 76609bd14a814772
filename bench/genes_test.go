package bench

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

const strategiesPage = "../docs/strategies.md"

// described is what people wrote about a gene in the table of the page.
type described struct{ active, meaning string }

// TestDocsGeneTable keeps the tables of genes in docs/strategies.md equal to the space: names,
// kinds, defaults and ranges are generated, and what the page says of when a gene is active is
// checked against the space. What a gene means is written there by hand.
func TestDocsGeneTable(t *testing.T) {
	raw, err := os.ReadFile(strategiesPage)
	require.NoError(t, err)
	text := string(raw)
	known := descriptions(text)
	want := replaceTable(t, text, "genes", geneTable(known))
	want = replaceTable(t, want, "law parts", lawTable(t, known))
	if *update {
		require.NoError(t, os.WriteFile(strategiesPage, []byte(want), 0o644))
	}
	many := manyStrategies()
	for _, g := range rsie.StrategySpace {
		if strings.Contains(g.Name, ".") {
			continue
		}
		d := known[g.Name]
		require.NotContains(t, d.meaning+d.active, unwritten, g.Name)
		require.NotEmpty(t, d.meaning, "docs/strategies.md does not say what gene %s means; "+
			"run go test ./bench -run Docs -update and fill its row", g.Name)
		active, err := condition(d.active)
		require.NoError(t, err, "%s: active when %q", g.Name, d.active)
		for i := range many {
			if s := &many[i]; g.IsActive(s) != active(s) {
				t.Fatalf("%s: active is %v, the page says %q, in %+v", g.Name, g.IsActive(s), d.active, *s)
			}
		}
	}
	if !*update {
		require.Equal(t, want, text, "run go test ./bench -run Docs -update")
	}
}

const unwritten = "TO BE WRITTEN"

// descriptions reads the two last cells of every row whose first is a name in backquotes.
func descriptions(text string) map[string]described {
	out := map[string]described{}
	for _, line := range strings.Split(text, "\n") {
		cells := strings.Split(line, " | ")
		name, ok := strings.CutPrefix(cells[0], "| `")
		if ok && len(cells) >= 5 {
			out[strings.TrimSuffix(name, "`")] = described{cells[len(cells)-2],
				strings.TrimSuffix(cells[len(cells)-1], " |")}
		}
	}
	return out
}

// replaceTable puts rows between the marks of a table.
func replaceTable(t *testing.T, text, name, rows string) string {
	begin, end := "<!-- "+name+": generated -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(text, begin)
	require.True(t, ok, "no mark %q", begin)
	_, after, ok := strings.Cut(rest, end)
	require.True(t, ok, "no mark %q", end)
	return before + begin + rows + end + after
}

func geneTable(known map[string]described) string {
	var b strings.Builder
	b.WriteString("| gene | kind | default | searched | allowed in a file | active when | meaning |\n" +
		"|---|---|---|---|---|---|---|\n")
	standard := rsie.DefaultStrategy()
	for _, g := range rsie.StrategySpace {
		if strings.Contains(g.Name, ".") {
			continue
		}
		d, ok := known[g.Name]
		if !ok {
			d = described{unwritten, unwritten}
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s | %s | %s |\n", g.Name, kindOf(g), g.Format(&standard),
			searchedOf(g), allowedOf(g), d.active, d.meaning)
	}
	return b.String()
}

// lawTable describes the parts that every law has beside its value; they are the same for all.
func lawTable(t *testing.T, known map[string]described) string {
	rows := map[string][]string{} // by law
	var laws []string
	for _, g := range rsie.StrategySpace {
		law, part, ok := strings.Cut(g.Name, ".")
		if !ok {
			continue
		}
		if !slices.Contains(laws, law) {
			laws = append(laws, law)
		}
		d, ok := known["."+part]
		if !ok {
			d = described{unwritten, unwritten}
		}
		rows[law] = append(rows[law], fmt.Sprintf("| `.%s` | %s | %s | %s | %s | %s |\n", part, kindOf(g),
			searchedOf(g), allowedOf(g), d.active, d.meaning))
	}
	for _, law := range laws {
		require.Equal(t, rows[laws[0]], rows[law], "the parts of %s differ from those of %s", law, laws[0])
	}
	return "| part | kind | searched | allowed in a file | neutral | meaning |\n|---|---|---|---|---|---|\n" +
		strings.Join(rows[laws[0]], "")
}

func kindOf(g rsie.Gene) string {
	if slices.ContainsFunc(rsie.StrategySpace, func(other rsie.Gene) bool { return other.Name == g.Name+".schedule" }) {
		return "law"
	}
	return [...]string{rsie.Real: "number", rsie.Integer: "whole number", rsie.Category: "choice", rsie.Flag: "flag"}[g.Kind]
}

func searchedOf(g rsie.Gene) string {
	switch {
	case g.Kind == rsie.Category:
		return strings.Join(g.Values[:int(g.Max)+1], ", ")
	case g.Kind == rsie.Flag:
		return "true, false"
	case g.Log:
		return fmt.Sprintf("%g to %g log", g.Min, g.Max)
	}
	return fmt.Sprintf("%g to %g", g.Min, g.Max)
}

func allowedOf(g rsie.Gene) string {
	if g.Kind == rsie.Category && g.Max < g.Highest {
		return "also " + strings.Join(g.Values[int(g.Max)+1:], ", ")
	}
	if g.Kind == rsie.Category || g.Kind == rsie.Flag {
		return "the same"
	}
	if g.Kind == rsie.Integer {
		return fmt.Sprintf("%d to %d", int(g.Lowest), int(g.Highest))
	}
	return fmt.Sprintf("%g to %g", g.Lowest, g.Highest)
}

// manyStrategies returns strategies spread over the space, its borders included.
func manyStrategies() []rsie.Strategy {
	var out []rsie.Strategy
	k := rsie.NewKey(1)
	x := make([]float64, rsie.StrategySpace.Dim())
	for i := range uint32(3000) {
		for j := range x {
			w := k.Words(uint32(j), i, 0, 0, rsie.StreamInitialise)
			x[j] = rsie.Uniform(w[0])
			switch rsie.Below(w[1], 8) {
			case 0:
				x[j] = 0
			case 1:
				x[j] = 1
			}
		}
		out = append(out, rsie.StrategySpace.Decode(x))
	}
	return out
}

// condition reads what a page says of when a gene is active:
//
//	always
//	GENE = VALUE/VALUE    one of the values; GENE != VALUE/VALUE: none of them
//	GENE > NUMBER
//
// joined by "and", which binds more, and "or".
func condition(text string) (func(*rsie.Strategy) bool, error) {
	var alternatives [][]func(*rsie.Strategy) bool
	for _, part := range strings.Split(text, " or ") {
		var all []func(*rsie.Strategy) bool
		for _, term := range strings.Split(part, " and ") {
			f, err := simple(strings.ReplaceAll(term, "`", ""))
			if err != nil {
				return nil, err
			}
			all = append(all, f)
		}
		alternatives = append(alternatives, all)
	}
	return func(s *rsie.Strategy) bool {
		return slices.ContainsFunc(alternatives, func(all []func(*rsie.Strategy) bool) bool {
			return !slices.ContainsFunc(all, func(f func(*rsie.Strategy) bool) bool { return !f(s) })
		})
	}, nil
}

func simple(term string) (func(*rsie.Strategy) bool, error) {
	if term == "always" {
		return func(*rsie.Strategy) bool { return true }, nil
	}
	words := strings.Fields(term)
	if len(words) != 3 {
		return nil, fmt.Errorf("%q is no condition", term)
	}
	i := slices.IndexFunc(rsie.StrategySpace, func(g rsie.Gene) bool { return g.Name == words[0] })
	if i < 0 {
		return nil, fmt.Errorf("there is no gene %q", words[0])
	}
	g := rsie.StrategySpace[i]
	switch words[1] {
	case "=", "!=":
		values := strings.Split(words[2], "/")
		for _, v := range values {
			if g.Kind == rsie.Category && !slices.Contains(g.Values, v) {
				return nil, fmt.Errorf("%s has no value %q", g.Name, v)
			}
		}
		equal := words[1] == "="
		return func(s *rsie.Strategy) bool { return slices.Contains(values, g.Format(s)) == equal }, nil
	case ">":
		limit, err := strconv.ParseFloat(words[2], 64)
		return func(s *rsie.Strategy) bool { return g.Get(s) > limit }, err
	}
	return nil, fmt.Errorf("%q is no condition", term)
}

func TestDocsConditions(t *testing.T) {
	for _, text := range []string{"", "sometimes", "gene = 1", "family = people", "probes > x", "probes < 1"} {
		_, err := condition(text)
		require.Error(t, err, text)
	}
	f, err := condition("`family` = random or `family` = population and `probes` > 1")
	require.NoError(t, err)
	s := rsie.DefaultStrategy()
	require.False(t, f(&s))
	s.Probes = 2
	require.True(t, f(&s))
	s.Family = rsie.Random
	require.True(t, f(&s))
	f, err = condition("`family` != population/distribution")
	require.NoError(t, err)
	require.True(t, f(&s))
	s.Family = rsie.Population
	require.False(t, f(&s))
}
