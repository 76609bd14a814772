package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/symbio-ai/recursive-improvement/meta/explain"
)

// shownTasks is how many tasks the table by task has at most; more are shown by kind alone.
const shownTasks = 12

// printExplanation writes the sentences, then the tables behind them.
func printExplanation(w io.Writer, r *explain.Result) {
	fmt.Fprintf(w, "%s against %s: what each gene adds to the %s, in [0,1], maximised.\n", r.Subject.Genome,
		r.Reference.Genome, r.Score.Words())
	fmt.Fprintf(w, "%s: %s\n%s: %s\n", r.Subject.Genome, r.Subject.Summary, r.Reference.Genome, r.Reference.Summary)
	fmt.Fprintf(w, "%d of %d evaluations, %s, seed %d. Figures are means with 95 %% intervals; p is adjusted\n"+
		"for the false discovery rate (Benjamini-Hochberg) over its table.\n\n",
		r.Evaluations, r.Limit, count(len(r.Tasks), "task"), r.Seed)
	for _, s := range r.Sentences {
		fmt.Fprintln(w, wrapped(s))
	}
	if len(r.Sentences) == 0 {
		fmt.Fprintln(w, "The figures support no sentence: a larger --budget narrows the intervals.")
	}
	fmt.Fprintf(w, "\nEffect of each gene in strategies of the distribution: %s\n", r.Distribution)
	printEffects(w, r)
	printParts(w, r)
	if len(r.Pairs) > 0 {
		fmt.Fprintln(w, "\nPairs: effect of one with the other present, minus its effect without the other")
		rows := [][]string{{"genes", "", "interaction [95 %]", "p (BH)", "contexts"}}
		for _, p := range r.Pairs {
			rows = append(rows, append([]string{p.A, p.B}, cells(p.Estimate)...))
		}
		table(w, 2, rows)
	}
	printGame(w, r)
	printPath(w, r)
	printScreening(w, r)
}

// wrapped breaks a sentence into lines of at most lineWidth, indented from the second on.
func wrapped(text string) string {
	var out strings.Builder
	at := 0
	for i, word := range strings.Fields(text) {
		n := len([]rune(word))
		switch {
		case i == 0:
		case at+1+n > lineWidth:
			out.WriteString("\n  ")
			at = 2
		default:
			out.WriteByte(' ')
			at++
		}
		out.WriteString(word)
		at += n
	}
	return out.String()
}

// cells returns the figures of a row.
func cells(e explain.Estimate) []string {
	return []string{interval(e), fmt.Sprintf("%.2g", e.Adjusted), fmt.Sprint(e.Contexts)}
}

func interval(e explain.Estimate) string {
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]", e.Mean, e.Interval[0], e.Interval[1])
}

// clip shortens the values of several genes for a column.
func clip(text string) string {
	const most = 28
	if r := []rune(text); len(r) > most {
		return string(r[:most-1]) + "…"
	}
	return text
}

func printEffects(w io.Writer, r *explain.Result) {
	rows := [][]string{{"gene", r.Subject.Genome, r.Reference.Genome, "effect [95 %]", "p (BH)", "contexts"}}
	unmeasured := 0
	for _, v := range r.Effects {
		if v.Unmeasured {
			unmeasured++
			continue
		}
		rows = append(rows, append([]string{v.Name, clip(v.Subject), clip(v.Reference)}, cells(v.Estimate)...))
	}
	table(w, 3, rows)
	if unmeasured > 0 {
		fmt.Fprintf(w, "Not measured, for want of budget, with the least share in the screening: %s.\n",
			count(unmeasured, "gene"))
	}
	if !r.Narrow {
		fmt.Fprintf(w, "The budget ended before all intervals were within %.3g of the mean.\n", r.Precision)
	}
}

// printParts writes the effects by kind and by task of the genes that can be told from 0 there.
func printParts(w io.Writer, r *explain.Result) {
	for _, part := range []struct {
		name string
		of   func(explain.Effect) []explain.PartEffect
	}{{"kind of task", func(v explain.Effect) []explain.PartEffect { return v.Kinds }},
		{"task", func(v explain.Effect) []explain.PartEffect { return v.Tasks }}} {
		var rows [][]string
		for _, v := range r.Effects {
			all := part.of(v)
			told := false
			row := []string{v.Name}
			for _, p := range all {
				told = told || p.Established()
				row = append(row, interval(p.Estimate))
			}
			if rows == nil && len(all) > 0 {
				head := []string{"gene"}
				for _, p := range all {
					head = append(head, p.Name)
				}
				rows = [][]string{head}
			}
			if told {
				rows = append(rows, row)
			}
		}
		if len(rows) > 1 && len(rows[0]) > 2 && len(rows[0]) <= shownTasks+1 {
			fmt.Fprintf(w, "\nBy %s, where one can be told from 0\n", part.name)
			foldedTable(w, 1, rows)
		}
	}
}

func printGame(w io.Writer, r *explain.Result) {
	s := r.Shapley
	if len(s.Measured) > 0 {
		fmt.Fprintf(w, "\nShapley values, every subset run on %s; together %s\n", count(s.Keys, "key"), interval(s.Total))
		rows := [][]string{{"gene", "", "value or interaction [95 %]", "p (BH)", "keys"}}
		for _, v := range s.Measured {
			rows = append(rows, append([]string{v.Factor, ""}, cells(v.Estimate)...))
		}
		for _, v := range s.Pairs {
			if v.Established() {
				rows = append(rows, append([]string{v.A, v.B}, cells(v.Estimate)...))
			}
		}
		table(w, 2, rows)
	}
}

func printPath(w io.Writer, r *explain.Result) {
	if len(r.Path.Steps) == 0 {
		return
	}
	fmt.Fprintf(w, "\nPath: each time the gene that gains most, order and figures on different keys (%d)\n", r.Path.Keys)
	rows := [][]string{{"set to the value of " + r.Subject.Genome, "score", "gain [95 %]", "p (BH)"},
		{"(" + r.Reference.Genome + ")", fixed(r.Reference.Score.Mean)}}
	for _, s := range r.Path.Steps {
		row := []string{s.Factor, fixed(s.Score), interval(s.Gain), fmt.Sprintf("%.2g", s.Gain.Adjusted)}
		if s.Nothing {
			row = append(row[:2], "no effect there")
		}
		rows = append(rows, row)
	}
	table(w, 1, rows)
}

// printScreening writes the shares of the surrogate where it predicts anything.
func printScreening(w io.Writer, r *explain.Result) {
	s := r.Screening
	if s.Samples == 0 {
		return
	}
	fmt.Fprintf(w, "\nScreening: a surrogate of %d strategies between the two has held-out R² %.3f", s.Samples, s.R2)
	if s.R2 <= 0 {
		fmt.Fprintln(w, ": it predicts nothing,\nand its shares are not shown.")
		return
	}
	fmt.Fprintln(w, ".\nShares of its variance, and its Shapley values with the range of refits:")
	values := map[string]explain.Estimate{}
	for _, v := range r.Shapley.Surrogate {
		values[v.Factor] = v.Estimate
	}
	rows := [][]string{{"gene", "alone", "with others", "Shapley value [refits]"}}
	for _, v := range s.Shares[:min(10, len(s.Shares))] {
		rows = append(rows, []string{v.Factor, fixed(v.Main), fixed(v.Total), interval(values[v.Factor])})
	}
	table(w, 1, rows)
}
