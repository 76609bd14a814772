/* How a distribution changes its step size and its scales: see adapt.go of package cpu, the twin. */
#ifndef RSIE_ADAPT_H
#define RSIE_ADAPT_H

#include "covariance.h"

/* Bounds of the cumulative factor. */
#define CUMULATIVE_LOWEST 1e-30
#define CUMULATIVE_HIGHEST 1e30
#define LARGEST_CHANGE 0.2f /* relative, of a deviation by the likelihood rule */

DEVICE double rsie_within(double v, double lowest, double highest)
{
	v = v < lowest ? lowest : v;
	return v > highest ? highest : v;
}

/* Multiplies the factor on all steps by exp(change). */
DEVICE void rsie_scale_sigma(const rsie_call *c, int r, double change)
{
	float *m = rsie_memory(c, r);
	change = rsie_within(change, -MAX_SIGMA_CHANGE, MAX_SIGMA_CHANGE);
	SYNC;
	ONCE m[MEM_SIGMA] = (float)rsie_within(m[MEM_SIGMA] * rsie_exp64(change), SIGMA_LOWEST, SIGMA_HIGHEST);
	SYNC;
}

DEVICE void rsie_scale_freely(const rsie_call *c, int r, double change)
{
	float *m = rsie_memory(c, r);
	SYNC;
	ONCE m[MEM_SIGMA] = (float)rsie_within(m[MEM_SIGMA] * rsie_exp64(change), CUMULATIVE_LOWEST, CUMULATIVE_HIGHEST);
	SYNC;
}

DEVICE void rsie_success_control(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), last = m[MEM_MEDIAN];
	const float *fitness = c->next.fitness + t->offset;
	int n = (int)t->eval_to, better = 0;
	for (int i = 0; i < n; i++) better += fitness[i] < last;
	if (m[MEM_UPDATES] > 1) rsie_scale_sigma(c, r, t->step_gain * (2 * (double)better / n - 1));
	SYNC;
	ONCE m[MEM_MEDIAN] = fitness[c->next.order[t->offset + n / 2]];
}

/* Changes the factor on all steps of a run. */
DEVICE void rsie_control(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	if (t->control == CONTROL_SUCCESS) rsie_success_control(c, r);
	if (t->control != CONTROL_CUMULATIVE && t->control != CONTROL_PATH) return;
	float *p = rsie_vector(c, r, VEC_STEP_PATH), keep = (float)(1 - t->path_rate);
	const float *g = rsie_scratch(c, rsie_correlates(t) ? c->white : c->gradient, r);
	float push = (float)sqrt(t->path_rate * (2 - t->path_rate) * t->mu_eff);
	EACH(j, 0, c->dim) p[j] = fmaf(push, g[j], keep * p[j]);
	SYNC;
	double length = sqrt((double)rsie_squared(c, p)), d = c->dim;
	if (t->control == CONTROL_PATH)
		rsie_scale_sigma(c, r, t->step_gain * (length / sqrt(d) - 1));
	else
		rsie_scale_freely(c, r, t->step_gain * t->path_rate / t->path_damping * (length / rsie_expected_length(d) - 1));
}

/* Shortens v to at most the given length. */
DEVICE void rsie_limit_length(const rsie_call *c, float *v, float longest)
{
	float n = sqrtf(rsie_squared(c, v));
	if (!(n > longest)) return;
	float factor = longest / n;
	EACH(j, 0, c->dim) v[j] = v[j] * factor;
	SYNC;
}

/* Moves the evolution path of rank-one noise. */
DEVICE void rsie_lengthen_path(const rsie_call *c, int r)
{
	if (c->runs[r].covariance != COV_RANK_ONE) return;
	rsie_follow(c, r, 1.0f, (const float *)0);
	rsie_limit_length(c, rsie_vector(c, r, VEC_PATH), 2.0f * sqrtf((float)c->dim));
}

/* Updates the scales as the square root of a diagonal covariance matrix. */
DEVICE void rsie_diagonal_cma(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	float *d = rsie_vector(c, r, VEC_SCALE);
	const float *p = rsie_vector(c, r, VEC_PATH), *q = rsie_scratch(c, c->square, r);
	double c1 = t->cov_rank_one, cmu = t->cov_rank_mu, rate = t->cov_path_rate;
	double h = rsie_unstalled(c, r, rsie_memory(c, r)[MEM_UPDATES]);
	float keep = (float)(1 - c1 - cmu * rsie_weight_sum(c, t) + (1 - h) * c1 * rate * (2 - rate));
	float one = (float)c1, all = (float)cmu;
	rsie_follow(c, r, (float)h, d);
	EACH(j, 0, c->dim) {
		float v = fmaf(one * p[j], p[j], fmaf(all, q[j], keep) * (d[j] * d[j]));
		d[j] = sqrtf(v < 1e-37f ? 1e-37f : v);
	}
}

DEVICE float rsie_bounded_scale(float d)
{
	d = d < SCALE_LOWEST ? SCALE_LOWEST : d;
	return d > SCALE_HIGHEST ? SCALE_HIGHEST : d;
}

/* Changes the diagonal scales of a run. */
DEVICE void rsie_adapt(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	if (t->scales == SCALES_NONE) return;
	if (t->scales == SCALES_SEP_CMA) {
		rsie_diagonal_cma(c, r);
		return;
	}
	float *RESTRICT d = rsie_vector(c, r, VEC_SCALE);
	const float *RESTRICT q = rsie_scratch(c, c->square, r);
	float sum = rsie_weight_sum(c, t), eta = (float)t->scale_rate, keep = 1.0f - eta;
	if (t->scales == SCALES_LIKELIHOOD) eta = (float)(t->scale_rate * t->sigma * rsie_memory(c, r)[MEM_SIGMA]);
	float half = eta / 2;
	if (t->scales == SCALES_NATURAL)
		EACH(j, 0, c->dim) d[j] = rsie_bounded_scale(d[j] * rsie_exp(half * (q[j] - sum)));
	else if (t->scales == SCALES_VARIANCE)
		EACH(j, 0, c->dim) {
			float v = fmaf(eta, q[j], keep);
			d[j] = rsie_bounded_scale(d[j] * sqrtf(v < 0.0f ? 0.0f : v));
		}
	else if (t->scales == SCALES_DEVIATION)
		EACH(j, 0, c->dim) d[j] = rsie_bounded_scale(d[j] * fmaf(eta, sqrtf(q[j]) - 1.0f, 1.0f));
	else
		EACH(j, 0, c->dim) {
			float v = eta * (q[j] - sum);
			v = v < -LARGEST_CHANGE ? -LARGEST_CHANGE : v;
			d[j] = rsie_bounded_scale(d[j] * (1.0f + (v > LARGEST_CHANGE ? LARGEST_CHANGE : v)));
		}
}
#endif
