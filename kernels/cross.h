/* Crossover: what the child of one or two members of Now starts as; the twin is cross.go of
 * package cpu. A child is written column by column just before its genes are mutated. */
#ifndef RSIE_CROSS_H
#define RSIE_CROSS_H

#include "measure.h"
#include "survive.h"

enum { CHILD_COPY, CHILD_AVERAGE, CHILD_MERGE, CHILD_WRITTEN };

typedef struct {
	const float *one, *two;
	float share; /* of the first parent in a merge */
	int kind;
} rsie_parents;

/* The weight of the first parent in a merge. */
DEVICE double rsie_merge_share(double worst, float fa, float fb)
{
	double a = rsie_finite(fa) ? worst - fa : 0, b = rsie_finite(fb) ? worst - fb : 0;
	return a + b > 0 ? a / (a + b) : 0.5;
}

/* Writes columns [from, to) of the child. */
DEVICE void rsie_cross_columns(float *RESTRICT x, const rsie_parents *p, int from, int to)
{
	const float *one = p->one, *two = p->two;
	float share = p->share, rest = 1 - p->share;
	if (p->kind == CHILD_COPY) {
		EACH(j, from, to) x[j] = one[j];
	} else if (p->kind == CHILD_AVERAGE) {
		EACH(j, from, to) x[j] = (one[j] + two[j]) * 0.5f;
	} else if (p->kind == CHILD_MERGE) {
		EACH(j, from, to) x[j] = fmaf(share, one[j], rest * two[j]);
	}
}

DEVICE int rsie_factor_size(const rsie_block *b)
{
	if (b->rows < 2 || b->cols < 2) return 0;
	return (b->rows < b->cols ? b->rows : b->cols) * (b->rows + 1 + b->cols);
}

/* Overwrites the layers of the child that come from member other of Now. */
DEVICE void rsie_swap(const rsie_call *c, const rsie_run *t, rsie_address a, int64_t child, int64_t other)
{
	float *RESTRICT x = rsie_point(c, &c->next, child);
	const float *y = rsie_point(c, &c->now, other);
	int svd = t->mutation == MUTATE_SVD && c->factors > 0, at = 0;
	for (int k = 0; k < c->block_count; k++) {
		const rsie_block *b = &c->blocks[k];
		int n = rsie_factor_size(b);
		if (rsie_element(a, 4 + (uint32_t)b->layer, STREAM_CROSS) >> 31) {
			EACH(j, b->offset, b->offset + b->rows * b->cols) x[j] = y[j];
			if (svd) {
				float *RESTRICT f = c->next.factors + child * c->factors;
				const float *g = c->now.factors + other * c->factors;
				EACH(j, at, at + n) f[j] = g[j];
				ONCE rsie_valid(c, &c->next, child)[k] = rsie_valid(c, &c->now, other)[k];
			}
		}
		at += n;
	}
}

/* Prepares the child of two members of Now, or of one twice; swapping writes it. */
DEVICE rsie_parents rsie_cross(const rsie_call *c, const rsie_run *t, const rsie_plan *p, rsie_address a,
	int64_t child, int64_t first, int64_t second)
{
	rsie_parents parents = {rsie_point(c, &c->now, first), rsie_point(c, &c->now, second), 1, CHILD_COPY};
	if (first == second || t->crossover == CROSS_SWAPPING) {
		if (t->mutation == MUTATE_SVD) rsie_copy_factors(c, child, first);
		if (first == second) return parents;
		rsie_cross_columns(rsie_point(c, &c->next, child), &parents, 0, c->dim);
		SYNC;
		rsie_swap(c, t, a, child, second);
		SYNC;
		parents.kind = CHILD_WRITTEN;
		return parents;
	}
	rsie_unfactor(c, &c->next, child);
	parents.kind = t->crossover == CROSS_AVERAGING ? CHILD_AVERAGE : CHILD_MERGE;
	if (parents.kind == CHILD_MERGE)
		parents.share = (float)rsie_merge_share(p->worst, c->now.fitness[first], c->now.fitness[second]);
	return parents;
}
#endif
