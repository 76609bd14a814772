/* sample draws the members of distribution and random runs: see rsie.OpSample and sample.go of
 * package cpu, the twin. */
#ifndef RSIE_SAMPLE_H
#define RSIE_SAMPLE_H

#include "covariance.h"
#include "initialise.h"
#include "noise.h"

/* Parameters of a piece of noise that goes to its members at once: in the first cache. */
#define PIECE 2048

/* Writes the steps of a run, and their inverses, to scratch, for the columns of the span. */
KERNEL void set_steps(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	float sigma = rsie_sigma(c, s.run);
	const float *layer = rsie_vector(c, s.run, VEC_LAYER), *scale = rsie_vector(c, s.run, VEC_SCALE);
	float *steps = rsie_scratch(c, c->steps, s.run), *inverse = rsie_scratch(c, c->inverse, s.run);
	EACH(j, s.from, s.to) {
		float v = sigma * layer[j] * scale[j];
		steps[j] = v;
		inverse[j] = 1.0f / v;
	}
}

/* Row k of the samples of a block under orthogonal sampling. */
DEVICE float *rsie_sample_row(const rsie_call *c, const rsie_run *t, int k)
{
	if (t->flags & FLAG_MIRRORED) k *= 2;
	return rsie_point(c, &c->next, (int64_t)t->offset + t->eval_from + k);
}

/* Writes the noise of a block of up to D samples, at right angles, to their rows. */
KERNEL void orthogonalise(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	int pairs = (t->flags & FLAG_MIRRORED) != 0, count = rsie_samples_of(t);
	int first = s.from * c->dim, last = count < first + c->dim ? count : first + c->dim;
	for (int k = first; k < last; k++) {
		float *y = rsie_sample_row(c, t, k);
		rsie_normals(y, c->dim, rsie_address_of(t, pairs ? k : k + (int)t->eval_from), STREAM_SAMPLE);
		float length = rsie_squared(c, y);
		for (int l = first; l < k; l++) {
			const float *other = rsie_sample_row(c, t, l);
			float product;
			SUM(product, j, 0, c->dim, acc, fmaf(other[j], y[j], acc));
			product = product / rsie_squared(c, other);
			EACH(j, 0, c->dim) y[j] = fmaf(-product, other[j], y[j]);
			SYNC;
		}
		float rest = rsie_squared(c, y);
		float factor = rest > 0.0f ? sqrtf(length / rest) : 1.0f;
		EACH(j, 0, c->dim) y[j] = y[j] * factor;
		SYNC;
	}
	for (int k = first; k < last && pairs; k++) {
		const float *y = rsie_sample_row(c, t, k);
		float *twin = rsie_sample_row(c, t, k) + c->stride;
		if (t->eval_from + 2 * (uint32_t)k + 1 < t->eval_to) EACH(j, 0, c->dim) twin[j] = y[j];
	}
}

/* Makes row i a child of the archive, or returns 0: see fromParents of the twin. */
DEVICE int rsie_from_parents(const rsie_call *c, float *x, float *z, int r, int i)
{
	const rsie_run *t = &c->runs[r];
	if (t->archive == 0) return 0;
	uint32_t used = (uint32_t)rsie_memory(c, r)[MEM_ARCHIVE];
	if (used > t->archive) used = t->archive;
	if (used == 0) return 0;
	rsie_address a = rsie_address_of(t, i);
	rsie_quad w = rsie_words(a, 0, STREAM_CROSS);
	if (w.w[0] >> 8 >= rsie_limit(t->parent_share)) return 0;
	const float *one = c->archive + (int64_t)(t->archive_at + rsie_below(w.w[1], used)) * c->stride;
	const float *two = c->archive + (int64_t)(t->archive_at + rsie_below(w.w[2], used)) * c->stride;
	const float *steps = rsie_scratch(c, c->steps, r);
	float step = (float)t->parent_step;
	int cross = w.w[3] >> 8 < rsie_limit(t->parent_cross);
	rsie_normals(z, c->dim, a, STREAM_MUTATE);
	EACH(b, 0, (c->dim + 3) / 4) {
		rsie_quad gene = {{0, 0, 0, 0}};
		if (cross) gene = rsie_words(a, (uint32_t)b + 1, STREAM_CROSS);
		for (int k = 0; k < 4; k++) {
			int j = 4 * b + k;
			if (j < c->dim) x[j] = fmaf(step * steps[j], z[j], gene.w[k] >> 31 ? two[j] : one[j]);
		}
	}
	SYNC;
	return 1;
}

/* Writes what a row of samples has besides its point. */
DEVICE void rsie_sampled(const rsie_call *c, int64_t m, int i)
{
	ONCE c->next.parent[m] = (uint32_t)i;
	rsie_unfactor(c, &c->next, m);
}

/* x[j] = mean[j] + sign step[j] z[j] for j in [from, to); z starts at from. */
DEVICE void rsie_place(const rsie_call *c, float *RESTRICT x, const float *RESTRICT mean, const float *RESTRICT steps,
	const float *RESTRICT z, float sign, int from, int to)
{
	float lower = c->lower, upper = c->upper;
	if (c->closed)
		EACH(j, from, to) {
			float v = fmaf(sign * steps[j], z[j - from], mean[j]);
			v = v < lower ? lower : v;
			x[j] = v > upper ? upper : v;
		}
	else
		EACH(j, from, to) x[j] = fmaf(sign * steps[j], z[j - from], mean[j]);
}

/* Rows of independent normals, piece by piece: both rows of a pair take a piece from the cache. */
DEVICE void rsie_sample_plain(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	const float *mean = rsie_vector(c, s.run, VEC_MEAN), *steps = rsie_scratch(c, c->steps, s.run);
	float *z = rsie_noise(c, worker, 0);
	int mirrored = (t->flags & FLAG_MIRRORED) != 0;
	for (int i = s.from; i < s.to; i += 1 + mirrored) {
		int64_t m = (int64_t)t->offset + i;
		int number = mirrored ? (i - (int)t->eval_from) / 2 : i, pair = mirrored && i + 1 < s.to;
		rsie_address a = rsie_address_of(t, number);
		for (int from = 0; from < c->dim; from += PIECE) {
			int to = from + PIECE < c->dim ? from + PIECE : c->dim;
			rsie_normals_from(z, from / 4, to - from, a, STREAM_SAMPLE);
			rsie_place(c, rsie_point(c, &c->next, m), mean, steps, z, 1.0f, from, to);
			if (pair) rsie_place(c, rsie_point(c, &c->next, m + 1), mean, steps, z, -1.0f, from, to);
			SYNC;
		}
		rsie_sampled(c, m, i);
		if (pair) rsie_sampled(c, m + 1, i + 1);
	}
}

/* Rows of noise of any kind. */
DEVICE void rsie_sample_any(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	const float *mean = rsie_vector(c, s.run, VEC_MEAN), *steps = rsie_scratch(c, c->steps, s.run);
	float *z = rsie_noise(c, worker, 0), *f = rsie_noise(c, worker, 1), *y = rsie_correlates(t) ? f : z;
	int drawn = -1;
	for (int i = s.from; i < s.to; i++) {
		int number = i;
		float sign = 1.0f;
		if (t->flags & FLAG_MIRRORED) {
			int k = i - (int)t->eval_from;
			number = k / 2;
			sign = k & 1 ? -1.0f : 1.0f;
		}
		int64_t m = (int64_t)t->offset + i;
		float *x = rsie_point(c, &c->next, m);
		if (t->sampling == SAMPLE_ORTHOGONAL) {
			SYNC;
			EACH(j, 0, c->dim) z[j] = x[j];
			SYNC;
			drawn = -1;
		}
		if (rsie_from_parents(c, x, z, s.run, i)) {
			drawn = -1;
			rsie_clip(c, x);
		} else {
			if (number != drawn) {
				rsie_noise_of(c, z, f, s.run, number);
				if (rsie_correlates(t)) rsie_correlate(c, y, z, t);
				drawn = number;
			}
			rsie_place(c, x, mean, steps, y, sign, 0, c->dim);
			SYNC;
		}
		rsie_sampled(c, m, i);
	}
}

KERNEL void sample_rows(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	if (t->family == FAMILY_RANDOM || t->flags & FLAG_DRAWS) {
		for (int i = s.from; i < s.to; i++) {
			rsie_fresh(c, t, i, STREAM_INITIALISE);
			if (t->family == FAMILY_DISTRIBUTION) rsie_rescale(c, rsie_point(c, &c->next, (int64_t)t->offset + i), t);
		}
	} else if (rsie_plain_noise(t) && !rsie_correlates(t) && t->archive == 0) {
		rsie_sample_plain(c, worker, s);
	} else {
		rsie_sample_any(c, worker, s);
	}
}
#endif
