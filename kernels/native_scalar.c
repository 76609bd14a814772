//go:build cgo

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
#pragma GCC optimize("O3", "fp-contract=off", "no-math-errno", "no-trapping-math")

#define VARIANT scalar
#include "native.h"
