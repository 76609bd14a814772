//go:build cgo && amd64

#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#endif
#pragma GCC optimize("O3", "fp-contract=off", "no-math-errno", "no-trapping-math")
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,bmi,bmi2,prefer-vector-width=512")
#define VARIANT avx512
#include "native.h"
