// Package explain says by experiment what the genes of a strategy contribute.
//
// [Explain] compares a subject, such as the winner of a run, with a reference, such as the
// published default. What is set to one or the other is a [Factor]: a gene, or several together.
// All figures are differences of scores between strategies that meet the same keys:
//
//   - effects: do(factor = subject's value) against do(factor = reference's value) in strategies
//     drawn from a declared [Distribution], with intervals and false-discovery control;
//   - pairs: how the effect of one factor changes when the other is taken away;
//   - a screening of all factors by a surrogate fitted to strategies between the two, with the
//     R² that it reaches on strategies held out;
//   - Shapley values with interactions: measured for a few factors, by the surrogate for all;
//   - a path from reference to subject, the factor that gains most first.
//
// Evaluations go to the effects whose intervals are still wide. [Sentences] puts into words what
// the figures support, and nothing else.
//
// # Determinism
//
// Everything follows from the subject, the reference, the tasks and the settings. Measurements
// are kept in a [Keeper] under the digest of what they depend on, so a stopped explanation
// continues to the same bytes.
//
// # Errors
//
// [rsie.ErrInvalid] marks settings out of range, with the range.
//
// # Sources
//
// Y. Benjamini and Y. Hochberg 1995; F. Hutter, H. Hoos and K. Leyton-Brown, An efficient approach
// for assessing hyperparameter importance, ICML 2014 (screening); C. Fawcett and H. Hoos,
// Analysing differences between algorithm configurations through ablation, J. Heuristics 22,
// 2016; L. Shapley 1953; M. Grabisch and M. Roubens, Int. J. Game Theory 28, 1999 (interaction
// index).
package explain
