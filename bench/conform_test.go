package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/cpu"
)

const digestsFile = "testdata/rsie-math-1.txt"

// TestGoldenDigests writes the digests anew with -update; a difference is another numeric contract.
func TestGoldenDigests(t *testing.T) {
	if !*update {
		t.Skip("TestNativeConforms compares them; -update writes them anew")
	}
	t.Setenv(cpu.LevelVariable, "scalar")
	b, err := cpu.NewNative(1)
	require.NoError(t, err)
	defer b.Close()
	var text strings.Builder
	write := func(all []digest, err error) {
		require.NoError(t, err)
		for _, d := range all {
			fmt.Fprintf(&text, "%-50s %s\n", d.name, d.sum)
		}
	}
	for _, c := range conformCases() {
		write(c.digests(t, b))
	}
	for _, r := range wholeRuns() {
		write(r.digests(t, b))
	}
	require.NoError(t, os.WriteFile(digestsFile, []byte(text.String()), 0o666))
}

// TestNativeConforms has the golden digests from every variant of this CPU.
func TestNativeConforms(t *testing.T) {
	if !cpu.HasNative {
		t.Skip("built without cgo")
	}
	for _, level := range []string{"scalar", "avx2", "avx512"} {
		for _, workers := range []int{1, 2, 7} {
			t.Run(fmt.Sprintf("%s/workers=%d", level, workers), func(t *testing.T) {
				t.Setenv(cpu.LevelVariable, level)
				b, err := cpu.NewNative(workers)
				if err != nil {
					t.Skip(err)
				}
				defer b.Close()
				Conform(t, b)
			})
		}
	}
}

// peak is a backend that remembers how many bytes its buffers took at most.
type peak struct {
	rsie.Backend
	live, most int
}

func (p *peak) Alloc(e rsie.Element, n int) (rsie.Buffer, error) {
	b, err := p.Backend.Alloc(e, n)
	if err == nil {
		p.live += 4 * n
		p.most = max(p.most, p.live)
	}
	return b, err
}

func (p *peak) Free(b rsie.Buffer) {
	p.live -= 4 * b.Len()
	p.Backend.Free(b)
}

// TestNativeMemory: three budgets have the golden digests; a lower one does runs in turn, one that is too
// low for a run says so.
func TestNativeMemory(t *testing.T) {
	if !cpu.HasNative {
		t.Skip("built without cgo")
	}
	all := 0
	for _, share := range []float64{0, 0.75, 0.4} { // three, two, one of three runs together
		budget := int(share * float64(all))
		b, err := cpu.NewNative(1)
		require.NoError(t, err)
		b.Limit(budget)
		p := &peak{Backend: b}
		ConformRuns(t, p)
		require.NoError(t, b.Close())
		if budget == 0 {
			all = p.most
		} else if p.most > budget {
			t.Errorf("%d bytes with a budget of %d", p.most, budget)
		}
	}
	b, err := cpu.NewNative(1)
	require.NoError(t, err)
	defer b.Close()
	b.Limit(64 << 10)
	_, err = wholeRuns()[0].digests(t, b)
	require.ErrorIs(t, err, rsie.ErrMemory)
}

// TestGoldenFile has no digest that no case gives.
func TestGoldenFile(t *testing.T) {
	known := map[string]bool{}
	for _, c := range conformCases() {
		known[dashed(c.name)] = true
	}
	for _, r := range wholeRuns() {
		known["run/"+r.name] = true
	}
	for name := range golden() {
		if head, _, _ := strings.Cut(name, "/"); !known[head] && !known[name] {
			t.Errorf("%s is no case", name)
		}
	}
}

// TestWholeRunsCoverTheSpace: every value of every category, and both values of every flag, stand in a
// strategy of a whole run in which they are active.
func TestWholeRunsCoverTheSpace(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range wholeRuns() {
		require.NoError(t, r.strategy.Validate(), r.name)
		for _, g := range rsie.StrategySpace {
			if g.Active == nil || g.Active(&r.strategy) {
				seen[fmt.Sprint(g.Name, "=", g.Get(&r.strategy))] = true
			}
		}
	}
	for _, g := range rsie.StrategySpace {
		values := len(g.Values)
		if g.Kind == rsie.Flag {
			values = 2
		}
		for v := range values {
			if name := fmt.Sprint(g.Name, "=", v); !seen[name] && !strings.HasSuffix(g.Name, ".schedule") {
				t.Errorf("%s in no whole run", name)
			}
		}
	}
}
