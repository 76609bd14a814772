//go:build cgo && amd64

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
#pragma GCC optimize("O3", "fp-contract=off", "no-math-errno", "no-trapping-math")
#pragma GCC target("avx2,fma,bmi,bmi2")
#define VARIANT avx2
#include "native.h"
