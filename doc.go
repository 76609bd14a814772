// Package rsie is the vocabulary and the contract of an engine that evolves evolution
// strategies: it searches for the algorithm that trains models, not for the model.
//
// A level is a type. A point of a level-0 [Problem] is a model's weights; level 1 runs a
// [Strategy] on it; a point of a level-2 problem is a Strategy, encoded by [StrategySpace], and
// its fitness the meta-fitness of level-1 runs; so one loop, in package meta, serves all
// levels. A [Backend] carries out the operations of the loop for many runs at once.
//
// # Shapes
//
// R runs, N members, D parameters, G generations, T tasks, S samples, E episodes; r, i, j index
// runs, members, parameters. All arrays are row-major. Points have a stride of D rounded up to
// 32.
//
// # Determinism
//
// Every draw is addressed by [Key]; the same seed on the same backend gives the same bits for
// any number of workers. Fitness is always minimised, scores and qualities are maximised.
//
// # Errors
//
// [ErrInvalid] marks bad input, [ErrShape] a programmer's disagreement of sizes,
// [ErrUnsupported] what a backend cannot do, [ErrNotFound] unknown names. Each error says what,
// where, the allowed range and what to do.
//
// # Sources
//
// They stand at the operators, and in the source field of every hand-designed strategy
// ([Baselines]). docs/strategies.md describes every gene, docs/design.md the whole.
package rsie
