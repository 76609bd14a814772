package rsie

import "math"

// LimitedVectors returns how many vectors a limited-memory matrix of dim parameters has, 4 +
// ⌊3 ln dim⌋. They are rows of the archive behind the Archive rows of the run.
//
// Source: I. Loshchilov, T. Glasmachers, H.-G. Beyer, arXiv:1705.06693, table 1.
func LimitedVectors(dim int) int { return 4 + int(3*math.Log(float64(dim))) }
