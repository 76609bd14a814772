// Package bench holds what is checked about the project as a whole: the direction of imports
// and the layout of the tree, whole runs against an independent library, and that every command
// in the documentation works. It has no code of its own that a program could use.
package bench
