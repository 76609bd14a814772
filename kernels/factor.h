/* factor computes the factors of every matrix of svd-mutation runs that has none: see
 * rsie.OpFactor; the twin is factor.go of package cpu. A CPU with vectors takes VLEN members at a time;
 * on a GPU a thread takes one. */
#ifndef RSIE_FACTOR_H
#define RSIE_FACTOR_H

#include "scale.h"

#define FACTOR_ROWS 16 /* members of a span */

#ifdef RSIE_SIMD

/* Block i of the members [from, to); its factors stand at f of a member's. */
static void rsie_factor_rows(const rsie_call *c, int worker, const rsie_oblong *d, int i, int64_t f, int64_t from, int64_t to)
{
	float *room = c->interleaved + worker * c->interleaved_len, *factors[VLEN];
	const float *x[VLEN];
	int count = 0;
	for (int64_t m = from; m < to; m++) {
		uint32_t *valid = rsie_valid(c, &c->next, m) + i;
		if (!*valid) {
			x[count] = rsie_point(c, &c->next, m) + c->blocks[i].offset;
			factors[count++] = c->next.factors + m * c->factors + f;
			*valid = 1;
		}
		if (count == 0 || (count < VLEN && m + 1 < to)) continue;
		if (count == 1) rsie_decompose_one(d, factors[0], x[0]);
		else rsie_decompose_some(d, factors, x, count, room);
		count = 0;
	}
}

#else

DEVICE void rsie_factor_rows(const rsie_call *c, int worker, const rsie_oblong *d, int i, int64_t f, int64_t from, int64_t to)
{
	(void)worker;
	EACH(l, 0, (int)(to - from)) {
		int64_t m = from + l;
		uint32_t *valid = rsie_valid(c, &c->next, m) + i;
		if (!*valid) {
			rsie_decompose_one(d, c->next.factors + m * c->factors + f, rsie_point(c, &c->next, m) + c->blocks[i].offset);
			*valid = 1;
		}
	}
}

#endif

KERNEL void factor_members(const rsie_call *c, int worker, rsie_span s)
{
	int64_t first = c->runs[s.run].offset, f = 0;
	for (int i = 0; i < c->block_count; i++) {
		const rsie_block *b = &c->blocks[i];
		int n = rsie_factor_size(b);
		if (n == 0) continue;
		rsie_oblong d = rsie_oblong_of(b->rows, b->cols);
		rsie_factor_rows(c, worker, &d, i, f, first + s.from, first + s.to);
		f += n;
	}
}
#endif
