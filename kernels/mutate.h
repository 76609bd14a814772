/* Mutation of a child; the twin is mutate.go of package cpu, which has the formulas. */
#ifndef RSIE_MUTATE_H
#define RSIE_MUTATE_H

#include "cross.h"
#include "gaps.h"
#include "scale.h"

/* Adds strength·z[i] to gene i of a lot. */
DEVICE void rsie_add(float *RESTRICT x, const int32_t *gene, const rsie_lot *l, int count, float strength)
{
#if defined(__CUDACC__) || defined(RSIE_EMULATED)
	EACH(i, 0, count) x[gene[i]] = fmaf(strength, l->z[i & 3][i >> 2], x[gene[i]]);
#else
	int b = 0;
	for (; 4 * b + 4 <= count; b++) {
		const int32_t *to = gene + 4 * b;
		x[to[0]] = fmaf(strength, l->z[0][b], x[to[0]]);
		x[to[1]] = fmaf(strength, l->z[1][b], x[to[1]]);
		x[to[2]] = fmaf(strength, l->z[2][b], x[to[2]]);
		x[to[3]] = fmaf(strength, l->z[3][b], x[to[3]]);
	}
	for (int i = 4 * b; i < count; i++) x[gene[i]] = fmaf(strength, l->z[i & 3][b], x[gene[i]]);
#endif
}

/* Adds strength·z[k] to the k-th mutated gene of the child of p, or makes it 0. Columns are
 * written a lot ahead, so that they are still in the nearest cache. */
DEVICE void rsie_walk(float *RESTRICT x, int n, const rsie_parents *p, rsie_address a, double inverse, float strength,
	int drop)
{
	SHARED rsie_lot l;
	SHARED int32_t gene[GENES_LOT];
	int at = 0, done = 0, lot = rsie_lot_of(n, inverse);
	for (uint32_t k = 0; done < n; k += (uint32_t)lot) {
		rsie_lot_words(&l, lot / 4, a, k / 4, STREAM_MUTATE_MASK);
		rsie_lot_steps(&l, lot / 4, n, inverse);
		int count = rsie_places(gene, &l, lot, &at, n), end = count < lot ? n : at;
		rsie_cross_columns(x, p, done, end);
		done = end;
		SYNC;
		if (drop) {
			SCATTER(i, 0, count) x[gene[i]] = 0;
		} else {
			int blocks = (count + LOT_STEP - 1) / LOT_STEP * (LOT_STEP / 4);
			rsie_lot_words(&l, blocks, a, k / 4, STREAM_MUTATE);
			rsie_lot_normals(&l, blocks);
			rsie_add(x, gene, &l, count, strength);
		}
		SYNC;
	}
}

/* Mutates every gene. */
DEVICE void rsie_walk_all(const rsie_call *c, float *RESTRICT x, float *RESTRICT z, const rsie_parents *p,
	rsie_address a, float strength, int drop)
{
	if (drop) {
		EACH(j, 0, c->dim) x[j] = 0;
		SYNC;
		return;
	}
	rsie_cross_columns(x, p, 0, c->dim);
	rsie_normals(z, c->dim, a, STREAM_MUTATE);
	EACH(j, 0, c->dim) x[j] = fmaf(strength, z[j], x[j]);
	SYNC;
}

/* v within the box; NaN stays NaN. */
DEVICE float rsie_boxed(const rsie_call *c, float v) { return v < c->lower ? c->lower : v > c->upper ? c->upper : v; }

/* Folds the coordinates of a bounded point into the box. */
DEVICE void rsie_reflect(const rsie_call *c, float *x)
{
	if (!c->bounded) return;
	float lower = c->lower, upper = c->upper;
	EACH(j, 0, c->dim) {
		float v = x[j];
		v = v < lower ? lower + (lower - v) : v > upper ? upper - (v - upper) : v;
		x[j] = rsie_boxed(c, v);
	}
	SYNC;
}

/* Writes row child of Next: the child of p, mutated by the mutation of its run. */
DEVICE void rsie_mutate(const rsie_call *c, int worker, const rsie_run *t, const rsie_plan *plan,
	const rsie_parents *p, rsie_address a, int64_t child, float strength)
{
	float *x = rsie_point(c, &c->next, child);
	int drop = t->mutation == MUTATE_DROPOUT;
	if (t->mutation == MUTATE_SVD || plan->inverse == -INFINITY) {
		rsie_cross_columns(x, p, 0, c->dim);
		SYNC;
		if (t->mutation == MUTATE_SVD) rsie_scale(c, a, child, plan->limit, strength);
	} else if (plan->inverse == 0) {
		rsie_walk_all(c, x, rsie_noise(c, worker, 0), p, a, strength, drop);
	} else {
		rsie_walk(x, c->dim, p, a, plan->inverse, strength, drop);
	}
	if (!drop) {
		rsie_reflect(c, x);
	} else if (c->closed) {
		EACH(j, 0, c->dim) x[j] = rsie_boxed(c, x[j]);
		SYNC;
	}
}
#endif
