/* The limited-memory matrix of LM-MA-ES; the twin, with formulas and source, is limited.go of
 * package cpu. */
#ifndef RSIE_LIMITED_H
#define RSIE_LIMITED_H

#include "access.h"

DEVICE int rsie_limits(const rsie_run *t) { return t->covariance == COV_LIMITED; }

/* M_i of a run. */
DEVICE float *rsie_remembered(const rsie_call *c, const rsie_run *t, int i)
{
	return c->archive + (int64_t)(t->archive_at + t->archive + (uint32_t)i) * c->stride;
}

/* How many of them act after a number of updates. */
DEVICE int rsie_transforms(const rsie_call *c, float updates)
{
	return updates < (float)c->limited ? (int)updates : (int)c->limited;
}

/* c_i. */
DEVICE float rsie_limited_rate(const rsie_run *t, int i)
{
	double rate = t->cov_rank_mu / rsie_pow64(1.5, i);
	return (float)(rate < 0.5 ? rate : 0.5);
}

/* Clears the vectors of a run at its start. */
DEVICE void rsie_forget(const rsie_call *c, const rsie_run *t)
{
	for (int i = 0; i < (int)c->limited; i++) {
		float *m = rsie_remembered(c, t, i);
		EACH(j, 0, c->dim) m[j] = 0;
	}
	SYNC;
}

/* Replaces z by T z. */
DEVICE void rsie_stretch(const rsie_call *c, float *z, int r)
{
	const rsie_run *t = &c->runs[r];
	int k = rsie_transforms(c, rsie_memory(c, r)[MEM_UPDATES]);
	for (int i = 0; i < k; i++) {
		const float *m = rsie_remembered(c, t, i);
		float rate = rsie_limited_rate(t, i), along;
		SUM(along, j, 0, c->dim, acc, fmaf(m[j], z[j], acc));
		along = rate * along;
		EACH(j, 0, c->dim) z[j] = fmaf(along, m[j], (1.0f - rate) * z[j]);
		SYNC;
	}
}

/* Writes the gradient in uncorrelated coordinates to scratch, after the updates have been counted. */
DEVICE void rsie_relax_gradient(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *g = rsie_scratch(c, c->gradient, r);
	float *out = rsie_scratch(c, c->white, r);
	EACH(j, 0, c->dim) out[j] = g[j];
	SYNC;
	for (int i = rsie_transforms(c, rsie_memory(c, r)[MEM_UPDATES] - 1.0f) - 1; i >= 0; i--) {
		const float *m = rsie_remembered(c, t, i);
		float rate = rsie_limited_rate(t, i), along, length;
		SUM(along, j, 0, c->dim, acc, fmaf(m[j], out[j], acc));
		SUM(length, j, 0, c->dim, acc, fmaf(m[j], m[j], acc));
		along = rate * along / ((1.0f - rate) + rate * length);
		EACH(j, 0, c->dim) out[j] = (out[j] - along * m[j]) / (1.0f - rate);
		SYNC;
	}
}

/* Moves every M_i towards the gradient of rsie_relax_gradient. */
DEVICE void rsie_remember(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *v = rsie_scratch(c, c->white, r);
	for (int i = 0; i < (int)c->limited; i++) {
		double rate = t->cov_rank_one / rsie_pow64(4, i);
		rate = rate < 1 ? rate : 1;
		float keep = (float)(1 - rate), push = (float)sqrt(t->mu_eff * rate * (2 - rate)), *m = rsie_remembered(c, t, i);
		EACH(j, 0, c->dim) m[j] = fmaf(push, v[j], keep * m[j]);
	}
	SYNC;
}
#endif
