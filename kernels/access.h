/* Where things stand in a call. */
#ifndef RSIE_ACCESS_H
#define RSIE_ACCESS_H

#include "abi.h"
#include "rsie_math.h"

DEVICE int rsie_active(const rsie_run *t) { return (t->flags & FLAG_ACTIVE) != 0; }
DEVICE int rsie_distributes(const rsie_run *t) { return rsie_active(t) && t->family == FAMILY_DISTRIBUTION; }
DEVICE int rsie_correlates(const rsie_run *t)
{
	return t->covariance == COV_FULL || t->covariance == COV_EXPONENTIAL;
}

DEVICE rsie_address rsie_address_of(const rsie_run *t, int member)
{
	rsie_address a = {(uint32_t)t->seed, (uint32_t)(t->seed >> 32), (uint32_t)member, t->generation, t->index};
	return a;
}

DEVICE float *rsie_memory(const rsie_call *c, int r) { return c->memory + (int64_t)r * MEM_COUNT; }
DEVICE float *rsie_vector(const rsie_call *c, int r, int which)
{
	return c->vectors + ((int64_t)r * VEC_COUNT + which) * c->stride;
}
/* Member m of all runs; dim values, the padding stays 0. */
DEVICE float *rsie_point(const rsie_call *c, const rsie_side *s, int64_t m) { return s->points + m * c->stride; }
DEVICE float *rsie_scratch(const rsie_call *c, float *per_run, int r) { return per_run + (int64_t)r * c->stride; }
/* One of four vectors of noise of a worker. */
DEVICE float *rsie_noise(const rsie_call *c, int worker, int k)
{
	return c->noise + ((int64_t)worker * 4 + k) * c->stride;
}
DEVICE uint32_t *rsie_valid(const rsie_call *c, const rsie_side *s, int64_t m)
{
	return c->factors ? s->factored + m * c->block_count : (uint32_t *)0;
}
/* The step size of run r with the control's factor. */
DEVICE float rsie_sigma(const rsie_call *c, int r)
{
	return (float)c->runs[r].sigma * rsie_memory(c, r)[MEM_SIGMA];
}

/* Marks the factors of member m of a side as missing. */
DEVICE void rsie_unfactor(const rsie_call *c, const rsie_side *s, int64_t m)
{
	if (c->factors) EACH(b, 0, c->block_count) rsie_valid(c, s, m)[b] = 0;
}

/* Moves a point to the box that points have to stay in; NaN stays NaN. */
DEVICE void rsie_clip(const rsie_call *c, float *x)
{
	float lower = c->lower, upper = c->upper;
	if (c->closed) EACH(j, 0, c->dim) {
		float v = x[j] < lower ? lower : x[j];
		x[j] = v > upper ? upper : v;
	}
	SYNC;
}
#endif
