package explain

import (
	"fmt"
	"strings"
)

// Sentences says in words what the figures support, the largest effects first. A sentence that
// they do not support is not there.
func Sentences(r *Result) []string {
	var out []string
	add := func(format string, values ...any) { out = append(out, fmt.Sprintf(format, values...)) }
	if t := r.Path.Total; t.Contexts > 1 && t.P <= Level {
		add("%s scores %s than %s by %s on %s.", r.Subject.Genome, word(t.Mean, "higher", "lower"), r.Reference.Genome,
			figure(absolute(t)), count(t.Contexts, "key"))
	}
	for _, v := range r.Effects {
		if v.Established() && !v.Within(r.margin()) {
			add("%s%s %s the score by %s, over %s.", v.Name, values(v.Factor),
				word(v.Mean, "raises", "lowers"), figure(absolute(v.Estimate)), count(v.Contexts, "context"))
		}
	}
	for _, v := range r.Effects {
		out = append(out, contrasts(v, r.margin())...)
	}
	for _, p := range r.Pairs {
		switch {
		case !p.Established():
		case p.Mean > 0:
			add("%s and %s support each other: together they bring %s more than the sum of each alone.", p.A, p.B,
				figure(p.Estimate))
		default:
			add("%s and %s hinder each other: together they bring %s less than the sum of each alone.", p.A, p.B,
				figure(absolute(p.Estimate)))
		}
	}
	out = append(out, games(r)...)
	var none []string
	for _, v := range r.Effects {
		if !v.Unmeasured && v.Within(r.margin()) {
			none = append(none, v.Name)
		}
	}
	if len(none) > 0 {
		add("Less than %.3g either way: %s.", r.margin(), strings.Join(none, ", "))
	}
	return out
}

// values says what a factor is in both strategies, where that is short.
func values(f Factor) string {
	if len(f.Subject)+len(f.Reference) > 80 || f.Subject == "" {
		return ""
	}
	return fmt.Sprintf(" (%s against %s)", f.Subject, f.Reference)
}

// margin is the effect that counts as none.
func (r *Result) margin() float64 { return 2 * r.Precision }

// contrasts says where an effect is and where it is not: on some kinds of task and not on
// others, or, without several kinds, on tasks.
func contrasts(v Effect, margin float64) []string {
	parts := v.Kinds
	if parts == nil {
		parts = v.Tasks
	}
	var there, absent []string
	for _, p := range parts {
		switch {
		case p.Established() && !p.Within(margin):
			there = append(there, fmt.Sprintf("%s %s", p.Name, signed(p.Estimate)))
		case p.Within(margin):
			absent = append(absent, fmt.Sprintf("%s %s", p.Name, signed(p.Estimate)))
		}
	}
	if len(there) == 0 || len(absent) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("%s matters on %s, not on %s.", v.Name, strings.Join(there, ", "),
		strings.Join(absent, ", "))}
}

// games puts the Shapley values and the path into words.
func games(r *Result) []string {
	var out []string
	if s := r.Shapley; s.Total.Contexts > 1 && s.Total.P <= Level {
		var parts []string
		for _, v := range s.Measured {
			if v.Established() {
				parts = append(parts, fmt.Sprintf("%s %s", v.Factor, signed(v.Estimate)))
			}
		}
		if len(parts) > 0 {
			out = append(out, fmt.Sprintf("Of the %s that %d genes bring together, by Shapley values: %s.",
				figure(s.Total), len(s.Measured), strings.Join(parts, ", ")))
		}
	}
	var steps []string
	for _, s := range r.Path.Steps {
		if !s.Nothing && s.Gain.Established() {
			steps = append(steps, fmt.Sprintf("%s %s", s.Factor, signed(s.Gain)))
		}
	}
	if len(steps) > 0 {
		out = append(out, fmt.Sprintf("On the path from %s, the steps that change the score are: %s.",
			r.Reference.Genome, strings.Join(steps, ", ")))
	}
	return out
}

func word(v float64, up, down string) string {
	if v > 0 {
		return up
	}
	return down
}

// absolute returns an estimate of the size of a negative effect.
func absolute(e Estimate) Estimate {
	if e.Mean < 0 {
		e.Mean, e.Interval = -e.Mean, [2]float64{-e.Interval[1], -e.Interval[0]}
	}
	return e
}

func figure(e Estimate) string {
	return fmt.Sprintf("%.3f [%.3f, %.3f]", e.Mean, e.Interval[0], e.Interval[1])
}

func signed(e Estimate) string {
	return fmt.Sprintf("%+.3f [%+.3f, %+.3f]", e.Mean, e.Interval[0], e.Interval[1])
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
