/* The full covariance C of a distribution: see covariance.go of package cpu, the twin. Matrices are
 * float32, products and the decomposition of C are in the order of their rows. */
#ifndef RSIE_COVARIANCE_H
#define RSIE_COVARIANCE_H

#include "eigen.h"
#include "initialise.h"
#include "noise.h"

/* Eigenvalues of C are at least this share of the largest: entries of 24 bits say nothing about
 * smaller ones. */
#define SMALLEST_EIGENVALUE 1e-7

/* y = A z with C = A A^T. */
DEVICE void rsie_correlate(const rsie_call *c, float *y, const float *z, const rsie_run *t)
{
	int full = t->covariance == COV_FULL;
	const float *rows = full ? rsie_second(c, t) : rsie_first(c, t), *roots = rsie_roots(c, t);
	EACH(j, 0, c->dim) y[j] = 0;
	for (int k = 0; k < c->dim; k++) {
		const float *row = rows + (int64_t)k * c->dim;
		float v = full ? z[k] * roots[k] : z[k];
		EACH(j, 0, c->dim) y[j] = fmaf(v, row[j], y[j]);
	}
	SYNC;
}

/* Coordinate k of A^-1 y. */
DEVICE float rsie_whitened(const rsie_call *c, const float *y, int k, const rsie_run *t)
{
	const float *row = rsie_second(c, t) + (int64_t)k * c->dim;
	float v;
	SUM(v, j, 0, c->dim, acc, fmaf(row[j], y[j], acc));
	return t->covariance == COV_FULL ? v / rsie_roots(c, t)[k] : v;
}

/* y^T C^-1 y. */
DEVICE float rsie_white_length(const rsie_call *c, const float *y, const rsie_run *t)
{
	float sum = 0;
	for (int k = 0; k < c->dim; k++) {
		float v = rsie_whitened(c, y, k, t);
		sum = fmaf(v, v, sum);
	}
	return sum;
}

/* Writes the gradient in uncorrelated coordinates to scratch. */
DEVICE void rsie_white_gradient(const rsie_call *c, int r)
{
	const rsie_run *t = &c->runs[r];
	const float *g = rsie_scratch(c, c->gradient, r);
	float *out = rsie_scratch(c, c->white, r);
	EACH(j, 0, c->dim) out[j] = 0;
	SYNC;
	for (int k = 0; k < c->dim; k++) {
		float v = rsie_whitened(c, g, k, t);
		if (t->covariance == COV_EXPONENTIAL) {
			ONCE out[k] = v;
			continue;
		}
		const float *row = rsie_second(c, t) + (int64_t)k * c->dim;
		EACH(j, 0, c->dim) out[j] = fmaf(v, row[j], out[j]);
	}
	SYNC;
}

/* Writes the diagonal of C. */
DEVICE void rsie_diagonal(const rsie_call *c, float *to, const rsie_run *t)
{
	const float *m = rsie_first(c, t);
	int64_t n = c->dim;
	EACH(j, 0, c->dim) to[j] = t->covariance == COV_FULL ? m[j * n + j] : 0.0f;
	for (int k = 0; k < c->dim && t->covariance == COV_EXPONENTIAL; k++) {
		const float *row = m + k * n;
		EACH(j, 0, c->dim) to[j] = fmaf(row[j], row[j], to[j]);
	}
	SYNC;
}

KERNEL void set_variance(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	rsie_diagonal(c, rsie_scratch(c, c->variance, s.run), &c->runs[s.run]);
}

/* The weight of member m of all runs in the covariance: a negative one times n/|z|^2. */
DEVICE float rsie_square_weight(const rsie_call *c, int64_t m)
{
	float w = c->utility[m], length = c->length[m];
	if (w < 0.0f) w = w * ((float)c->dim / (length < 1e-30f ? 1e-30f : length));
	return w;
}

/* The sum of the weights of a run, in index order. */
DEVICE float rsie_weight_sum(const rsie_call *c, const rsie_run *t)
{
	double sum = 0;
	for (uint32_t i = 0; i < t->eval_to; i++) sum = sum + c->utility[t->offset + i];
	return (float)sum;
}

/* The mean length of a normal vector. */
DEVICE double rsie_expected_length(double d) { return sqrt(d) * (1 - 1 / (4 * d) + 1 / (21 * d * d)); }

/* h_sigma: whether the path of the step control is short enough for the rank-one update. */
DEVICE int rsie_unstalled(const rsie_call *c, int r, float updates)
{
	const rsie_run *t = &c->runs[r];
	if (t->control != CONTROL_CUMULATIVE) return 1;
	double d = c->dim, length = sqrt((double)rsie_squared(c, rsie_vector(c, r, VEC_STEP_PATH)));
	double norm = sqrt(1 - rsie_pow64(1 - t->path_rate, 2 * (double)updates));
	return length / norm < (1.4 + 2 / (d + 1)) * rsie_expected_length(d);
}

/* Moves the evolution path along g, scaled by d where it is given. */
DEVICE void rsie_follow(const rsie_call *c, int r, float h, const float *d)
{
	const rsie_run *t = &c->runs[r];
	float *p = rsie_vector(c, r, VEC_PATH), keep = (float)(1 - t->cov_path_rate);
	const float *g = rsie_scratch(c, c->gradient, r);
	float push = h * (float)sqrt(t->cov_path_rate * (2 - t->cov_path_rate) * t->mu_eff);
	if (d)
		EACH(j, 0, c->dim) p[j] = fmaf(push, g[j] * d[j], keep * p[j]);
	else
		EACH(j, 0, c->dim) p[j] = fmaf(push, g[j], keep * p[j]);
	SYNC;
}

/* Writes the shortened noise of member i, as seen before the mean moved. */
DEVICE void rsie_noise_back(const rsie_call *c, float *z, int r, int i)
{
	int64_t m = (int64_t)c->runs[r].offset + i;
	const float *before = rsie_vector(c, r, VEC_BEFORE), *inverse = rsie_scratch(c, c->inverse, r);
	const float *x = rsie_point(c, &c->next, m);
	float f = c->shorter[m];
	EACH(j, 0, c->dim) z[j] = f * (x[j] - before[j]) * inverse[j];
	SYNC;
}

DEVICE void rsie_add_outer(const rsie_call *c, float *m, const float *v, float w)
{
	for (int k = 0; k < c->dim; k++) {
		float a = w * v[k];
		float *row = m + (int64_t)k * c->dim;
		EACH(j, 0, c->dim) row[j] = fmaf(a, v[j], row[j]);
	}
	SYNC;
}

/* Writes eigenvectors and roots of eigenvalues of C. */
DEVICE void rsie_decompose(const rsie_call *c, const rsie_run *t, int worker)
{
	int64_t n = c->dim;
	double *a = c->solver + worker * c->solver_len, *vectors = a + n * n, *values = vectors + n * n;
	const float *m = rsie_first(c, t);
	float *v = rsie_second(c, t), *roots = rsie_roots(c, t);
	EACH(k, 0, (int)(n * n)) a[k] = m[k];
	SYNC;
	ONCE rsie_eigen(values, vectors, a, values + n, (int)n);
	SYNC;
	double largest = 0;
	for (int k = 0; k < n; k++) largest = values[k] > largest ? values[k] : largest;
	EACH(k, 0, (int)(n * n)) v[k] = (float)vectors[k];
	EACH(k, 0, (int)n) {
		double s = values[k], least = SMALLEST_EIGENVALUE * largest;
		s = s < least ? least : s;
		roots[k] = (float)sqrt(s < 1e-37 ? 1e-37 : s);
	}
	SYNC;
}

/* Replaces the float matrix a by V diag(e) V^T a, rows of v the columns of V, or with 1/e; m is
 * scratch. */
DEVICE void rsie_multiply(const rsie_call *c, float *a, double *m, const double *v, const double *e, int inverse)
{
	int64_t n = c->dim;
	for (int k = 0; k < n; k++) {
		double *out = m + k * n, scale = inverse ? 1 / e[k] : e[k];
		EACH(j, 0, (int)n) {
			double sum = 0;
			out[j] = sum;
		}
		for (int i = 0; i < n; i++) {
			double b = v[k * n + i];
			const float *row = a + i * n;
			EACH(j, 0, (int)n) out[j] = fma(b, (double)row[j], out[j]);
		}
		EACH(j, 0, (int)n) out[j] = out[j] * scale;
	}
	SYNC;
	for (int i = 0; i < n; i++)
		EACH(j, 0, (int)n) {
			double sum = 0;
			for (int k = 0; k < n; k++) sum = fma(v[k * n + i], m[k * n + j], sum);
			a[i * n + j] = (float)sum;
		}
	SYNC;
}

/* Multiplies A and its inverse by the exponential of the natural gradient. */
DEVICE void rsie_covary_naturally(const rsie_call *c, int r, int worker)
{
	const rsie_run *t = &c->runs[r];
	int64_t n = c->dim;
	double *m = c->solver + worker * c->solver_len, *v = m + n * n, *values = v + n * n;
	float *z = rsie_noise(c, worker, 0), *white = rsie_noise(c, worker, 1);
	EACH(k, 0, (int)(n * n)) m[k] = 0;
	SYNC;
	for (int i = 0; i < (int)t->eval_to; i++) {
		double w = c->utility[t->offset + i];
		if (w == 0) continue;
		rsie_noise_back(c, z, r, i);
		for (int k = 0; k < n; k++) {
			float x = rsie_whitened(c, z, k, t);
			ONCE white[k] = x;
		}
		SYNC;
		for (int k = 0; k < n; k++) {
			double a = w * white[k];
			EACH(j, 0, (int)n) m[k * n + j] = fma(a, (double)white[j], m[k * n + j]);
		}
		SYNC;
	}
	double sum = rsie_weight_sum(c, t);
	EACH(k, 0, (int)n) m[k * n + k] = m[k * n + k] - sum;
	SYNC;
	ONCE {
		rsie_eigen(values, v, m, values + n, (int)n);
		for (int k = 0; k < n; k++) {
			double x = t->cov_rank_mu / 2 * values[k];
			values[k] = rsie_exp64(x < -1 ? -1 : x > 1 ? 1 : x);
		}
	}
	SYNC;
	rsie_multiply(c, rsie_first(c, t), m, v, values, 0);
	rsie_multiply(c, rsie_second(c, t), m, v, values, 1);
}

/* Changes the full covariance of a run. */
DEVICE void rsie_covary(const rsie_call *c, int r, int worker)
{
	const rsie_run *t = &c->runs[r];
	if (t->covariance == COV_EXPONENTIAL) {
		rsie_covary_naturally(c, r, worker);
		return;
	}
	double h = rsie_unstalled(c, r, rsie_memory(c, r)[MEM_UPDATES]), rate = t->cov_path_rate, c1 = t->cov_rank_one;
	rsie_follow(c, r, (float)h, (const float *)0);
	float keep = (float)(1 + (1 - h) * c1 * rate * (2 - rate) - c1 - t->cov_rank_mu * rsie_weight_sum(c, t));
	float *m = rsie_first(c, t), *z = rsie_noise(c, worker, 0);
	EACH(k, 0, c->dim * c->dim) m[k] = m[k] * keep;
	SYNC;
	rsie_add_outer(c, m, rsie_vector(c, r, VEC_PATH), (float)c1);
	for (int i = 0; i < (int)t->eval_to; i++) {
		float w = rsie_square_weight(c, (int64_t)t->offset + i);
		if (w == 0.0f) continue;
		rsie_noise_back(c, z, r, i);
		rsie_add_outer(c, m, z, (float)t->cov_rank_mu * w);
	}
	if (t->flags & FLAG_DECOMPOSE) rsie_decompose(c, t, worker);
}
#endif
