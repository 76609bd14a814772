/* survive copies the best members of Now, in order, to rows [0, Elites) of Next, the best point so
 * far to row 0 of a distribution run with Elites = 1: see rsie.OpSurvive; the twin is survive.go
 * of package cpu. */
#ifndef RSIE_SURVIVE_H
#define RSIE_SURVIVE_H

#include "access.h"

/* Copies the factors of member from of Now to member to of Next. */
DEVICE void rsie_copy_factors(const rsie_call *c, int64_t to, int64_t from)
{
	if (!c->factors) return;
	float *RESTRICT f = c->next.factors + to * c->factors;
	const float *g = c->now.factors + from * c->factors;
	uint32_t *RESTRICT valid = rsie_valid(c, &c->next, to);
	const uint32_t *was = rsie_valid(c, &c->now, from);
	EACH(j, 0, c->factors) f[j] = g[j];
	EACH(b, 0, c->block_count) valid[b] = was[b];
}

/* Copies the point, the fitness, what the member drew and its factors from Now to Next. */
DEVICE void rsie_carry(const rsie_call *c, int64_t to, int64_t from, uint32_t parent)
{
	float *RESTRICT x = rsie_point(c, &c->next, to);
	const float *y = rsie_point(c, &c->now, from);
	EACH(j, 0, c->stride) x[j] = y[j];
	ONCE {
		c->next.fitness[to] = c->now.fitness[from];
		c->next.parent[to] = parent;
		if (c->next.strengths) {
			c->next.strengths[to] = c->now.strengths[from];
			c->next.rates[to] = c->now.rates[from];
		}
	}
	rsie_copy_factors(c, to, from);
}

KERNEL void survive_rows(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	int64_t first = t->offset;
	if (t->family == FAMILY_DISTRIBUTION) {
		float *RESTRICT x = rsie_point(c, &c->next, first);
		const float *best = rsie_vector(c, s.run, VEC_BEST);
		EACH(j, 0, c->dim) x[j] = best[j];
		ONCE {
			c->next.fitness[first] = rsie_memory(c, s.run)[MEM_BEST];
			c->next.parent[first] = 0;
		}
		return;
	}
	for (int i = s.from; i < s.to; i++) rsie_carry(c, first + i, first + c->now.order[first + i], (uint32_t)i);
}
#endif
