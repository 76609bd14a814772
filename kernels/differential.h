/* Differential mutation and the steps of self-adaptive mutation; the twin is differential.go of
 * package cpu, which has the formulas and the sources. What is drawn per child is drawn by every
 * lane. */
#ifndef RSIE_DIFFERENTIAL_H
#define RSIE_DIFFERENTIAL_H

#include "gaps.h"

#define TERMINAL -1.0f /* a rate of the history that stays 0 */

/* Numbers that a draw leaves out, in rising order. */
typedef struct {
	uint32_t at[4];
	uint32_t n;
} rsie_omitted;

DEVICE void rsie_omit(rsie_omitted *p, uint32_t v)
{
	uint32_t k = p->n;
	for (uint32_t i = 0; i < p->n; i++)
		if (p->at[i] == v) return;
	for (; k > 0 && p->at[k - 1] > v; k--) p->at[k] = p->at[k - 1];
	p->at[k] = v;
	p->n++;
}

/* A number below n that is not among p, which is added. Where all are taken it is any of them. */
DEVICE uint32_t rsie_draw_other(rsie_omitted *p, uint32_t w, uint32_t n)
{
	if (p->n >= n) return rsie_below(w, n);
	uint32_t v = rsie_below(w, n - p->n);
	for (uint32_t i = 0; i < p->n; i++) v += v >= p->at[i];
	rsie_omit(p, v);
	return v;
}

/* The point of Now at a place of its order, and a row of the archive of a run. */
DEVICE const float *rsie_placed(const rsie_call *c, const rsie_run *t, uint32_t place)
{
	return rsie_point(c, &c->now, (int64_t)t->offset + c->now.order[t->offset + place]);
}
DEVICE float *rsie_kept(const rsie_call *c, const rsie_run *t, uint32_t row)
{
	return c->archive + (int64_t)(t->archive_at + row) * c->stride;
}
/* Rows of the archive in use. */
DEVICE uint32_t rsie_archived(const rsie_call *c, const rsie_run *t, int run)
{
	uint32_t used = t->archive ? (uint32_t)rsie_memory(c, run)[MEM_ARCHIVE] : 0;
	return used < t->archive ? used : t->archive;
}
/* Strengths, or the steps of groups, of the success history; rates stand MAX_HISTORY later. */
DEVICE float *rsie_history(const rsie_call *c, int run) { return c->history + (int64_t)run * 2 * MAX_HISTORY; }

/* F and CR of a child. */
DEVICE void rsie_rates(const rsie_call *c, const rsie_run *t, int run, const rsie_plan *p, rsie_address a, uint32_t w,
	float *strength, float *rate)
{
	*strength = p->strength;
	*rate = p->rate;
	if (t->adaptation == HISTORY_NONE) return;
	const float *history = rsie_history(c, run);
	uint32_t h = rsie_below(w, t->history);
	float middle = history[MAX_HISTORY + h], f = 0;
	*rate = 0;
	if (middle != TERMINAL) {
		float z[4];
		rsie_gauss(rsie_words(a, 0, STREAM_FACTOR), z);
		float r = middle + (float)HISTORY_SPREAD * z[0];
		*rate = r < 0 ? 0 : r > 1 ? 1 : r;
	}
	for (uint32_t k = 0; k < 64 && !(f > 0); k++) {
		float sin, cos; /* tan(pi (u - 1/2)) = -cos(pi u)/sin(pi u) */
		rsie_turns((float)(0.5 * rsie_uniform64(rsie_element(a, k, STREAM_MUTATE))), &sin, &cos);
		f = history[h] - (float)HISTORY_SPREAD * (cos / sin);
	}
	if (!(f > 0)) f = history[h];
	*strength = f < 1 ? f : 1;
}

/* v, or the middle between x and the border of the box that v is outside of. */
DEVICE float rsie_between(float v, float x, float lower, float upper)
{
	return v < lower ? (lower + x) * 0.5f : v > upper ? (upper + x) * 0.5f : v;
}

/* Writes the child of row a.member; w and f take dim words. */
DEVICE void rsie_differ(const rsie_call *c, const rsie_run *t, int run, const rsie_plan *p, rsie_address a,
	uint32_t *RESTRICT w)
{
	uint32_t n = t->previous, own = a.member % n;
	int64_t child = (int64_t)t->offset + a.member;
	rsie_quad first = rsie_words(a, 0, STREAM_SELECT), more = rsie_words(a, 1, STREAM_SELECT);
	float strength, rate, pull = 0;
	rsie_rates(c, t, run, p, a, more.w[1], &strength, &rate);
	const float *x = rsie_placed(c, t, own), *base = x, *toward = x;
	rsie_omitted taken = {{own, 0, 0, 0}, 1};
	if (t->base == BASE_RANDOM) {
		base = rsie_placed(c, t, rsie_draw_other(&taken, first.w[0], n));
	} else if (t->base == BASE_BEST) {
		rsie_omit(&taken, 0);
		base = rsie_placed(c, t, 0);
	} else {
		uint32_t best = t->eligible > 1 ? t->eligible : 1;
		if ((t->flags & FLAG_VARY_BEST) && best > 2)
			best = 2 + (uint32_t)(rsie_uniform64(more.w[2]) * (best - 2) + 0.5);
		toward = rsie_placed(c, t, rsie_below(more.w[0], best));
		pull = strength;
	}
	const float *plus = rsie_placed(c, t, rsie_draw_other(&taken, first.w[1], n));
	uint32_t kept = t->base == BASE_TO_BEST ? rsie_archived(c, t, run) : 0;
	uint32_t number = rsie_draw_other(&taken, first.w[2], n + kept);
	const float *minus = number < n ? rsie_placed(c, t, number) : rsie_kept(c, t, number - n);
	uint32_t limit = t->adaptation == HISTORY_NONE ? p->limit : rsie_limit(rate);
	int certain = (int)rsie_below(first.w[3], (uint32_t)c->dim);
	ONCE {
		c->next.strengths[child] = strength;
		c->next.rates[child] = rate;
		c->next.parent[child] = c->now.order[t->offset + own];
	}
	rsie_unfactor(c, &c->next, child);
	EACH(b, 0, (c->dim + 3) / 4) {
		rsie_quad q = rsie_words(a, (uint32_t)b, STREAM_MUTATE_MASK);
		for (int k = 0; k < 4; k++) w[4 * b + k] = q.w[k];
	}
	SYNC;
	float *RESTRICT y = rsie_point(c, &c->next, child);
	float lower = c->bounded ? c->lower : -INFINITY, upper = c->bounded ? c->upper : INFINITY;
	EACH(j, 0, c->dim) {
		float v = fmaf(strength, plus[j] - minus[j], fmaf(pull, toward[j] - x[j], base[j]));
		v = rsie_between(v, x[j], lower, upper);
		y[j] = w[j] >> 8 < limit || j == certain ? v : x[j];
	}
	SYNC;
}

/* step · factor^u, u uniform in (-1, 1). */
DEVICE double rsie_changed_step(double step, double factor, uint32_t w)
{
	step *= rsie_pow64(factor, 2 * rsie_uniform64(w) - 1);
	return step < OWN_STEP_LOWEST ? OWN_STEP_LOWEST : step > OWN_STEP_HIGHEST ? OWN_STEP_HIGHEST : step;
}

/* The group of a row: equal parts of [Elites, Members) in order. */
DEVICE int rsie_group(const rsie_run *t, int row)
{
	return (int)((int64_t)(row - (int)t->elites) * t->groups / (t->members - t->elites));
}

/* The step of a child, which is kept for its own children unless it is the group's. */
DEVICE double rsie_own_step(const rsie_call *c, const rsie_run *t, int run, rsie_address a, int64_t parent)
{
	if (t->groups > 0) return rsie_history(c, run)[rsie_group(t, (int)a.member)];
	double step = rsie_changed_step(c->now.strengths[parent], t->step_factor, rsie_element(a, 0, STREAM_FACTOR));
	ONCE c->next.strengths[t->offset + a.member] = (float)step;
	return step;
}
#endif
