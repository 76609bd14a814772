package meta

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// A description names only genes that have an effect: it stays the same when all others are
// changed, and differs between hand-designed strategies of different kinds.
func TestDescribe(t *testing.T) {
	for _, c := range []struct{ name, want string }{
		{"default", "tournament of 50, elite 20%, averaging 70%, gaussian rate 0.1, strength 0.01"},
		{"de-rand-1-bin", "differential random of 50, pairwise survival, rate 0.9, strength 0.5"},
		{"l-shade", "differential current_to_pbest of 100, pairwise survival, l_shade history"},
		{"cr-fm-nes", "50 samples mirrored, rate 1.65, sigma 0.091, cr_fm_nes scales"},
		{"cma-es", "tutorial 4+3lnD samples, plain rate 1, sigma 0.5, cumulative control, full covariance"},
		{"random-search", "random search"},
	} {
		s, err := rsie.Baseline(c.name)
		require.NoError(t, err)
		require.Equal(t, c.want, Describe(s))
	}
	seen := map[string]string{}
	for _, s := range rsie.Baselines() {
		for _, g := range rsie.StrategySpace {
			if g.Kind != rsie.Category || g.IsActive(&s) {
				continue
			}
			for v, text := range g.Values {
				changed := s.Clone()
				g.Set(&changed, float64(v))
				require.Equal(t, Describe(s), Describe(changed), "%s: %s %s has no effect", s.GenomeID, g.Name, text)
			}
		}
		require.False(t, strings.Contains(Describe(s), "%!"))
		seen[Describe(s)] = s.GenomeID
	}
	require.Greater(t, len(seen), 20)
}
