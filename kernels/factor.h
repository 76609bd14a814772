/* factor computes the factors of every matrix of svd-mutation runs that has none: see
 * rsie.OpFactor; the twin is factor.go of package cpu. */
#ifndef RSIE_FACTOR_H
#define RSIE_FACTOR_H

#include "scale.h"

KERNEL void factor_members(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	int64_t m = (int64_t)c->runs[s.run].offset + s.from;
	float *f = c->next.factors + m * c->factors;
	const float *x = rsie_point(c, &c->next, m);
	uint32_t *valid = rsie_valid(c, &c->next, m);
	for (int i = 0; i < c->block_count; i++) {
		const rsie_block *b = &c->blocks[i];
		int n = rsie_factor_size(b);
		if (n > 0 && !valid[i]) {
			ONCE rsie_decompose_once(f, x + b->offset, b->rows, b->cols);
			SYNC;
			ONCE valid[i] = 1;
		}
		f += n;
	}
}
#endif
