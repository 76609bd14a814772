// Package report shows runs: one self-contained HTML page of a run or of two side by side, the
// same figures as files, a card of a strategy and the data that exports are made of.
//
// [Load] reads a run from its store into a [Run], which holds plain values alone. Functions of
// a Run return figures ([Figure]); a figure is drawn as inline SVG for a page ([Figure.SVG]) or
// as a file ([Figure.WriteImage]). A page has no script and asks no other host for anything.
//
// # Determinism
//
// The same run gives the same bytes: resampling draws from a fixed key, and no clock is read.
//
// # Errors
//
// A damaged run, or a document in it that is of another form, is [rsie.ErrInvalid].
package report
