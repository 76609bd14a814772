// Package meta is the loop of all levels and what is built on it: measuring strategies on
// tasks, searching for better ones, comparing and using them.
//
// [Batch] is the one ask, evaluate, tell loop; many runs with different strategies advance
// together on one problem. [Evolve] is a single run of it and [Judge] level 1: every strategy on a
// task with the same keys. [Engine] is level 2: the same loop on a problem whose points are
// encoded strategies, then a race of the leaders and a table on fresh keys. [Trainer] and
// [TrainTask] use a strategy, [Compare] tests several against each other, [LoadStrategies] and
// [Engine.ExportLearnedStrategies] read and write them.
//
// # Shapes
//
// R runs, N members, D parameters. Points are [n, D], row-major; a budget counts evaluations.
// Fitness is minimised; quality, area and meta-fitness are in [0,1] and maximised.
//
// # Determinism
//
// Everything follows from the seed, the tasks and the settings: the same bytes for any number of
// workers, for any split of the work into batches, and after a stop at any moment and a
// continuation from the [store.Store]. No clock enters a result; cost is counted.
//
// # Errors
//
// [rsie.ErrInvalid] marks settings, strategies and files out of range, with the range;
// [rsie.ErrNotFound] a question about results that are not there; [rsie.ErrUnsupported] a
// problem that the backend cannot carry. A context that ends is returned as its error, and
// whole generations are kept.
//
// # Sources
//
// N. Hansen, arXiv:1604.00772 (learning rates); M. Birattari et al., GECCO 2002 (racing); R.
// Agarwal et al., NeurIPS 2021 (interquartile mean). Operators: package cpu.
package meta
