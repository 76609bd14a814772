/* The most multiplications and additions a core of this variant does: rounds of twelve independent
 * chains of fused ones. A measure for benchmarks. */
#ifndef RSIE_PEAK_H
#define RSIE_PEAK_H

#include "simd.h"

#ifdef RSIE_SIMD
static double rsie_chains(int rounds)
{
	vf a[12], m = v_all(0.999999f), c = v_all(1e-6f);
	for (int i = 0; i < 12; i++) a[i] = v_all((float)i);
	for (int k = 0; k < rounds; k++) {
#pragma GCC unroll 12
		for (int i = 0; i < 12; i++) a[i] = v_fma(a[i], m, c);
		__asm__ volatile("");
	}
	for (int i = 1; i < 12; i++) a[0] = a[0] + a[i];
	volatile float kept = a[0][0];
	(void)kept;
	return 2.0 * VLEN * 12 * rounds;
}
#else
static double rsie_chains(int rounds)
{
	(void)rounds;
	return 0;
}
#endif
#endif
