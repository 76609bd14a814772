// Package graph makes the weights of any gorgonia expression graph a problem: the model is the
// user's own program over tensors, and evolution sets its parameters.
//
// A [Build] function adds a model to an expression graph and says which nodes are parameters
// and which one is the loss. [New] turns it into a [Problem] for meta.Evolve, [Factory] turns
// several into a model factory for meta.NewTrainer and Engine.MetaTrain. Data goes in and
// outputs come out as tensor.Dense. Gradients are not used.
//
// The package favours fidelity over speed: one machine of gorgonia runs one point after the
// other. Networks of dense layers, Elman and GRU cells are far faster as tasks of package task.
// The rsie program does not link this package, so that it starts in milliseconds.
//
// # Shapes
//
// D parameters are the elements of all parameter nodes in the order of Model.Params, each
// row-major. A scalar is a block of 1 x 1, a vector of n a block of 1 x n, a matrix a block of
// its sides; a tensor of more axes has its first axis as rows and the others as columns.
//
// # Determinism
//
// The loss of a point depends on the point alone. A graph that draws random numbers of its own
// is refused, because they would not come from a key.
//
// # Errors
//
// [rsie.ErrInvalid] marks a graph that cannot be a problem, with the node and the reason,
// [rsie.ErrShape] points or inputs of a wrong size, [rsie.ErrNotFound] an unknown model name.
package graph
