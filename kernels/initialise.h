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

/* Multiplies the weights of a starting draw by start_hidden, those of the last layer by
 * start_output; points of a box move to its middle part. */
DEVICE void rsie_rescale(const rsie_call *c, float *x, const rsie_run *t)
{
	if (c->bounded) {
		float middle = c->lower + (c->upper - c->lower) / 2, share = (float)t->start_share;
		if (share != 1.0f) EACH(j, 0, c->dim) x[j] = fmaf(share, x[j] - middle, middle);
		SYNC;
		return;
	}
	for (int k = 0; k < c->block_count && c->last_layer > 0; k++) {
		const rsie_block *b = &c->blocks[k];
		float factor = (float)(b->layer == c->last_layer ? t->start_output : t->start_hidden);
		if (factor == 1.0f) continue;
		EACH(j, b->offset, b->offset + b->rows * b->cols) x[j] = x[j] * factor;
	}
	SYNC;
}

/* Clears the vectors, the memory and the history of run r. */
DEVICE void rsie_reset(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), *v = rsie_vector(c, r, 0);
	EACH(j, 0, VEC_COUNT * c->stride) v[j] = 0;
	EACH(k, 0, MEM_COUNT) m[k] = k == MEM_STEP ? 1.0f : k == MEM_BEST ? RSIE_WORST : 0.0f;
	if (c->history) {
		int learns = t->mutation == MUTATE_DIFFERENTIAL;
		float strength = learns ? (float)t->strength : 1.0f, rate = learns ? (float)t->rate : 0.0f;
		float *history = c->history + (int64_t)r * 2 * MAX_HISTORY;
		EACH(k, 0, MAX_HISTORY) {
			history[k] = strength;
			history[MAX_HISTORY + k] = rate;
		}
	}
	SYNC;
}

/* Writes the fixed factors on the steps: fan_in(layer)^(-layer_exponent/2), of the last of several
 * layers times output_step. */
DEVICE void rsie_layer_steps(const rsie_call *c, float *to, const rsie_run *t)
{
	for (int k = 0; k < c->block_count; k++) {
		const rsie_block *b = &c->blocks[k];
		int fan_in = b->rows;
		for (int l = 0; l < c->block_count; l++)
			if (c->blocks[l].layer == b->layer && c->blocks[l].rows > fan_in) fan_in = c->blocks[l].rows;
		double v = rsie_pow64((double)fan_in, -t->layer_exponent / 2);
		if (b->layer == c->last_layer && c->last_layer > 0) v = v * t->output_step;
		float step = (float)v;
		EACH(j, b->offset, b->offset + b->rows * b->cols) to[j] = step;
	}
}

/* The two matrices of a run, and the roots of the eigenvalues: see rsie.State. */
DEVICE float *rsie_first(const rsie_call *c, const rsie_run *t)
{
	int64_t n = c->dim;
	return c->matrices + (int64_t)t->slot * (2 * n * n + n);
}
DEVICE float *rsie_second(const rsie_call *c, const rsie_run *t) { return rsie_first(c, t) + (int64_t)c->dim * c->dim; }
DEVICE float *rsie_roots(const rsie_call *c, const rsie_run *t) { return rsie_first(c, t) + 2 * (int64_t)c->dim * c->dim; }

/* Makes the full covariance of a run the identity. */
DEVICE void rsie_uncorrelated(const rsie_call *c, const rsie_run *t)
{
	float *a = rsie_first(c, t), *b = rsie_second(c, t), *roots = rsie_roots(c, t);
	for (int k = 0; k < c->dim; k++)
		EACH(j, 0, c->dim) {
			float v = j == k ? 1.0f : 0.0f;
			a[(int64_t)k * c->dim + j] = v;
			b[(int64_t)k * c->dim + j] = v;
		}
	EACH(j, 0, c->dim) roots[j] = 1;
}

/* Puts a distribution run at its start. */
DEVICE void rsie_begin(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), *mean = rsie_vector(c, r, VEC_MEAN), *scale = rsie_vector(c, r, VEC_SCALE);
	const float *best = rsie_vector(c, r, VEC_BEST);
	int from_best = (t->flags & FLAG_FROM_BEST) != 0;
	if (from_best) {
		EACH(j, 0, c->dim) mean[j] = best[j];
		SYNC;
	} else {
		rsie_draw(c, mean, rsie_address_of(t, 0), STREAM_INITIALISE);
		rsie_rescale(c, mean, t);
	}
	float *before = rsie_vector(c, r, VEC_BEFORE), *first = rsie_vector(c, r, VEC_MOMENT1);
	float *second = rsie_vector(c, r, VEC_MOMENT2), *step_path = rsie_vector(c, r, VEC_STEP_PATH);
	float *path = rsie_vector(c, r, VEC_PATH);
	EACH(j, 0, c->dim) {
		before[j] = mean[j];
		scale[j] = 1;
		first[j] = second[j] = step_path[j] = path[j] = 0;
	}
	SYNC;
	if (t->scales == SCALES_FAST_NES) {
		float root = sqrtf((float)c->dim);
		rsie_normals(second, c->dim, rsie_address_of(t, 0), STREAM_PATH);
		EACH(j, 0, c->dim) second[j] = second[j] / root;
	}
	rsie_layer_steps(c, rsie_vector(c, r, VEC_LAYER), t);
	if (rsie_correlates(t)) rsie_uncorrelated(c, t);
	ONCE {
		if (!from_best) m[MEM_ARCHIVE] = 0;
		m[MEM_SIGMA] = 1;
		m[MEM_MEDIAN] = RSIE_WORST;
		m[MEM_UPDATES] = 0;
	}
}

KERNEL void initialise_rows(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	if (s.from == 0 && t->generation == 0) rsie_reset(c, s.run);
	if (t->family == FAMILY_POPULATION)
		for (int i = s.from; i < s.to; i++) rsie_fresh(c, t, i, STREAM_INITIALISE);
	else if (t->family == FAMILY_DISTRIBUTION)
		rsie_begin(c, s.run);
}
#endif
