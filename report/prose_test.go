package report_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/report"
)

// TestProseNamesWhatIsOn: the sentences of known algorithms name their parts, and no others.
func TestProseNamesWhatIsOn(t *testing.T) {
	for name, c := range map[string]struct{ has, lacks []string }{
		"openai-es":      {[]string{"50 samples around a mean, in pairs", "Adam with momentum 0.9", "brought exponentially to 0.3"}, []string{"CMA", "starts again"}},
		"sep-cma-es":     {[]string{"path of the mean (as in CMA-ES)", "as in sep-CMA-ES"}, []string{"Adam", "covariance, as"}},
		"ipop-cma-es":    {[]string{"the whole covariance, as in CMA-ES", "twice the samples (IPOP)"}, []string{"BIPOP"}},
		"snes-assembled": {[]string{"best of 9 starting draws", "44 % of the way to the best point", "a point as far beyond it"}, []string{"in pairs"}},
		"cr-fm-nes":      {[]string{"those of CR-FM-NES"}, []string{"Adam"}},
		"de-rand-1-bin":  {[]string{"Differential evolution", "another member plus the difference", "replaces the member"}, []string{"survive unchanged"}},
		"l-shade":        {[]string{"drawn around what improved before"}, []string{"The difference counts"}},
		"default":        {[]string{"best of 5 drawn members", "deviation 0.01", "best 20 % survive"}, []string{"mean follows"}},
		"samr-ga":        {[]string{"inherited and changed"}, []string{"one-fifth"}},
		"random-search":  {[]string{"nothing is learned"}, []string{"mean follows"}},
	} {
		s, err := meta.FindStrategy(name)
		require.NoError(t, err)
		text := strings.Join(report.Prose(s), " ")
		for _, part := range c.has {
			require.Contains(t, text, part, name)
		}
		for _, part := range c.lacks {
			require.NotContains(t, text, part, name)
		}
	}
}

// TestProseIsWhole: no strategy of the space, nor a hand-designed one, leaves a hole in a sentence.
func TestProseIsWhole(t *testing.T) {
	run := synthetic{generations: 40, members: 10, tasks: 1, runs: 1, unfinished: true}
	all := rsie.Baselines()
	for _, s := range load(t, run.folder(t)).Strategies {
		all = append(all, s.Genome)
	}
	for _, s := range all {
		for _, sentence := range report.Prose(s) {
			require.NotContains(t, sentence, "%!", s.GenomeID)
			for _, hole := range []string{"  ", " ,", " .", "()", "are .", "by  ", "follows ,", "is  "} {
				require.NotContains(t, sentence, hole, s.GenomeID)
			}
			require.True(t, strings.HasSuffix(sentence, "."), sentence)
		}
	}
}
