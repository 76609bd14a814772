/* The phases of the operations of distributions. */
#ifndef RSIE_DISTRIBUTION_OPS_H
#define RSIE_DISTRIBUTION_OPS_H

#include "probe.h"
#include "settle.h"
#include "update.h"

static int host_updates(const rsie_run *t) { return rsie_updates(t); }
static int host_drew(const rsie_run *t) { return rsie_distributes(t) && (t->flags & FLAG_DRAWS); }
static int host_probes(const rsie_run *t) { return rsie_probes(t); }
static int host_sums(const rsie_run *t) { return rsie_updates(t) && t->scales != SCALES_FAST_NES; }
static int host_scales_full(const rsie_run *t)
{
	return rsie_updates(t) && rsie_correlates(t) && t->scales != SCALES_NONE;
}
static int host_orthogonal(const rsie_run *t)
{
	return rsie_distributes(t) && t->sampling == SAMPLE_ORTHOGONAL && !(t->flags & FLAG_DRAWS);
}

/* Runs kernel on all parameters of every run that want selects, some columns at a time. */
static void host_columns(rsie_host *h, int (*want)(const rsie_run *), int kernel, int size)
{
	host_clear(h);
	for (int r = 0; r < h->c->run_count; r++)
		if (want(&h->c->runs[r])) host_add(h, r, 0, h->c->dim, size);
	host_launch(h, kernel);
}

static void op_sample(rsie_host *h)
{
	rsie_call *c = h->c;
	host_columns(h, host_distributes, K_set_steps, PIECE);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (host_orthogonal(t)) host_add(h, r, 0, (rsie_samples_of(t) + c->dim - 1) / c->dim, 1);
	}
	host_launch(h, K_orthogonalise);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (!rsie_active(t) || t->family == FAMILY_POPULATION) continue;
		int rows = t->flags & FLAG_MIRRORED ? (c->rows + 1) / 2 * 2 : c->rows; /* pairs stay together */
		host_add(h, r, (int)t->eval_from, (int)t->eval_to, rows);
	}
	host_launch(h, K_sample_rows);
}

static void op_update(rsie_host *h)
{
	rsie_call *c = h->c;
	host_each_run(h, host_updates, K_set_weights);
	host_columns(h, host_updates, K_set_steps, PIECE);
	host_each_run(h, host_scales_full, K_set_variance);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (host_sums(&c->runs[r])) host_add(h, r, 0, (int)c->runs[r].eval_to, c->rows);
	host_launch(h, K_shorten);
	host_columns(h, host_sums, K_sum_columns, COLUMNS);
	host_each_run(h, host_updates, K_update_run);
	host_each_run(h, host_drew, K_start_at_best);
}

static void op_probe(rsie_host *h) { host_each_run(h, host_probes, K_write_probes); }
static void op_settle(rsie_host *h) { host_each_run(h, host_probes, K_settle_run); }

#endif
