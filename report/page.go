package report

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"github.com/symbio-ai/recursive-improvement/meta"
	"github.com/symbio-ai/recursive-improvement/meta/explain"
)

//go:embed style.css
var style string

//go:embed page.html
var pageText string

// page is the parsed template; its blocks are used by the live page too.
var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"fixed": fixed, "describe": meta.Describe, "inc": func(i int) int { return i + 1 }, "compact": compact,
	"duration": duration, "bound": bound,
}).Parse(pageText))

// bound keeps a number and its percent sign on one line.
func bound(text string) string { return strings.ReplaceAll(text, " %", "\u00a0%") }

// Style returns the style sheet of reports.
func Style() string { return style }

// policy allows the page's own style and nothing else: no script, no request, no frame, no form.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; img-src data:; base-uri 'none'; form-action 'none'"
}

// document is what the template shows.
type document struct {
	Title   string
	Policy  string
	Style   template.CSS
	Run     *Run      // nil for a comparison
	Versus  *versus   // nil for a single run
	Body    *contents // of Run
	Program string
}

// contents are the parts of a run's page.
type contents struct {
	Facts                    []fact
	Words                    []string
	Lead, Progress, Diverse  Figure
	Curves, ECDF             Figure
	TaskCurves               []Figure
	FinalHeat, Heat          HeatMap
	Genealogy                Figure
	Lineage                  []lineageStep
	Frequencies, Drift       []Figure
	Parallel                 Figure
	Causes                   []Figure
	CauseParts               []partTable
	Explained                *explain.Result
	CurveLegend              []Series // of the pictures by task, which share it
	Cost                     []Figure
	Winner                   *Card
	Reproduce                []fact
	Finished                 bool
	StrategyCount, EvalCount int
}

type fact struct{ Name, Value string }

type lineageStep struct {
	Name, Score string
	Generation  int
	Changes     []meta.Difference
	More        int // changes that are left out
}

// WriteHTML writes the page of a run: one file that needs no other, without script.
func (r *Run) WriteHTML(w io.Writer) error {
	return writePage(w, document{Title: "Run " + r.Name, Run: r, Body: r.contents(), Program: r.Program})
}

func writePage(w io.Writer, d document) error {
	d.Policy, d.Style = policy(), template.CSS(style)
	var b bytes.Buffer
	if err := page.Execute(&b, d); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (r *Run) contents() *contents {
	c := &contents{Facts: r.facts(), Words: r.Words(), Lead: r.Lead(), Progress: r.Progress(), Diverse: r.Diversity(),
		Curves: r.QualityCurves(), ECDF: r.ECDF(), TaskCurves: r.TaskCurves(), FinalHeat: r.FinalHeat(), Heat: r.SearchHeat(),
		Genealogy: r.Genealogy(), Frequencies: r.GeneFrequencies(), Drift: r.GeneDrift(), Parallel: r.Parallel(),
		Causes: r.Causes(), CauseParts: r.CauseParts(), Explained: r.Explained, Cost: r.Cost(), Reproduce: r.reproduce(), Finished: r.Learned != nil}
	if len(c.TaskCurves) == 1 {
		c.TaskCurves = nil // the same picture again
	}
	for k := range c.TaskCurves {
		c.CurveLegend = c.TaskCurves[0].Legend()
		c.TaskCurves[k].Quiet, c.TaskCurves[k].Unnamed = true, true
	}
	for _, grid := range [][]Figure{c.Frequencies, c.Drift} {
		for k := range grid {
			grid[k].Quiet = true
		}
	}
	if w := r.Winner(); w >= 0 {
		c.Winner = r.Card(r.Strategies[w].Genome)
		c.Winner.Command = "" // it stands under Reproduce
		c.Lineage = r.lineageSteps(w)
	}
	return c
}

// shownChanges bounds the gene changes of one step of a line of descent; a crossover of unlike
// parents changes nearly all.
const shownChanges = 14

func (r *Run) lineageSteps(w int) []lineageStep {
	var out []lineageStep
	for _, a := range r.Lineage(w) {
		s := &r.Strategies[a.Strategy]
		step := lineageStep{Name: s.Name, Score: fixed(s.Score()), Generation: s.Born + 1}
		for _, d := range a.Changes {
			if d.A, d.B = offOr(d.A), offOr(d.B); d.A != d.B {
				step.Changes = append(step.Changes, d)
			}
		}
		if n := len(step.Changes); n > shownChanges {
			step.Changes, step.More = step.Changes[:shownChanges], n-shownChanges
		}
		out = append(out, step)
	}
	return out
}

// offOr returns a value to four digits, and "off" for a gene without effect.
func offOr(text string) string {
	if text == "-" {
		return "off"
	}
	return rounded(text)
}

// facts are the numbers at the head of a page.
func (r *Run) facts() []fact {
	evaluations := int64(0)
	if n := len(r.Generations); n > 0 {
		evaluations = r.Generations[n-1].Evaluations
	}
	out := []fact{{"state", "finished"}}
	if r.Learned != nil {
		evaluations = r.Learned.Metadata.Evaluations
		if s := r.Learned.TopUniversalStrategies[0].FitnessScore; s != nil {
			out = append(out, fact{"winner's meta-fitness, maximised", fixed(*s)})
		}
	} else {
		out[0].Value = fmt.Sprintf("generation %d of %d", len(r.Generations), r.Settings.MetaGenerations)
		out = append(out, fact{"best meta-fitness so far, maximised", fixed(r.Best())})
	}
	out = append(out, fact{"generations", fmt.Sprint(len(r.Generations))},
		fact{"strategies tried", fmt.Sprint(len(r.Strategies))}, fact{"evaluations", compact(float64(evaluations))})
	if _, total := r.Timeline.Seconds(); total > 0 {
		out = append(out, fact{"time", duration(total)})
	}
	return out
}

func duration(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < time.Minute {
		return fmt.Sprintf("%.1f s", seconds)
	}
	return strings.TrimSuffix(d.Round(time.Second).String(), "0s")
}

// reproduce lists what another needs to make the run again.
func (r *Run) reproduce() []fact {
	s := r.Settings
	out := []fact{{"seed", fmt.Sprint(s.Seed)}, {"suite", s.Suite}, {"tasks", strings.Join(s.Tasks, ", ")},
		{"back end", s.Backend},
		{"objectives", fmt.Sprintf("convergence_speed %g, final_fitness %g, sample_efficiency %g, diversity %g, robustness %g, computational_efficiency %g",
			s.Objectives.ConvergenceSpeed, s.Objectives.FinalFitness, s.Objectives.SampleEfficiency, s.Objectives.Diversity,
			s.Objectives.Robustness, s.Objectives.ComputationalEfficiency)}}
	if n := len(r.Generations); n > 0 && r.Digest == "" {
		out = append(out, fact{"digest after the last generation", r.Generations[n-1].Digest})
	}
	if r.Digest != "" {
		out = append(out, fact{"digest of the run", r.Digest})
	}
	for _, t := range r.Timeline.Sessions {
		out = append(out, fact{"session", fmt.Sprintf("%s, rsie %s on %s, %s", t.Began, t.Program, t.Platform, t.Device)})
	}
	return out
}

// WriteBody writes the sections of a run's page as a piece of HTML, for a page that has the style
// of [Style].
func (r *Run) WriteBody(w io.Writer) error {
	c := r.contents()
	if err := page.ExecuteTemplate(w, "facts", c.Facts); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	if err := page.ExecuteTemplate(w, "run", c); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	return nil
}
