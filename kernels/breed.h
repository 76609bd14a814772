/* breed makes rows [Elites, Members) of population runs: see rsie.OpBreed; the twin is breed.go of
 * package cpu. Three phases: what a run's children have in common, the parents of all children,
 * the children. */
#ifndef RSIE_BREED_H
#define RSIE_BREED_H

#include "differential.h"
#include "initialise.h"
#include "mutate.h"
#include "select.h"

/* The population runs that have parents. */
DEVICE int rsie_breeds(const rsie_run *t)
{
	return rsie_active(t) && t->family == FAMILY_POPULATION && !(t->flags & FLAG_BEGIN);
}

KERNEL void breed_plan(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	const float *m = rsie_memory(c, s.run), *fitness = c->now.fitness + t->offset;
	rsie_plan *p = &c->plans[s.run];
	int n = (int)t->previous;
	double rate = t->rate, strength = t->strength;
	if (t->flags & FLAG_ADAPTIVE) rate *= 2 - rsie_spread_ratio(m[MEM_SPREAD], m[MEM_SPREAD0]);
	if (t->mutation == MUTATE_ADAPTIVE) strength *= m[MEM_STEP];
	ONCE {
		float worst = 0, best = 0;
		if (t->crossover == CROSS_WEIGHTED_MERGE) rsie_finite_range(fitness, n, &worst, &best);
		p->worst = worst;
		if (t->selection == SELECT_ROULETTE) {
			const float *weighed = c->now.selection + t->offset;
			rsie_finite_range(weighed, n, &worst, &best);
			p->tickets = rsie_tickets(c->lottery + t->offset, weighed, n, worst, best);
		}
		p->rate = (float)rate;
		p->limit = rsie_limit(rate);
		p->strength = (float)strength;
		p->inverse = rsie_inverse_gap(rate);
		p->fresh = rsie_immigrants(t, m);
	}
}

/* Writes the parents of rows [from, to). */
KERNEL void breed_parents(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	const rsie_plan *p = &c->plans[s.run];
	if (t->selection == SELECT_TOURNAMENT)
		rsie_tournaments(c, t, s.from, s.to);
	else
		rsie_draws(c, t, p, s.from, s.to);
	uint32_t *RESTRICT one = c->next.parent + t->offset, *RESTRICT two = rsie_spare(c) + t->offset;
	uint32_t limit = rsie_limit(t->crossover_rate), best = c->now.choice[t->offset];
	int first = t->flags & FLAG_BEST_BREEDS ? (int)t->elites : -1;
	rsie_address a = rsie_address_of(t, 0);
	EACH(i, s.from, s.to) {
		uint32_t w = rsie_philox(0, (uint32_t)i, a.generation, a.run << 8 | STREAM_CROSS, a.k0, a.k1).w[0];
		uint32_t x = i == first ? best : one[i];
		one[i] = x;
		two[i] = w >> 8 < limit ? two[i] : x;
	}
}

KERNEL void breed_rows(const rsie_call *c, int worker, rsie_span s)
{
	const rsie_run *t = &c->runs[s.run];
	const rsie_plan *p = &c->plans[s.run];
	int64_t offset = t->offset;
	for (int i = s.from; i < s.to; i++) {
		if (i >= p->fresh) {
			rsie_fresh(c, t, i, STREAM_IMMIGRANT);
			continue;
		}
		rsie_address a = rsie_address_of(t, i);
		if (t->mutation == MUTATE_DIFFERENTIAL) {
			rsie_differ(c, t, s.run, p, a, (uint32_t *)rsie_noise(c, worker, 0));
			continue;
		}
		int64_t child = offset + i, first = offset + c->next.parent[child], second = offset + rsie_spare(c)[child];
		rsie_parents parents = rsie_cross(c, t, p, a, child, first, second);
		float strength = p->strength;
		if (t->mutation == MUTATE_SELF_ADAPTIVE)
			strength = (float)(p->strength * rsie_own_step(c, t, s.run, a, first));
		rsie_mutate(c, worker, t, p, &parents, a, child, strength);
	}
}
#endif
