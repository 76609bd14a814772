/* rank writes Next.Order of every run: member numbers by rising fitness, equal fitness by number,
 * NaN last; the twin is rank.go of package cpu. The order is total, so every way to sort gives it. */
#ifndef RSIE_RANK_H
#define RSIE_RANK_H

#include "access.h"

#if defined(__CUDACC__) || defined(RSIE_EMULATED)

/* Writes the numbers 0 to n-1 to dst, sorted by f: each lane counts who stands before its members. */
DEVICE void rsie_order(const rsie_call *c, uint32_t *dst, const float *f, int64_t first, int n)
{
	uint32_t *key = (uint32_t *)(c->lottery + first);
	EACH(i, 0, n) key[i] = rsie_orderable(f[i]);
	SYNC;
	EACH(i, 0, n) {
		uint32_t own = key[i], place = 0;
		for (int j = 0; j < n; j++) place += key[j] < own || (key[j] == own && j < i);
		dst[place] = (uint32_t)i;
	}
	SYNC;
}

#else

#define COUNTED 256 /* members that counting sorts sooner than radix sort: 4 us either way */
#define COUNT_WIDTH 16

typedef uint32_t rsie_keys __attribute__((vector_size(4 * COUNT_WIDTH), aligned(4)));

/* Sorts up to COUNTED members: a block of them counts who stands before each. */
static void rsie_count(uint32_t *dst, const float *f, int n)
{
	uint32_t key[COUNTED + COUNT_WIDTH], place[COUNTED + COUNT_WIDTH];
	for (int i = 0; i < n; i++) key[i] = rsie_orderable(f[i]);
	for (int i = n; i < n + COUNT_WIDTH; i++) key[i] = 0;
	for (int from = 0; from < n; from += COUNT_WIDTH) {
		int to = from + COUNT_WIDTH < n ? from + COUNT_WIDTH : n;
		rsie_keys own = *(rsie_keys *)(key + from), count = {0};
		for (int j = 0; j < from; j++) count -= (rsie_keys)(own >= key[j]);
		for (int j = from; j < n; j++) count -= (rsie_keys)(own > key[j]);
		*(rsie_keys *)(place + from) = count;
		for (int i = from; i < to; i++)
			for (int j = from; j < i; j++) place[i] += key[i] == key[j];
	}
	for (int i = 0; i < n; i++) dst[place[i]] = (uint32_t)i;
}

#define DIGIT 11
#define DIGITS (1 << DIGIT)

/* Sorts by three digits, lowest first; a and b hold n items. */
static void rsie_radix(uint32_t *dst, const float *f, int n, uint64_t *a, uint64_t *b)
{
	uint32_t start[3][DIGITS];
	for (int p = 0; p < 3; p++)
		for (int d = 0; d < DIGITS; d++) start[p][d] = 0;
	for (int i = 0; i < n; i++) {
		uint32_t key = rsie_orderable(f[i]);
		a[i] = (uint64_t)key << 32 | (uint32_t)i;
		start[0][key & (DIGITS - 1)]++;
		start[1][key >> DIGIT & (DIGITS - 1)]++;
		start[2][key >> 2 * DIGIT]++;
	}
	for (int p = 0; p < 3; p++) {
		uint32_t sum = 0;
		for (int d = 0; d < DIGITS; d++) {
			uint32_t count = start[p][d];
			start[p][d] = sum;
			sum += count;
		}
		for (int i = 0; i < n; i++) b[start[p][a[i] >> (32 + DIGIT * p) & (DIGITS - 1)]++] = a[i];
		uint64_t *other = a;
		a = b;
		b = other;
	}
	for (int i = 0; i < n; i++) dst[i] = (uint32_t)a[i];
}

/* Writes the numbers 0 to n-1 to dst, sorted by f. */
DEVICE void rsie_order(const rsie_call *c, uint32_t *dst, const float *f, int64_t first, int n)
{
	if (n <= COUNTED)
		rsie_count(dst, f, n);
	else
		rsie_radix(dst, f, n, c->lottery + first, c->near + first);
}

#endif

KERNEL void rank_run(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	rsie_order(c, c->next.order + t->offset, c->next.fitness + t->offset, t->offset, (int)t->members);
}
#endif
