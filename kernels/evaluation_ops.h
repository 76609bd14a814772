/* The phases of the operations of evaluation. */
#ifndef RSIE_EVALUATION_OPS_H
#define RSIE_EVALUATION_OPS_H

#include "evaluate.h"

/* Members of one span: few keep the workers equally busy to the end, eight amortise the rest. Episodes
 * are uneven, and lanes idle at the end of a span, so their spans are longer. */
static int host_evaluation_rows(const rsie_program *p, int total, int workers)
{
	int rows = total / (16 * workers), least = 1, most = 8;
	if (p->loss == LOSS_RETURN) {
		rows = total / (4 * workers);
		least = (FLIGHT + p->samples - 1) / p->samples;
		most = p->samples < MOST_EPISODES ? MOST_EPISODES / p->samples : 1;
	}
	rows = rows > most ? most : rows;
	return rows < least ? least : rows;
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
			host_add(h, r, (int)t->eval_from, (int)t->members, host_evaluation_rows(c->program, total, c->workers));
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
			host_add(h, r, (int)(t->members - t->probes), (int)t->members, 2);
	}
	host_launch(h, K_evaluate_probe_rows);
}

#endif
