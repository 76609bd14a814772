/* probe writes the points that a run evaluates after its update: see rsie.OpProbe and probe.go of
 * package cpu, the twin. */
#ifndef RSIE_PROBE_H
#define RSIE_PROBE_H

#include "access.h"

DEVICE int rsie_probes(const rsie_run *t) { return rsie_distributes(t) && t->probes > 0; }

KERNEL void write_probes(const rsie_call *c, int worker, rsie_span s)
{
	(void)worker;
	const rsie_run *t = &c->runs[s.run];
	const float *mean = rsie_vector(c, s.run, VEC_MEAN), *before = rsie_vector(c, s.run, VEC_BEFORE);
	for (int k = 0; k < (int)t->probes; k++) {
		float *x = rsie_point(c, &c->next, (int64_t)t->offset + t->members - t->probes + k), far = (float)k;
		EACH(j, 0, c->dim) x[j] = fmaf(far, mean[j] - before[j], mean[j]);
		SYNC;
		rsie_clip(c, x);
	}
}
#endif
