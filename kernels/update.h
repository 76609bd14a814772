/* update moves the distribution of a run by its members: see rsie.OpUpdate and update.go of package
 * cpu, the twin. */
#ifndef RSIE_UPDATE_H
#define RSIE_UPDATE_H

#include "adapt.h"
#include "fastnes.h"
#include "sample.h"
#include "weights.h"

DEVICE int rsie_updates(const rsie_run *t)
{
	return rsie_distributes(t) && t->eval_to >= 2 && !(t->flags & FLAG_DRAWS);
}

/* Puts the mean on the best point. */
KERNEL void start_at_best(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	float *mean = rsie_vector(c, s.run, VEC_MEAN), *before = rsie_vector(c, s.run, VEC_BEFORE);
	const float *best = rsie_vector(c, s.run, VEC_BEST);
	EACH(j, 0, c->dim) mean[j] = before[j] = best[j];
}

DEVICE float rsie_add_square(float acc, float v) { return fmaf(v, v, acc); }

/* Writes to scratch the factor on every member's noise and its squared length then. */
KERNEL void shorten(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	const float *mean = rsie_vector(c, s.run, VEC_MEAN), *inverse = rsie_scratch(c, c->inverse, s.run);
	float longest = 4.0f * (float)c->dim + 40.0f, *z = rsie_noise(c, worker, 0);
	for (int i = s.from; i < s.to; i++) {
		int64_t m = (int64_t)t->offset + i;
		const float *x = rsie_point(c, &c->next, m);
		float sum;
		if (rsie_correlates(t)) {
			EACH(j, 0, c->dim) z[j] = (x[j] - mean[j]) * inverse[j];
			SYNC;
			sum = rsie_white_length(c, z, t);
		} else {
			SUM(sum, j, 0, c->dim, acc, rsie_add_square(acc, (x[j] - mean[j]) * inverse[j]));
		}
		ONCE {
			c->shorter[m] = sum > longest ? sqrtf(longest / sum) : 1.0f;
			c->length[m] = sum > longest ? longest : sum;
		}
		SYNC;
	}
}

/* The weights of one member in the sums. */
typedef struct {
	const float *x;
	float one, square; /* on z and on z^2 */
} rsie_term;

/* The next member from *i on that has a weight; 0 when there is none. */
DEVICE int rsie_next_term(const rsie_call *c, int r, int *i, rsie_term *to)
{
	const rsie_run *t = &c->runs[r];
	int good_only = t->scales == SCALES_VARIANCE || t->scales == SCALES_DEVIATION;
	while (*i < (int)t->eval_to) {
		int64_t m = (int64_t)t->offset + (*i)++;
		float w = c->utility[m], f = c->shorter[m], square = w;
		if (w == 0.0f) continue;
		if (good_only) {
			square = w < 0.0f ? 0.0f : w;
		} else if (t->recombine == WEIGHTS_TUTORIAL) {
			square = rsie_square_weight(c, m);
			w = w < 0.0f ? 0.0f : w;
		}
		to->x = rsie_point(c, &c->next, m);
		to->one = w * f;
		to->square = square * f * f;
		return 1;
	}
	to->x = rsie_point(c, &c->next, t->offset);
	to->one = to->square = 0;
	return 0;
}

/* Writes g = sum w z, and q = sum w z^2 where scales need it, of some columns. Four members at a time
 * meet a column, in order, so that the sums stay in registers. */
KERNEL void sum_columns(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	const float *RESTRICT mean = rsie_vector(c, s.run, VEC_MEAN), *RESTRICT inverse = rsie_scratch(c, c->inverse, s.run);
	float *RESTRICT g = rsie_scratch(c, c->gradient, s.run), *RESTRICT q = rsie_scratch(c, c->square, s.run);
	EACH(j, s.from, s.to) g[j] = q[j] = 0;
	rsie_term e[4];
	int squares = t->scales != SCALES_NONE || rsie_correlates(t), i = 0;
	while (rsie_next_term(c, s.run, &i, &e[0])) {
		int last = rsie_next_term(c, s.run, &i, &e[1]);
		for (int k = 2; k < 4; k++) last = rsie_next_term(c, s.run, &i, &e[k]);
		(void)last;
		const float *RESTRICT x0 = e[0].x, *RESTRICT x1 = e[1].x, *RESTRICT x2 = e[2].x, *RESTRICT x3 = e[3].x;
		float w0 = e[0].one, w1 = e[1].one, w2 = e[2].one, w3 = e[3].one;
		float s0 = e[0].square, s1 = e[1].square, s2 = e[2].square, s3 = e[3].square;
		if (!squares) {
			EACH(j, s.from, s.to) {
				float v = inverse[j], m = mean[j], sum = fmaf(w0, (x0[j] - m) * v, g[j]);
				sum = fmaf(w1, (x1[j] - m) * v, sum);
				sum = fmaf(w2, (x2[j] - m) * v, sum);
				g[j] = fmaf(w3, (x3[j] - m) * v, sum);
			}
			continue;
		}
		EACH(j, s.from, s.to) {
			float v = inverse[j], m = mean[j];
			float z0 = (x0[j] - m) * v, z1 = (x1[j] - m) * v, z2 = (x2[j] - m) * v, z3 = (x3[j] - m) * v;
			g[j] = fmaf(w3, z3, fmaf(w2, z2, fmaf(w1, z1, fmaf(w0, z0, g[j]))));
			q[j] = fmaf(s3 * z3, z3, fmaf(s2 * z2, z2, fmaf(s1 * z1, z1, fmaf(s0 * z0, z0, q[j]))));
		}
	}
	if (rsie_correlates(t) && t->scales != SCALES_NONE) {
		const float *variance = rsie_scratch(c, c->variance, s.run);
		EACH(j, s.from, s.to) q[j] = q[j] / variance[j];
	}
}

/* Moves the mean along the velocity of ClipUp. */
DEVICE void rsie_clip_up(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *mean = rsie_vector(c, r, VEC_MEAN), *v = rsie_vector(c, r, VEC_MOMENT1);
	const float *g = rsie_scratch(c, c->gradient, r), *steps = rsie_scratch(c, c->steps, r);
	float rate = (float)t->learning_rate * rsie_sigma(c, r), momentum = (float)t->momentum, length;
	SUM(length, j, 0, c->dim, acc, rsie_add_square(acc, steps[j] * g[j]));
	float pace = length > 0.0f ? rate / sqrtf(length) : 0.0f;
	EACH(j, 0, c->dim) v[j] = fmaf(momentum, v[j], pace * (steps[j] * g[j]));
	SYNC;
	rsie_limit_length(c, v, (float)t->max_speed * rate);
	EACH(j, 0, c->dim) mean[j] = mean[j] + v[j];
}

/* Changes the mean along g. */
DEVICE void rsie_move(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *RESTRICT mean = rsie_vector(c, r, VEC_MEAN), *RESTRICT v = rsie_vector(c, r, VEC_MOMENT1);
	float *RESTRICT u = rsie_vector(c, r, VEC_MOMENT2);
	const float *RESTRICT g = rsie_scratch(c, c->gradient, r), *RESTRICT steps = rsie_scratch(c, c->steps, r);
	float rate = (float)t->learning_rate, beta = (float)t->momentum, rest = (float)(1 - t->momentum);
	if (t->update == MEAN_PLAIN) {
		EACH(j, 0, c->dim) {
			float a = fmaf(beta, v[j], rest * g[j]);
			v[j] = a;
			mean[j] = fmaf(rate * steps[j], a, mean[j]);
		}
	} else if (t->update == MEAN_ADAM) {
		double updates = rsie_memory(c, r)[MEM_UPDATES];
		float second = (float)t->second_rate, beta2 = (float)(1 - t->second_rate);
		float one = (float)(1 / (1 - rsie_pow64(t->momentum, updates)));
		float two = (float)(1 / (1 - rsie_pow64(1 - t->second_rate, updates)));
		EACH(j, 0, c->dim) {
			float a = fmaf(beta, v[j], rest * g[j]), b = fmaf(beta2, u[j], second * g[j] * g[j]);
			v[j] = a;
			u[j] = b;
			mean[j] = mean[j] + rate * steps[j] * (a * one) / (sqrtf(b * two) + ADAM_EPSILON);
		}
	} else {
		rsie_clip_up(c, r);
	}
	SYNC;
}

/* Writes what termination criteria look at: see watch of the twin. */
DEVICE void rsie_watch(const rsie_call *c, int r, int worker)
{
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), *variance = rsie_scratch(c, c->variance, r);
	const float *mean = rsie_vector(c, r, VEC_MEAN), *path = rsie_vector(c, r, VEC_PATH);
	const float *steps = rsie_scratch(c, c->steps, r), *roots = rsie_roots(c, t);
	rsie_span all = {r, 0, c->dim};
	int full = t->covariance == COV_FULL, stuck = 0;
	set_steps(c, worker, all);
	SYNC;
	if (rsie_correlates(t)) rsie_diagonal(c, variance, t);
	float extent = 0, narrow = RSIE_INFINITY, wide = 0;
	for (int j = 0; j < c->dim; j++) { /* every lane for itself */
		float s = steps[j], deviation = rsie_correlates(t) ? s * sqrtf(variance[j]) : s, size = deviation;
		if (full && s * fabsf(path[j]) > size) size = s * fabsf(path[j]);
		extent = size > extent ? size : extent;
		narrow = s < narrow ? s : narrow;
		wide = s > wide ? s : wide;
		stuck |= mean[j] + 0.2f * deviation == mean[j];
	}
	if (full) {
		int axis = (int)((int64_t)m[MEM_UPDATES] % c->dim), still = 1;
		const float *b = rsie_second(c, t) + (int64_t)axis * c->dim;
		narrow = RSIE_INFINITY;
		wide = 0;
		for (int j = 0; j < c->dim; j++) {
			narrow = roots[j] < narrow ? roots[j] : narrow;
			wide = roots[j] > wide ? roots[j] : wide;
			still &= mean[j] == mean[j] + 0.1f * steps[j] * roots[axis] * b[j];
		}
		stuck |= still;
	}
	SYNC;
	ONCE {
		m[MEM_EXTENT] = extent;
		m[MEM_CONDITION] = wide / narrow * (wide / narrow);
		m[MEM_STUCK] = stuck ? 1.0f : 0.0f;
	}
}

/* Applies the sums of a run. */
KERNEL void update_run(const rsie_call *c, int worker, rsie_span s)
{
	int r = s.run;
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), *mean = rsie_vector(c, r, VEC_MEAN), *before = rsie_vector(c, r, VEC_BEFORE);
	EACH(j, 0, c->dim) before[j] = mean[j];
	ONCE m[MEM_UPDATES] = m[MEM_UPDATES] + 1.0f;
	SYNC;
	if (t->scales == SCALES_FAST_NES) {
		rsie_fast_nes(c, r);
	} else {
		rsie_move(c, r);
		if (rsie_correlates(t)) rsie_white_gradient(c, r);
		rsie_control(c, r);
		rsie_lengthen_path(c, r);
		if (rsie_correlates(t)) rsie_covary(c, r, worker);
		rsie_adapt(c, r);
	}
	SYNC;
	float keep = (float)(1 - t->decay), pull = (float)t->pull;
	const float *best = rsie_vector(c, r, VEC_BEST);
	if (t->decay > 0) EACH(j, 0, c->dim) mean[j] = mean[j] * keep;
	if (t->pull > 0) EACH(j, 0, c->dim) mean[j] = fmaf(pull, best[j] - mean[j], mean[j]);
	rsie_clip(c, mean);
	if (t->flags & FLAG_WATCH) rsie_watch(c, r, worker);
}
#endif
