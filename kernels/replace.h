/* replace settles what children and their elders leave to the next generation: see rsie.OpReplace;
 * the twin is replace.go of package cpu, which has the formulas and the sources. */
#ifndef RSIE_REPLACE_H
#define RSIE_REPLACE_H

#include "breed.h"

/* The runs that carry something over from one generation to the next. */
DEVICE int rsie_concludes(const rsie_run *t)
{
	if (rsie_distributes(t)) return t->archive > 0;
	return rsie_breeds(t) && ((t->flags & FLAG_PAIRWISE) || t->groups > 0);
}

/* The member of Now that row i is compared with. */
DEVICE int64_t rsie_rival(const rsie_call *c, const rsie_run *t, int i)
{
	return (int64_t)t->offset + c->now.order[t->offset + (uint32_t)i % t->previous];
}

/* Copies a point and its fitness to a row of the archive. */
DEVICE void rsie_archive(const rsie_call *c, const rsie_run *t, uint32_t row, const float *x, float fitness)
{
	float *RESTRICT kept = rsie_kept(c, t, row);
	EACH(j, 0, c->dim) kept[j] = x[j];
	ONCE c->archived[t->archive_at + row] = fitness;
	SYNC;
}

/* Keeps the best points of a distribution run by plus selection. */
DEVICE void rsie_keep_parents(const rsie_call *c, const rsie_run *t, int run)
{
	uint32_t used = rsie_archived(c, t, run);
	const float *kept = c->archived + t->archive_at;
	for (int i = (int)t->eval_from; i < (int)t->eval_to; i++) {
		int64_t m = (int64_t)t->offset + i;
		float f = c->next.fitness[m];
		uint32_t row = used;
		if (!rsie_finite(f)) continue;
		if (used < t->archive) {
			used++;
		} else {
			row = 0;
			for (uint32_t k = 0; k < t->archive; k++)
				if (kept[k] > kept[row]) row = k;
			if (f >= kept[row]) continue;
		}
		SYNC;
		rsie_archive(c, t, row, rsie_point(c, &c->next, m), f);
	}
	SYNC;
	ONCE rsie_memory(c, run)[MEM_ARCHIVE] = (float)used;
}

/* Fills the archive of a differential run. */
DEVICE void rsie_keep_replaced(const rsie_call *c, const rsie_run *t, int run)
{
	uint32_t used = rsie_archived(c, t, run);
	for (int i = 0; i < (int)t->members; i++) {
		int64_t x = rsie_rival(c, t, i);
		if (!(c->next.fitness[t->offset + i] < c->now.fitness[x])) continue;
		uint32_t row = used;
		if (used < t->archive)
			used++;
		else
			row = rsie_below(rsie_element(rsie_address_of(t, i), 0, STREAM_ARCHIVE), t->archive);
		rsie_archive(c, t, row, rsie_point(c, &c->now, x), c->now.fitness[x]);
	}
	SYNC;
	ONCE rsie_memory(c, run)[MEM_ARCHIVE] = (float)used;
}

/* Writes one entry of the success history; one lane. */
DEVICE void rsie_learn_rates(const rsie_call *c, const rsie_run *t, int run)
{
	double sum = 0, f = 0, ff = 0, cr = 0, crcr = 0;
	int count = 0;
	const float *fitness = c->next.fitness + t->offset;
	for (int i = 0; i < (int)t->members; i++) {
		float x = c->now.fitness[rsie_rival(c, t, i)];
		if (!(fitness[i] < x)) continue;
		sum += (double)x - fitness[i];
		count++;
	}
	if (count == 0) return;
	for (int i = 0; i < (int)t->members; i++) {
		float x = c->now.fitness[rsie_rival(c, t, i)];
		if (!(fitness[i] < x)) continue;
		double weight = sum < RSIE_WORST / 2 ? ((double)x - fitness[i]) / sum : 1.0 / count;
		double a = c->next.strengths[t->offset + i], b = c->next.rates[t->offset + i];
		f += weight * a;
		ff += weight * a * a;
		cr += weight * b;
		crcr += weight * b * b;
	}
	float *m = rsie_memory(c, run), *strengths = rsie_history(c, run), *rates = strengths + MAX_HISTORY;
	uint32_t k = (uint32_t)m[MEM_HISTORY] % t->history;
	strengths[k] = (float)(ff / f);
	if (t->adaptation == HISTORY_SHADE)
		rates[k] = (float)cr;
	else if (cr == 0 || rates[k] == TERMINAL)
		rates[k] = TERMINAL;
	else
		rates[k] = (float)(crcr / cr);
	m[MEM_HISTORY] = (float)((k + 1) % t->history);
}

/* Changes the steps of the groups by the gains of their children; one lane. */
DEVICE void rsie_adapt_groups(const rsie_call *c, const rsie_run *t, int run)
{
	double gain[MAX_HISTORY];
	float old[MAX_HISTORY], *steps = rsie_history(c, run);
	int by_gain[MAX_HISTORY], groups = (int)t->groups;
	for (int k = 0; k < groups; k++) gain[k] = INFINITY;
	int from = (int)(t->elites > t->eval_from ? t->elites : t->eval_from);
	for (int i = from; i < (int)t->eval_to; i++) {
		int64_t child = (int64_t)t->offset + i;
		double d = (double)c->next.fitness[child] - c->now.fitness[t->offset + c->next.parent[child]];
		int k = rsie_group(t, i);
		if (d < gain[k]) gain[k] = d;
	}
	for (int k = 0; k < groups; k++) { /* insertion keeps equal ones in order */
		int at = k;
		for (; at > 0 && gain[by_gain[at - 1]] > gain[k]; at--) by_gain[at] = by_gain[at - 1];
		by_gain[at] = k;
		old[k] = steps[k];
	}
	for (int k = 0; k < groups; k++) {
		rsie_quad w = rsie_words(rsie_address_of(t, k), 0, STREAM_ARCHIVE);
		uint32_t better = groups / 2 > 1 ? (uint32_t)groups / 2 : 1;
		uint32_t chosen = k > 0 ? rsie_below(w.w[0], better) : 0;
		steps[k] = (float)rsie_changed_step(old[by_gain[chosen]], t->step_factor, w.w[1]);
	}
}

KERNEL void replace_conclude(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	if (t->family == FAMILY_DISTRIBUTION) {
		rsie_keep_parents(c, t, s.run);
		return;
	}
	if (t->mutation == MUTATE_DIFFERENTIAL && (t->flags & FLAG_PAIRWISE)) {
		if (t->adaptation != HISTORY_NONE) ONCE rsie_learn_rates(c, t, s.run);
		if (t->archive > 0) rsie_keep_replaced(c, t, s.run);
	}
	if (t->groups > 0 && t->mutation == MUTATE_SELF_ADAPTIVE) ONCE rsie_adapt_groups(c, t, s.run);
}

KERNEL void replace_rows(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	for (int i = s.from; i < s.to; i++) {
		int64_t to = (int64_t)t->offset + i, from = rsie_rival(c, t, i);
		int stays = c->next.fitness[to] <= c->now.fitness[from];
		SYNC; /* the fitness is written below */
		if (!stays) rsie_carry(c, to, from, (uint32_t)(from - t->offset));
	}
}
#endif
