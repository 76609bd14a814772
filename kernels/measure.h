/* measure updates Memory and the best point of every run by Next: see rsie.OpMeasure; the twin is
 * measure.go of package cpu. The mean and the squares of the columns of a run stand in centroid
 * and square; each is summed over members in order. */
#ifndef RSIE_MEASURE_H
#define RSIE_MEASURE_H

#include "access.h"

#define SPREAD_HIGHEST 1e18f

/* Whether a fitness is a measured value: neither NaN nor infinite nor Worst. */
DEVICE int rsie_finite(float f) { return f < RSIE_WORST && f >= -0x1.fffffep127f; }

/* The largest and the smallest of the finite values, NaN without any; the same in every lane. */
DEVICE void rsie_finite_range(const float *f, int n, float *worst, float *best)
{
	float high = -INFINITY, low = INFINITY;
	for (int i = 0; i < n; i++) {
		if (!rsie_finite(f[i])) continue;
		if (f[i] > high) high = f[i];
		if (f[i] < low) low = f[i];
	}
	*worst = low <= high ? high : NAN;
	*best = low <= high ? low : NAN;
}

/* Rows that hold members of this generation, from the run's first one. */
DEVICE int rsie_told(const rsie_run *t)
{
	return (int)(t->family == FAMILY_POPULATION ? t->members : t->eval_to);
}

/* min(1, spread/start); a population without spread has the ratio 0 even when its start had none. */
DEVICE double rsie_spread_ratio(double spread, double start)
{
	return !(spread > 0) ? 0 : spread >= start ? 1 : spread / start;
}

/* The first row of immigrants of the generation after memory m, Members when there are none. */
DEVICE int rsie_immigrants(const rsie_run *t, const float *m)
{
	int n = (int)t->members;
	if (t->generation == 0 || !(m[MEM_SPREAD] < t->diversity_threshold * (double)m[MEM_SPREAD0])) return n;
	int count = (int)(IMMIGRANT_SHARE * n + 0.5);
	if (count < 1) count = 1;
	return n - count > (int)t->elites ? n - count : (int)t->elites;
}

/* Writes the mean over members of some columns of Next. */
DEVICE void rsie_column_means(const rsie_call *c, float *RESTRICT mean, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	int n = rsie_told(t), i = 0;
	EACH(j, s.from, s.to) mean[j] = 0;
	for (; i + 4 <= n; i += 4) {
		const float *a = rsie_point(c, &c->next, (int64_t)t->offset + i);
		const float *b = a + c->stride, *d = b + c->stride, *e = d + c->stride;
		EACH(j, s.from, s.to) mean[j] = (((mean[j] + a[j]) + b[j]) + d[j]) + e[j];
	}
	for (; i < n; i++) {
		const float *a = rsie_point(c, &c->next, (int64_t)t->offset + i);
		EACH(j, s.from, s.to) mean[j] = mean[j] + a[j];
	}
	float count = (float)n;
	EACH(j, s.from, s.to) mean[j] = mean[j] / count;
}

/* Writes the sum of the variances of some columns to the run's partial sums. */
KERNEL void measure_columns(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	float *RESTRICT mean = rsie_scratch(c, c->centroid, s.run), *RESTRICT square = rsie_scratch(c, c->square, s.run);
	int n = rsie_told(t), i = 0;
	rsie_column_means(c, mean, s);
	EACH(j, s.from, s.to) square[j] = 0;
	for (; i + 2 <= n; i += 2) {
		const float *a = rsie_point(c, &c->next, (int64_t)t->offset + i), *b = a + c->stride;
		EACH(j, s.from, s.to) {
			float d = a[j] - mean[j], e = b[j] - mean[j];
			square[j] = fmaf(e, e, fmaf(d, d, square[j]));
		}
	}
	if (i < n) {
		const float *a = rsie_point(c, &c->next, (int64_t)t->offset + i);
		EACH(j, s.from, s.to) {
			float d = a[j] - mean[j];
			square[j] = fmaf(d, d, square[j]);
		}
	}
	SYNC;
	float sum;
	SUM(sum, j, s.from, s.to, acc, acc + square[j]);
	ONCE c->partial[(int64_t)s.run * c->tiles + s.from / COLUMNS] = sum / (float)n;
}

/* Finds the best of the evaluated rows when it is better than ever, else -1. The best of the first
 * generation is kept even when it is no better than Worst. */
DEVICE int rsie_best_row(const rsie_call *c, const rsie_run *t, const float *m, float *fitness)
{
	const float *f = c->next.fitness + t->offset;
	int best = m[MEM_MEASURED] == 0 && t->eval_from < t->eval_to ? (int)t->eval_from : -1;
	for (int i = (int)t->eval_from; i < (int)t->eval_to; i++)
		if (f[i] < *fitness) {
			best = i;
			*fitness = f[i];
		}
	return best;
}

/* The share of the evaluated children better than their first parent was, the old one without a
 * child; counts the children. */
DEVICE double rsie_success(const rsie_call *c, const rsie_run *t, int fresh, int *children)
{
	int from = (int)(t->elites > t->eval_from ? t->elites : t->eval_from);
	int to = (int)t->eval_to < fresh ? (int)t->eval_to : fresh, better = 0;
	for (int i = from; i < to; i++)
		better += c->next.fitness[t->offset + i] < c->now.fitness[t->offset + c->next.parent[t->offset + i]];
	*children = to - from;
	return to > from ? (double)better / (to - from) : 0;
}

KERNEL void measure_run(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	float *m = rsie_memory(c, s.run);
	const float *part = c->partial + (int64_t)s.run * c->tiles;
	int children = 0, fresh = rsie_immigrants(t, m); /* by the spread that breed saw */
	float sum, fitness = m[MEM_BEST];
	SUM(sum, i, 0, c->tiles, acc, acc + part[i]);
	float spread = sqrtf(sum / (float)c->dim);
	if (!(spread < SPREAD_HIGHEST)) spread = SPREAD_HIGHEST;
	int best = rsie_best_row(c, t, m, &fitness);
	double success = 0;
	if (t->family == FAMILY_POPULATION && t->generation > 0) success = rsie_success(c, t, fresh, &children);
	SYNC;
	ONCE {
		m[MEM_SPREAD] = spread;
		if (t->generation == 0) m[MEM_SPREAD0] = spread;
		m[MEM_SPREAD_SUM] += (float)rsie_spread_ratio(spread, m[MEM_SPREAD0]);
		m[MEM_MEASURED] += 1;
		m[MEM_BEST] = fitness;
		if (children > 0) m[MEM_SUCCESS] = (float)success;
		if (children > 0 && t->mutation == MUTATE_ADAPTIVE) {
			double step = m[MEM_STEP] * rsie_exp64(SUCCESS_GAIN * (success - SUCCESS_TARGET));
			m[MEM_STEP] = (float)(step < STEP_LOWEST ? STEP_LOWEST : step > STEP_HIGHEST ? STEP_HIGHEST : step);
		}
	}
	if (best < 0) return;
	float *kept = rsie_vector(c, s.run, VEC_BEST);
	const float *x = rsie_point(c, &c->next, (int64_t)t->offset + best);
	EACH(j, 0, c->dim) kept[j] = x[j];
}
#endif
