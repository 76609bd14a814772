// Package task holds problems as data: tables, sequences, control systems, functions and the
// user's own programs, read from YAML files, and the suites that are built into the program.
//
// [Load] reads the tasks of a file, [Embedded] a built-in suite. A [Task] is an [rsie.Problem] with
// a name, a budget, anchors and user-facing metrics; networks are [rsie.Modelled], so a backend
// evaluates them. [SaveModel] and [LoadModel] keep a trained network with the coding of its data.
// docs/tasks.md describes the files, [Schema] is their JSON Schema.
//
// # Shapes
//
// A network's point has D parameters: per matrix the weights [in][out], row-major, then the
// biases; outputs are [S, out] on S rows. Rows of a sequence hold the first step first.
//
// # Determinism
//
// A task is a pure function of its files: the division of rows, imputation and standardisation by
// training rows, and drawn starts follow from them and their seeds. [Task.Digest] changes with
// everything that decides fitness. A program of an exec task is as deterministic as it is made.
//
// # Errors
//
// [rsie.ErrInvalid] marks a file that cannot be a task, with file, line, field and allowed range;
// limits are checked before parsing. [rsie.ErrNotFound] marks unknown names. Answers of programs
// that are no numbers rank worst with a counted warning.
//
// # Sources
//
// Control systems: gymnasium 1.4, after A. Barto, R. Sutton, C. Anderson 1983; R. Sutton 1996; A.
// Moore 1990. Cells: J. Elman 1990; K. Cho et al., arXiv:1406.1078. Model files: safetensors.
package task
