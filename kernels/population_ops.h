/* The phases of the operations on populations and of what both families share. */
#ifndef RSIE_POPULATION_OPS_H
#define RSIE_POPULATION_OPS_H

#include "initialise.h"

static void op_initialise(rsie_host *h)
{
	rsie_call *c = h->c;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (!rsie_active(t) || !(t->flags & FLAG_BEGIN)) continue;
		if (t->family == FAMILY_POPULATION)
			host_add(h, r, 0, (int)t->members, c->rows);
		else
			host_add(h, r, 0, 1, 1);
	}
	host_launch(h, K_initialise_rows);
}

#endif
