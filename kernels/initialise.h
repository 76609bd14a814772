/* initialise starts, or starts again, the runs with FLAG_BEGIN: see rsie.OpInitialise; the twin
 * is initialise.go of package cpu. */
#ifndef RSIE_INITIALISE_H
#define RSIE_INITIALISE_H

#include "access.h"

/* Fills x with one starting point. */
DEVICE void rsie_draw(const rsie_call *c, float *x, rsie_address a, uint32_t stream)
{
	if (c->bounded) {
		rsie_uniforms(x, c->dim, a, stream, c->lower, c->upper);
		return;
	}
	rsie_normals(x, c->dim, a, stream);
	for (int k = 0; k < c->block_count; k++) {
		const rsie_block *b = &c->blocks[k];
		EACH(j, b->offset, b->offset + b->rows * b->cols) x[j] = x[j] * b->std;
	}
	SYNC;
}

/* Makes row i of Next a starting draw without parents. */
DEVICE void rsie_fresh(const rsie_call *c, const rsie_run *t, int i, uint32_t stream)
{
	int64_t m = (int64_t)t->offset + i;
	rsie_draw(c, rsie_point(c, &c->next, m), rsie_address_of(t, i), stream);
	ONCE {
		c->next.parent[m] = (uint32_t)i;
		if (c->next.strengths) {
			c->next.strengths[m] = 1;
			c->next.rates[m] = 0;
		}
	}
	rsie_unfactor(c, &c->next, m);
}

KERNEL void initialise_rows(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	if (t->family == FAMILY_POPULATION)
		for (int i = s.from; i < s.to; i++) rsie_fresh(c, t, i, STREAM_INITIALISE);
}
#endif
