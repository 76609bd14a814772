package report

import (
	"fmt"
	"strings"

	rsie "github.com/symbio-ai/recursive-improvement"
)

// Prose says in whole sentences what a strategy does in one run, for a reader who knows evolution
// but not this space. A part that is off is not mentioned.
func Prose(s rsie.Strategy) []string {
	s = rsie.StrategySpace.Canonical(s)
	switch {
	case s.Family == rsie.Random:
		return []string{"Every member is a fresh starting draw; nothing is learned from one to the next."}
	case s.Family == rsie.Distribution:
		return distributionProse(s)
	case s.Mutation == rsie.Differential:
		return differentialProse(s)
	}
	return populationProse(s)
}

// figure shortens a number for a sentence.
func figure(v float64) string { return fmt.Sprintf("%.3g", v) }

func percent(v float64) string { return fmt.Sprintf("%.3g %%", 100*v) }

// sizeProse names the members of a generation.
func sizeProse(s rsie.Strategy, noun string) string {
	size := fmt.Sprint(s.PopulationSize)
	if s.PopulationRule == rsie.LogDimension {
		size = "4 + 3 ln D (D: parameters of the model)"
	}
	return size + lawProse(s.PopulationScale, 1, "") + " " + noun
}

// lawProse says how a law differs from a constant; usual is the value that needs no word.
func lawProse(l rsie.Law, usual float64, unit string) string {
	text := ""
	if l.Value != usual {
		text = " times " + figure(l.Value) + unit
	}
	var with []string
	for _, p := range []struct {
		exponent float64
		of       string
	}{{l.Dim, "parameters"}, {l.Budget, "evaluations"}, {l.Samples, "training samples"}} {
		if p.exponent != 0 {
			with = append(with, fmt.Sprintf("%s to the power %s", p.of, figure(p.exponent)))
		}
	}
	if len(with) > 0 {
		text += " (scaled with " + strings.Join(with, ", ") + ")"
	}
	return text + courseProse(l)
}

// courseProse says how a law changes while the budget is spent.
func courseProse(l rsie.Law) string {
	if l.Schedule == rsie.Constant || l.End == 1 {
		return ""
	}
	way := map[rsie.Schedule]string{rsie.LinearRamp: "linearly", rsie.Cosine: "along a cosine", rsie.Exponential: "exponentially",
		rsie.TwoPhase: "at half the budget"}[l.Schedule]
	return fmt.Sprintf(", brought %s to %s times its first value", way, figure(l.End))
}

// valued is a law as a value with its changes.
func valued(l rsie.Law) string { return figure(l.Value) + lawProse(l, l.Value, "") }

func populationProse(s rsie.Strategy) []string {
	chosen := map[rsie.Selection]string{
		rsie.Tournament: fmt.Sprintf("the best of %d drawn members", s.TournamentSize),
		rsie.Roulette:   "members drawn in proportion to how much better they are than the worst",
		rsie.RankLinear: "members drawn by rank",
		rsie.Elitism:    "members drawn from the best " + percent(s.TruncationRatio)}[s.Selection]
	out := []string{fmt.Sprintf("A genetic algorithm with %s; parents are %s.", sizeProse(s, "members"), chosen)}
	if s.CrossoverRate > 0 {
		how := map[rsie.Crossover]string{rsie.Averaging: "averaging them", rsie.Swapping: "taking each layer from either",
			rsie.WeightedMerge: "a mean weighted by fitness"}[s.Crossover]
		out = append(out, fmt.Sprintf("With probability %s a child has two parents, joined by %s.", percent(s.CrossoverRate), how))
	}
	change := map[rsie.Mutation]string{
		rsie.Gaussian: "Noise of deviation %s is added to each weight with probability %s",
		rsie.Adaptive: "Noise of deviation %s, which then follows the one-fifth success rule, is added to each weight with probability %s",
		rsie.SelfAdaptive: "Noise of deviation %s, which is inherited and changed by up to a factor " + figure(s.StepFactor) +
			", is added to each weight with probability %s",
		rsie.SVD: "Singular values of the weight matrices are multiplied by exp(%s·noise), each with probability %s"}[s.Mutation]
	if s.Mutation == rsie.Dropout {
		change = "Weights are set to 0 with probability " + percent(s.MutationRate)
	} else {
		change = fmt.Sprintf(change, figure(s.MutationStrength), percent(s.MutationRate))
		if s.StrengthEnd != 1 {
			change += fmt.Sprintf("; the deviation ends at %s of its first value", percent(s.StrengthEnd))
		}
	}
	out = append(out, change+".", survivalProse(s))
	if s.FitnessSharing {
		out = append(out, fmt.Sprintf("Crowded members lose their rank: a niche keeps %d.", s.NicheCapacity))
	}
	return out
}

func survivalProse(s rsie.Strategy) string {
	text := "Each child replaces the member it was made against when it is better"
	if s.Survival == rsie.Elites {
		text = "The best " + percent(s.ElitismRatio) + " survive unchanged"
		if s.ElitismRatio == 0 {
			text = "No member survives its generation"
		}
	}
	if s.DiversityThreshold > 0 {
		text += "; below " + percent(s.DiversityThreshold) + " of the first spread a tenth of the members is drawn anew"
	}
	return text + "."
}

func differentialProse(s rsie.Strategy) []string {
	base := map[rsie.Base]string{rsie.BaseRandom: "another member", rsie.BaseBest: "the best member",
		rsie.ToBest: "a point on the way to one of the best " + percent(s.TruncationRatio)}[s.Base]
	out := []string{fmt.Sprintf("Differential evolution with %s: a child is %s plus the difference of two others.",
		sizeProse(s, "members"), base)}
	if s.Survival == rsie.Pairwise && s.SuccessHistory != rsie.NoHistory {
		out = append(out, fmt.Sprintf("Strength and crossover rate are drawn around what improved before (%s, %d entries).",
			s.SuccessHistory, s.HistoryLength))
	} else {
		out = append(out, fmt.Sprintf("The difference counts %s; a weight comes from the new point with probability %s.",
			figure(s.MutationStrength), percent(s.MutationRate)))
	}
	return append(out, survivalProse(s))
}

func distributionProse(s rsie.Strategy) []string {
	how := ""
	if s.Mirrored {
		how = ", in pairs on both sides of it"
	}
	noise := map[rsie.Sampling]string{rsie.Orthogonal: ", in directions at right angles", rsie.Sobol: ", spread evenly (Sobol sequence)",
		rsie.LowRank: ", each weight matrix by a product of a column and a row"}[s.Sampling]
	if s.Density < 1 {
		noise += ", moving " + percent(s.Density) + " of the weights each"
	}
	out := []string{fmt.Sprintf("An evolution strategy: it draws %s around a mean%s%s.", sizeProse(s, "samples"), how, noise)}
	if s.StartDraws > 1 {
		out = append(out, fmt.Sprintf("The first mean is the best of %d starting draws.", s.StartDraws))
	}
	out = append(out, moveProse(s), stepProse(s))
	return append(out, extraProse(s)...)
}

// moveProse says how the mean moves.
func moveProse(s rsie.Strategy) string {
	rate := "the rate " + valued(s.LearningRate)
	if s.Momentum > 0 && s.ScaleRule != rsie.FastNES {
		rate = "momentum " + figure(s.Momentum) + " and " + rate
	}
	if s.ScaleRule == rsie.FastNES {
		return "Weights, update and steps are those of CR-FM-NES, the mean moves with " + rate + "."
	}
	weights := map[rsie.Recombination]string{rsie.Centred: "all samples, weighted evenly by rank from best to worst",
		rsie.Logarithmic: "the best samples, weighted by the logarithm of their rank", rsie.Utility: "the better half, weighted by the logarithm of the rank",
		rsie.Equal:   "the best " + percent(s.ParentFraction) + " alike",
		rsie.Softmax: "the samples by a softmax of their rank", rsie.Tutorial: "the better half, with the weights of CMA-ES",
		rsie.Logistic: "the samples by a softmax of a logistic of their rank"}[s.Recombination]
	update := map[rsie.UpdateRule]string{rsie.Plain: "a plain step", rsie.Adam: "Adam", rsie.ClipUp: "ClipUp"}[s.UpdateRule]
	return fmt.Sprintf("The mean follows %s, by %s with %s.", weights, update, rate)
}

// stepProse says how large steps are and what changes them.
func stepProse(s rsie.Strategy) string {
	text := "Steps have the deviation " + valued(s.Sigma)
	if control, ok := map[rsie.StepControl]string{rsie.Cumulative: "the length of the path of the mean (as in CMA-ES)",
		rsie.PathLength: "the length of the path of the mean", rsie.Success: "the share of samples that improve",
		rsie.TwoPoint: "two points along the last move"}[s.StepControl]; ok {
		text += ", controlled by " + control
	}
	switch {
	case s.ScaleRule == rsie.FastNES || s.ScaleRule == rsie.NoScales:
	default:
		text += "; each weight learns a step of its own (" + map[rsie.ScaleRule]string{rsie.NaturalRule: "natural gradient, as in SNES",
			rsie.Variance: "variance of the good samples", rsie.Likelihood: "likelihood gradient, as in PGPE",
			rsie.Deviation: "deviation of the good samples, as in DES", rsie.SepCMA: "as in sep-CMA-ES"}[s.ScaleRule] + ")"
	}
	if learned, ok := map[rsie.Covariance]string{rsie.RankOne: "one direction", rsie.Full: "the whole covariance, as in CMA-ES",
		rsie.NaturalFull: "the whole covariance, as in xNES", rsie.Limited: "a few directions, as in LM-MA-ES"}[s.Covariance]; ok {
		text += "; correlations are learned: " + learned
	}
	return text + "."
}

// extraProse names the parts around the loop that are on.
func extraProse(s rsie.Strategy) []string {
	var out []string
	for _, p := range []struct {
		on   bool
		text string
	}{
		{s.Pull > 0, "After each move the mean goes " + percent(s.Pull) + " of the way to the best point so far."},
		{s.Probes == 1, "The mean itself is evaluated in each generation."},
		{s.Probes == 2, "The mean is evaluated, and a point as far beyond it as it has moved, which replaces it when better."},
		{s.KeepBest, "The best point so far is ranked with the samples."},
		{s.Parents > 0, fmt.Sprintf("With probability %s a sample is drawn around one of the best %d points so far instead.", percent(s.ParentShare.Value), s.Parents)},
		{s.WeightDecay > 0, "Weights decay by " + figure(s.WeightDecay) + " of the mean."},
		{s.Restart == rsie.FromBest, "When nothing improves, it starts again from the best point."},
		{s.Restart == rsie.Anew, "When nothing improves, it starts again elsewhere."},
		{s.Restart == rsie.IPOP, "When nothing improves, it starts again elsewhere with twice the samples (IPOP)."},
		{s.Restart == rsie.BIPOP, "When nothing improves, it starts again elsewhere, with many samples and with few in turn (BIPOP)."},
		{s.LastPhase > 0, fmt.Sprintf("The last %s of the budget begin again at the best point with steps of %s times the size.", percent(s.LastPhase), figure(s.LastPhaseStep))},
	} {
		if p.on {
			out = append(out, p.text)
		}
	}
	return out
}
