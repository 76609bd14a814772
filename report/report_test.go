package report_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	rsie "github.com/symbio-ai/recursive-improvement"
	"github.com/symbio-ai/recursive-improvement/meta/explain"
	"github.com/symbio-ai/recursive-improvement/meta/store"
	"github.com/symbio-ai/recursive-improvement/report"
)

func load(t testing.TB, dir string) *report.Run {
	t.Helper()
	st, err := store.OpenReadOnly(dir)
	require.NoError(t, err)
	defer st.Close()
	r, err := report.Load(st, "run")
	require.NoError(t, err)
	return r
}

func page(t testing.TB, r *report.Run) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, r.WriteHTML(&b))
	return b.String()
}

// large is a run of 100,800 level-1 runs of 600 strategies.
func large() *synthetic { return &synthetic{generations: 25, members: 24, tasks: 21, runs: 8} }

// maxPage is the size that the page of a large run may have.
const maxPage = 3_000_000

func TestLargePageIsSmall(t *testing.T) {
	r := load(t, large().folder(t))
	require.Equal(t, 600, len(r.Strategies))
	text := page(t, r)
	require.Less(t, len(text), maxPage)
	require.Equal(t, text, page(t, r), "the same run gives the same bytes")
}

// BenchmarkPage reads and draws the large run; the aim is 2 s.
func BenchmarkPage(b *testing.B) {
	dir := large().folder(b)
	b.ResetTimer()
	size := 0
	for b.Loop() {
		size = len(page(b, load(b, dir)))
	}
	b.ReportMetric(float64(size), "bytes/page")
}

var (
	ids       = regexp.MustCompile(`\sid="([^"]*)"`)
	drawings  = regexp.MustCompile(`(?s)<svg class="figure".*?</svg>`)
	labels    = regexp.MustCompile(`aria-labelledby="([^"]*)"`)
	addresses = regexp.MustCompile(`(?:href|src|action|data|poster)="([^"]*)"`)
)

// TestPageIsClosed: what a browser is allowed to do with the page, and what the page asks of it.
func TestPageIsClosed(t *testing.T) {
	for _, unfinished := range []bool{false, true} {
		run := synthetic{generations: 4, members: 6, tasks: 3, runs: 2, unfinished: unfinished}
		text := page(t, load(t, run.folder(t)))
		require.NotContains(t, text, "<script")
		require.NotContains(t, text, "style=\"")
		require.NotContains(t, text, "NaN")
		require.NotContains(t, text, "Inf")
		require.NotContains(t, text, "@import")
		require.NotContains(t, text, "url(")
		_, rest, _ := strings.Cut(text, "<style>")
		sheet, _, _ := strings.Cut(rest, "</style>")
		sum := sha256.Sum256([]byte(sheet))
		require.Contains(t, text, `content="default-src &#39;none&#39;; style-src &#39;sha256-`+
			strings.ReplaceAll(base64.StdEncoding.EncodeToString(sum[:]), "+", "&#43;")+"&#39;")
		known := map[string]bool{}
		for _, m := range ids.FindAllStringSubmatch(text, -1) {
			require.False(t, known[m[1]], "id %s twice", m[1])
			known[m[1]] = true
		}
		for _, m := range addresses.FindAllStringSubmatch(text, -1) {
			at, ok := strings.CutPrefix(m[1], "#")
			require.True(t, ok && known[at] || m[1] == "data:,", "address %s", m[1])
		}
		for _, m := range labels.FindAllStringSubmatch(text, -1) {
			for _, id := range strings.Fields(m[1]) {
				require.True(t, known[id], "label %s", id)
			}
		}
		for _, d := range drawings.FindAllString(text, -1) {
			require.Contains(t, d, "<title id=")
			require.Contains(t, d, "<desc id=")
		}
	}
}

// TestPageHasItsFigures names every picture of a finished run.
func TestPageHasItsFigures(t *testing.T) {
	run := synthetic{generations: 4, members: 12, tasks: 3, runs: 2}
	text := page(t, load(t, run.folder(t)))
	for _, id := range []string{"progress", "diversity", "curves", "ecdf", "lead", "curves-0", "final", "heat", "genealogy", "parallel", "cost", "time", "cost-tasks"} {
		require.Contains(t, text, `id="f-`+id+`"`)
	}
	require.Regexp(t, `id="f-gene-share-\d+"`, text)
	require.Regexp(t, `id="f-gene-value-\d+"`, text)
}

// TestNamesAreText: what a user named cannot become part of the page.
func TestNamesAreText(t *testing.T) {
	run := synthetic{generations: 3, members: 4, tasks: 2, runs: 2,
		task: func(k int) string { return `<script>alert("` + string(rune('a'+k)) + `")</script>` }}
	text := page(t, load(t, run.folder(t)))
	require.NotContains(t, text, "<script")
	require.Contains(t, text, "&lt;script&gt;")
}

// TestWordsNameLosses: of the planted rivals one is better and the others are worse.
func TestWordsNameLosses(t *testing.T) {
	run := synthetic{generations: 3, members: 4, tasks: 2, runs: 2}
	words := strings.Join(load(t, run.folder(t)).Words(), "\n")
	require.Contains(t, words, "the winner is worse than simple-ga −0.100 [−0.150, −0.050]; better than default, ")
	require.Contains(t, words, "from default +0.100 [+0.050, +0.150] to ")
	require.Contains(t, words, "its meta-fitness is higher than that of default, simple-ga, ")
	require.Contains(t, words, "On none of the 2 tasks does a hand-designed strategy end with a quality higher")
}

func TestUnfinishedRunSaysSo(t *testing.T) {
	run := synthetic{generations: 3, members: 4, tasks: 2, runs: 2, unfinished: true}
	r := load(t, run.folder(t))
	require.Contains(t, r.Words()[0], "The run is not finished: 3 of 3 generations")
	require.NotContains(t, page(t, r), "Reproduce</h2></section>")
}

// TestRunIsReadWhileItIsWritten: pages of a run that stores a generation every few milliseconds.
func TestRunIsReadWhileItIsWritten(t *testing.T) {
	run := synthetic{generations: 2, members: 4, tasks: 2, runs: 2, unfinished: true}
	dir := run.folder(t)
	writer, err := store.Open(dir)
	require.NoError(t, err)
	ended := make(chan bool)
	go func() {
		defer close(ended)
		var parents []rsie.Strategy
		for g := 2; g < 150; g++ {
			parents = run.generation(t, writer, g, parents)
		}
	}()
	reader, err := store.OpenReadOnly(dir)
	require.NoError(t, err)
	defer reader.Close()
	seen := map[int]bool{}
	for running := true; running; {
		select {
		case <-ended:
			running = false
		default:
		}
		r, err := report.Load(reader, "run")
		require.NoError(t, err)
		last := r.Generations[len(r.Generations)-1]
		require.Len(t, last.Members, 4)
		require.Len(t, r.Strategies, 4*len(r.Generations), "no strategy of a generation that is not shown")
		seen[len(r.Generations)] = true
	}
	require.True(t, seen[150])
	require.NoError(t, writer.Close())
}

func TestComparisonNamesScales(t *testing.T) {
	run := synthetic{generations: 3, members: 4, tasks: 2, runs: 2}
	a := load(t, run.folder(t))
	run.tasks = 3
	b := load(t, run.folder(t))
	var same, other bytes.Buffer
	require.NoError(t, report.WriteComparison(&same, a, a))
	require.Contains(t, same.String(), "a difference of &#43;0.000")
	require.Contains(t, same.String(), `id="f-curves"`)
	require.NoError(t, report.WriteComparison(&other, a, b))
	require.Contains(t, other.String(), "different scales")
	require.NotContains(t, other.String(), "a difference of")
}

// explained is what rsie explain could have found.
func explained() *explain.Result {
	of := func(mean float64) explain.Estimate {
		return explain.Estimate{Mean: mean, Interval: [2]float64{mean - 0.05, mean + 0.05}, P: 0.01, Adjusted: 0.01, Contexts: 20}
	}
	pull := explain.Effect{Factor: explain.Factor{Name: "pull", Subject: "0.4", Reference: "0"}, Estimate: of(0.1),
		Tasks: []explain.PartEffect{{Name: "iris", Estimate: of(0.3)}, {Name: "wine", Estimate: of(-0.1)}}}
	return &explain.Result{Score: explain.Area, Subject: explain.Named{Genome: "winner"}, Reference: explain.Named{Genome: "snes"},
		Effects: []explain.Effect{pull, {Factor: explain.Factor{Name: "sigma"}, Unmeasured: true}},
		Pairs:   []explain.Pair{{A: "pull", B: "probes", Estimate: of(0.02)}},
		Shapley: explain.Shapley{Measured: []explain.ShapleyValue{{Factor: "pull", Estimate: of(0.1)}}, Keys: 9,
			Surrogate: []explain.ShapleyValue{{Factor: "pull", Estimate: of(0.1)}}},
		Screening: explain.Screening{Samples: 100, R2: 0.7, Shares: []explain.Share{{Factor: "pull", Main: 0.5, Total: 0.6}}},
		Path:      explain.Path{Steps: []explain.Step{{Factor: "pull", Score: 0.5, Gain: of(0.1)}}},
		Sentences: []string{"pull raises the score."}}
}

// TestEveryKindIsDrawn writes every picture as both kinds of file, the same bytes each time.
func TestEveryKindIsDrawn(t *testing.T) {
	run := synthetic{generations: 4, members: 12, tasks: 2, runs: 2}
	r := load(t, run.folder(t))
	r.Explained = explained()
	for _, kind := range append([]string{"gene:family", "gene:mutation_rate", "task:task-00"}, report.Kinds...) {
		f, err := r.Figure(kind)
		require.NoError(t, err, kind)
		for format, head := range map[string]string{"png": "\x89PNG", "svg": "<?xml"} {
			var a, b bytes.Buffer
			require.NoError(t, f.WriteImage(&a, format, 12), kind)
			require.NoError(t, f.WriteImage(&b, format, 12), kind)
			require.True(t, strings.HasPrefix(a.String(), head), kind)
			require.True(t, bytes.Equal(a.Bytes(), b.Bytes()), kind)
		}
	}
	for _, kind := range []string{"nonsense", "gene:nonsense", "task:nonsense"} {
		_, err := r.Figure(kind)
		require.ErrorIs(t, err, rsie.ErrInvalid)
	}
	text := page(t, r)
	require.Contains(t, text, `id="f-causes"`)
	require.Contains(t, text, "held-out R² 0.70")
	require.Contains(t, text, `<td class="n told">−0.100 [−0.150, −0.050]</td>`)
	r.Explained.Screening.R2 = -0.1
	require.NotContains(t, page(t, r), "held-out R²", "a surrogate that predicts nothing is not shown")
}

// TestCardNamesTheNearest: a hand-designed strategy is itself; a changed one is named with the
// change.
func TestCardNamesTheNearest(t *testing.T) {
	for _, b := range rsie.Baselines() {
		require.Contains(t, report.CardOf(b).Sentence(), "no gene with an effect differs")
	}
	s, err := rsie.Baseline("sep-cma-es")
	require.NoError(t, err)
	s.Pull, s.GenomeID = 0.4, ""
	c := report.CardOf(s)
	require.Equal(t, "sep-cma-es", c.Nearest[0].Name)
	require.Contains(t, c.Sentence(), "pull 0.4 instead of 0")
	var b bytes.Buffer
	require.NoError(t, c.WriteHTML(&b, "test"))
	require.NotContains(t, b.String(), "<script")
}

// TestDifferentBudgets: curves of tasks with different budgets are meaned at equal shares.
func TestDifferentBudgets(t *testing.T) {
	run := synthetic{generations: 3, members: 4, tasks: 2, runs: 2}
	require.Equal(t, "evaluations", load(t, run.folder(t)).QualityCurves().X.Title)
	run.uneven = 1
	r := load(t, run.folder(t))
	require.Equal(t, "evaluations in % of each task's budget", r.QualityCurves().X.Title)
	require.Equal(t, 100.0, r.ECDF().X.Up)
	require.Equal(t, 2000.0, r.TaskCurves()[1].X.Up)
}
