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
#include "words.h"

#define GENES_LOT 256      /* mutated genes that are found together */
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
	int lot = expected < GENES_LOT ? (int)(expected + 3 * sqrt(expected)) + 8 : GENES_LOT;
	lot = (lot + LOT_STEP - 1) / LOT_STEP * LOT_STEP;
	return lot < GENES_LOT ? lot : GENES_LOT;
}

/* A lot by element of its block of words: element 4b + e stands at [e][b], so that a loop over
 * blocks reads and writes whole vectors. */
typedef struct {
	uint32_t word[4][GENES_LOT / 4];
	int32_t step[4][GENES_LOT / 4]; /* from one mutated gene to the next, the first from one before the start */
	float z[4][GENES_LOT / 4];
} rsie_lot;

/* Fills the first blocks of a lot with words from block on. */
DEVICE void rsie_lot_words(rsie_lot *RESTRICT l, int blocks, rsie_address a, uint32_t block, uint32_t stream)
{
	rsie_block_words(l->word[0], l->word[1], l->word[2], l->word[3], blocks, a, stream, block);
}

/* 1 + the gap of a word, at most 1 + n. */
DEVICE int32_t rsie_step(uint32_t w, double inverse, double n)
{
	double g = rsie_log64(rsie_uniform64(w)) * inverse;
	return (int32_t)(g < n ? g : n) + 1;
}

/* The quotient as a float. Its error is below GAP_ERROR of it: ln u has 0.9 ulp and 1.5 more where u
 * was rounded, inverse and the product have half of one each, all that is doubled. */
#define GAP_ERROR 0x1p-20f
DEVICE float rsie_rough_gap(uint32_t w, float inverse)
{
	uint32_t high = rsie_bits(rsie_uniform(w)) - 0x3f3504f3u;
	float e = (float)((int32_t)high >> 23), f = rsie_float((high & 0x7fffffu) + 0x3f3504f3u) - 1.0f;
	float below = rsie_uniform(~w);
	return rsie_log_of(e, e == 0.0f ? -below : f) * inverse;
}

/* Turns words into steps. A float decides where it is not within its error of a whole number;
 * otherwise a double does, on a CPU for the whole lot. */
DEVICE void rsie_lot_steps(rsie_lot *RESTRICT l, int blocks, int n, double inverse)
{
	float rough = (float)inverse, most = (float)n + 1.5f; /* as far from a whole number as can be */
	uint32_t unsure = 0;
	for (int e = 0; e < 4; e++)
		EACH(b, 0, blocks) {
			uint32_t w = l->word[e][b];
			float g = rsie_rough_gap(w, rough), error = g * GAP_ERROR;
			g = g < most ? g : most;
			int32_t gap = (int32_t)g;
			float part = g - (float)gap;
			uint32_t near = rsie_bits(0.5f - fabsf(part - 0.5f) - error) >> 31;
			gap = gap < n ? gap : n;
			l->step[e][b] = gap + 1;
#if defined(__CUDACC__) || defined(RSIE_EMULATED)
			if (near) l->step[e][b] = rsie_step(w, inverse, n);
#else
			unsure |= near;
#endif
		}
	if (unsure)
		for (int e = 0; e < 4; e++)
			EACH(b, 0, blocks) l->step[e][b] = rsie_step(l->word[e][b], inverse, n);
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

/* Turns steps into genes from at on: gene i is at - 1 and the steps up to i. Returns how many lie below
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
		sum[0][lane] = i < lot ? (int64_t)l->step[i & 3][i >> 2] : 0;
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
	int64_t place = (int64_t)*at - 1;
	int b = 0, count = lot;
	for (; b < lot / 4 && place < n; b++) {
		int32_t *out = gene + 4 * b;
		out[0] = (int32_t)(place += l->step[0][b]);
		out[1] = (int32_t)(place += l->step[1][b]);
		out[2] = (int32_t)(place += l->step[2][b]);
		out[3] = (int32_t)(place += l->step[3][b]);
	}
	if (place >= n)
		for (count = 4 * b; count > 0 && gene[count - 1] >= n;) count--;
	*at = (int)(place < n ? place + 1 : n);
	return count;
#endif
}
#endif
