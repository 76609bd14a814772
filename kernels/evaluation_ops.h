/* The phases of the operations of evaluation. */
#ifndef RSIE_EVALUATION_OPS_H
#define RSIE_EVALUATION_OPS_H

#include "evaluate.h"

/* Members of one span: few keep the workers equally busy to the end, eight amortise the rest. */
static int host_evaluation_rows(int total, int workers)
{
	int rows = total / (16 * workers);
	return rows < 1 ? 1 : rows > 8 ? 8 : rows;
}

static void op_evaluate(rsie_host *h)
{
	rsie_call *c = h->c;
	int total = 0;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (rsie_active(&c->runs[r])) total += (int)(c->runs[r].members - c->runs[r].eval_from);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (rsie_active(t))
			host_add(h, r, (int)t->eval_from, (int)t->members, host_evaluation_rows(total, c->workers));
	}
	host_launch(h, K_evaluate_rows);
}

static void op_evaluate_probes(rsie_host *h)
{
	rsie_call *c = h->c;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (rsie_distributes(t) && t->probes > 0)
			host_add(h, r, (int)(t->members - t->probes), (int)t->members, 1);
	}
	host_launch(h, K_evaluate_probe_rows);
}

#endif
