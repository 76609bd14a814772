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

/* A lot by element of its block of words: element 4b + e stands at [e][b], so that a loop over
 * blocks reads and writes whole vectors. */
typedef union {
	uint32_t word[4][LOT / 4];
	int32_t gap[4][LOT / 4];
	float z[4][LOT / 4];
} rsie_lot;

/* Fills the first blocks of a lot with words from block on. */
DEVICE void rsie_lot_words(rsie_lot *RESTRICT l, int blocks, rsie_address a, uint32_t block, uint32_t stream)
{
	EACH(b, 0, blocks) {
		rsie_quad q = rsie_words(a, block + (uint32_t)b, stream);
		l->word[0][b] = q.w[0];
		l->word[1][b] = q.w[1];
		l->word[2][b] = q.w[2];
		l->word[3][b] = q.w[3];
	}
}

/* Turns words into gaps of at most n each. */
DEVICE void rsie_lot_gaps(rsie_lot *RESTRICT l, int blocks, int n, double inverse)
{
	double most = n;
	for (int e = 0; e < 4; e++)
		EACH(b, 0, blocks) {
			double g = rsie_log64(rsie_uniform64(l->word[e][b])) * inverse;
			l->gap[e][b] = (int32_t)(g < most ? g : most);
		}
	SYNC;
}

/* Turns words into normals. */
DEVICE void rsie_lot_normals(rsie_lot *RESTRICT l, int blocks)
{
	EACH(b, 0, blocks) {
		rsie_quad q = {{l->word[0][b], l->word[1][b], l->word[2][b], l->word[3][b]}};
		float z[4];
		rsie_gauss(q, z);
		l->z[0][b] = z[0];
		l->z[1][b] = z[1];
		l->z[2][b] = z[2];
		l->z[3][b] = z[3];
	}
	SYNC;
}

/* Turns gaps into genes from at on: gene i is at + i + the gaps up to i. Returns how many lie below
 * n, in rising order, and moves at behind the last of a full lot. */
DEVICE int rsie_places(int32_t *gene, const rsie_lot *l, int lot, int *at, int n)
{
#if defined(__CUDACC__) || defined(RSIE_EMULATED)
	__shared__ int64_t sum[2][LANES];
	int lane = (int)threadIdx.x, side = 0;
	int64_t start = *at;
	for (int from = 0; from < lot; from += LANES) {
		int i = from + lane;
		side = 0;
		sum[0][lane] = i < lot ? (int64_t)l->gap[i & 3][i >> 2] + 1 : 0;
		for (int width = 1; width < LANES; width *= 2) {
			SYNC;
			sum[1 - side][lane] = sum[side][lane] + (lane >= width ? sum[side][lane - width] : 0);
			side = 1 - side;
		}
		SYNC;
		int64_t place = start + sum[side][lane] - 1;
		if (i < lot) gene[i] = (int32_t)(place < n ? place : n);
		start += sum[side][LANES - 1];
		SYNC;
	}
	int low = 0, high = lot;
	while (low < high) { /* the places rise */
		int middle = (low + high) / 2;
		if (gene[middle] < n)
			low = middle + 1;
		else
			high = middle;
	}
	*at = (int)(start < n ? start : n);
	return low;
#else
	int64_t place = *at;
	int i = 0;
	for (; i < lot; i++) {
		place += l->gap[i & 3][i >> 2];
		if (place >= n) break;
		gene[i] = (int32_t)place++;
	}
	*at = (int)(place < n ? place : n);
	return i;
#endif
}
#endif
