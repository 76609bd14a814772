/* share writes Next.Selection and Next.Choice: see rsie.OpShare; the twin is share.go of package
 * cpu, which has the formulas and the source. near and cleared are indexed by place. */
#ifndef RSIE_SHARE_H
#define RSIE_SHARE_H

#include "measure.h"
#include "rank.h"

/* Possible niche leaders whose distances are found together, one bit each. */
#define TILE_LEADERS 64

/* How far the walk over a run has come. */
typedef struct {
	float worst, best;
	float radius;   /* squared */
	float farthest; /* largest distance to the centroid, squared */
	int32_t place;  /* first place of the next tile */
	int32_t end;    /* places from here on have no finite fitness */
} rsie_niches;

DEVICE int rsie_shares(const rsie_run *t)
{
	return rsie_active(t) && t->family == FAMILY_POPULATION && (t->flags & FLAG_SHARING);
}

DEVICE rsie_niches *rsie_niches_of(const rsie_call *c, int run) { return (rsie_niches *)c->niches + run; }

KERNEL void share_copy(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	float *RESTRICT selection = c->next.selection + t->offset;
	uint32_t *RESTRICT choice = c->next.choice + t->offset;
	const float *fitness = c->next.fitness + t->offset;
	const uint32_t *order = c->next.order + t->offset;
	EACH(i, 0, (int)t->members) {
		selection[i] = fitness[i];
		choice[i] = order[i];
	}
}

KERNEL void share_centroid(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	rsie_column_means(c, rsie_scratch(c, c->centroid, s.run), s);
}

/* |a - b| squared, or a part of it that is above the limit. */
DEVICE float rsie_apart(const float *a, const float *b, int n, float limit)
{
	float all = 0;
	for (int at = 0; at < n && !(all > limit); at += COLUMNS) {
		float part;
		int to = at + COLUMNS < n ? at + COLUMNS : n;
		SUM(part, j, at, to, acc, fmaf(a[j] - b[j], a[j] - b[j], acc));
		all = all + part;
	}
	return all;
}

KERNEL void share_distance(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	int64_t first = c->runs[s.run].offset;
	const float *centroid = rsie_scratch(c, c->centroid, s.run);
	for (int i = s.from; i < s.to; i++) {
		float d = rsie_apart(rsie_point(c, &c->next, first + i), centroid, c->dim, INFINITY);
		ONCE c->distance[first + i] = d;
	}
}

KERNEL void share_open(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	int n = (int)t->members, end = 0;
	const float *fitness = c->next.fitness + t->offset, *distance = c->distance + t->offset;
	const uint32_t *order = c->next.order + t->offset;
	uint8_t *cleared = c->cleared + t->offset;
	float sum, farthest = 0;
	SUM(sum, i, 0, n, acc, acc + distance[i]);
	for (int i = 0; i < n; i++)
		if (distance[i] > farthest) farthest = distance[i];
	while (end < n && rsie_finite(fitness[order[end]])) end++;
	EACH(i, 0, n) cleared[i] = 0;
	ONCE {
		rsie_niches *k = rsie_niches_of(c, s.run);
		rsie_finite_range(fitness, n, &k->worst, &k->best);
		k->radius = sum / (float)n * 0.25f;
		k->farthest = farthest;
		k->place = 0;
		k->end = end;
	}
}

/* Sets bit b of near when leader b of the tile stands before the member and within the radius. */
KERNEL void share_near(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_niches *k = rsie_niches_of(c, s.run);
	int64_t first = c->runs[s.run].offset;
	const uint32_t *order = c->next.order + first;
	const uint8_t *cleared = c->cleared + first;
	float radius = k->radius;
	for (int q = s.from; q < s.to && q < k->end; q++) {
		uint64_t bits = 0;
		const float *x = rsie_point(c, &c->next, first + order[q]);
		for (int b = 0; !cleared[q] && b < TILE_LEADERS && k->place + b < q; b++) {
			int p = k->place + b;
			if (cleared[p]) continue;
			float d = rsie_apart(x, rsie_point(c, &c->next, first + order[p]), c->dim, radius);
			if (d <= radius) bits |= (uint64_t)1 << b;
		}
		ONCE c->near[first + q] = bits;
	}
}

/* Lets the leaders of a tile clear the places after them. */
KERNEL void share_clear(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	rsie_niches *k = rsie_niches_of(c, s.run);
	const uint64_t *near = c->near + t->offset;
	uint8_t *cleared = c->cleared + t->offset;
	ONCE {
		for (int b = 0; b < TILE_LEADERS && k->place + b < k->end; b++) {
			int p = k->place + b;
			uint32_t kept = 1;
			for (int q = p + 1; !cleared[p] && q < k->end; q++) {
				if (cleared[q] || !(near[q] >> b & 1)) continue;
				if (kept < t->niche)
					kept++;
				else
					cleared[q] = 1;
			}
		}
		k->place += TILE_LEADERS;
	}
}

KERNEL void share_close(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	const rsie_niches *k = rsie_niches_of(c, s.run);
	float *selection = c->next.selection + t->offset;
	const uint32_t *order = c->next.order + t->offset;
	const float *distance = c->distance + t->offset;
	const uint8_t *cleared = c->cleared + t->offset;
	float worst = k->worst, farthest = k->farthest;
	float bonus = (float)(t->diversity_bonus * ((double)worst - k->best));
	if (!(farthest > 0) || farthest == INFINITY) bonus = 0;
	EACH(q, 0, k->end) {
		uint32_t i = order[q];
		float v = cleared[q] ? worst : selection[i];
		if (bonus > 0 && distance[i] <= farthest) v = v - bonus * sqrtf(distance[i] / farthest);
		selection[i] = v;
	}
	SYNC;
	rsie_order(c, c->next.choice + t->offset, selection, t->offset, (int)t->members);
}
#endif
