/* settle keeps what the probes found: see rsie.OpSettle and probe.go of package cpu, the twin. */
#ifndef RSIE_SETTLE_H
#define RSIE_SETTLE_H

#include "adapt.h"

KERNEL void settle_run(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	int r = s.run;
	const rsie_run *t = &c->runs[r];
	float *m = rsie_memory(c, r), *best = rsie_vector(c, r, VEC_BEST), *mean = rsie_vector(c, r, VEC_MEAN);
	int64_t first = (int64_t)t->offset + t->members - t->probes;
	const float *fitness = c->next.fitness + first;
	for (int k = 0; k < (int)t->probes; k++) {
		const float *x = rsie_point(c, &c->next, first + k);
		int better = fitness[k] < m[MEM_BEST];
		SYNC;
		if (!better) continue;
		ONCE m[MEM_BEST] = fitness[k];
		EACH(j, 0, c->dim) best[j] = x[j];
		SYNC;
	}
	if (t->probes < 2) return;
	int better = fitness[1] < fitness[0];
	const float *x = rsie_point(c, &c->next, first + 1);
	if (better) EACH(j, 0, c->dim) mean[j] = x[j];
	if (t->control == CONTROL_TWO_POINT) rsie_scale_sigma(c, r, better ? t->step_gain : -t->step_gain);
}
#endif
