/* gaps walks over the mutated genes of a child. Each gene is mutated with the same probability,
 * independently, so the number of genes between one mutated gene and the next is geometric:
 *
 *	j(-1) = -1;  j(k) = j(k-1) + 1 + floor(ln u[k] / ln(1 - rate))
 *
 * with u[k] the uniform of element k of StreamMutateMask; the twin is gaps.go of package cpu. The
 * quotient is a double: its floor is the twin's. SCATTER is EACH where elements lie apart, which
 * scalar instructions reach sooner.
 *
 * Source: L. Devroye, Non-Uniform Random Variate Generation, 1986, chapter X.2. */
#ifndef RSIE_GAPS_H
#define RSIE_GAPS_H

#include "access.h"

#define LOT 256      /* mutated genes that are found together */
#define LOT_STEP 64  /* a lot is a multiple: 16 blocks of words */

#if defined(__CUDACC__) || defined(RSIE_EMULATED)
#define SHARED __shared__
#define SCATTER EACH
#else
#define SHARED
#define SCATTER(j, from, to) for (int j = (from); j < (to); j++)
#endif

DEVICE double rsie_uniform64(uint32_t w) { return ((double)(w >> 8) + 0.5) * 0x1p-24; }

/* 1/ln(1 - rate): 0 where every gene is mutated, -infinity where none is. */
DEVICE double rsie_inverse_gap(double rate)
{
	if (!(rate > 0)) return -INFINITY;
	if (rate >= 1) return 0;
	double u = 1 - rate; /* ln(1 - rate) by W. Kahan: the rounding of u cancels */
	return 1 / (u == 1 ? -rate : rsie_log64(u) * (-rate / (u - 1)));
}

/* Genes that the first lot should find: the expected number and three deviations. */
DEVICE int rsie_lot_of(int n, double inverse)
{
	double expected = n / -inverse;
	int lot = expected < LOT ? (int)(expected + 3 * sqrt(expected)) + 8 : LOT;
	lot = (lot + LOT_STEP - 1) / LOT_STEP * LOT_STEP;
	return lot < LOT ? lot : LOT;
}

/* Writes the gaps k, k+1, ... of a child to gap, at most n each. */
DEVICE void rsie_gaps(int32_t *RESTRICT gap, int lot, rsie_address a, uint32_t k, int n, double inverse)
{
	SHARED uint32_t word[LOT];
	EACH(b, 0, lot / 4) {
		rsie_quad q = rsie_words(a, k / 4 + (uint32_t)b, STREAM_MUTATE_MASK);
		for (int e = 0; e < 4; e++) word[4 * b + e] = q.w[e];
	}
	SYNC;
	EACH(i, 0, lot) {
		double g = rsie_log64(rsie_uniform64(word[i])) * inverse;
		gap[i] = (int32_t)(g < n ? g : n);
	}
	SYNC;
}

/* Turns gaps into genes from at on: gene i becomes at + i + the gaps up to i. Returns how many lie
 * below n and moves at behind the last of a full lot. */
DEVICE int rsie_places(int32_t *gene, int lot, int *at, int n)
{
#if defined(__CUDACC__) || defined(RSIE_EMULATED)
	__shared__ int64_t sum[2][LANES];
	int l = (int)threadIdx.x, side = 0, count = 0;
	int64_t start = *at;
	for (int from = 0; from < lot; from += LANES) {
		sum[0][l] = from + l < lot ? (int64_t)gene[from + l] + 1 : 0;
		side = 0;
		for (int width = 1; width < LANES; width *= 2) {
			SYNC;
			sum[1 - side][l] = sum[side][l] + (l >= width ? sum[side][l - width] : 0);
			side = 1 - side;
		}
		SYNC;
		int64_t place = start + sum[side][l] - 1;
		if (from + l < lot) gene[from + l] = (int32_t)(place < n ? place : n);
		start += sum[side][LANES - 1];
		SYNC;
	}
	for (int low = 0, high = lot;; ) { /* the places rise */
		if (low == high) {
			count = low;
			break;
		}
		int middle = (low + high) / 2;
		if (gene[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	*at = (int)(start < n ? start : n);
	SYNC;
	return count;
#else
	int64_t place = *at;
	int i = 0;
	for (; i < lot; i++) {
		place += gene[i];
		if (place >= n) break;
		gene[i] = (int32_t)place++;
	}
	*at = (int)(place < n ? place : n);
	return i;
#endif
}
#endif
