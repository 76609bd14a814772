/* The phases of the operations on populations and of what both families share. */
#ifndef RSIE_POPULATION_OPS_H
#define RSIE_POPULATION_OPS_H

#include "breed.h"
#include "factor.h"
#include "rank.h"
#include "replace.h"
#include "share.h"

#define PARENT_ROWS 128 /* children of one span that get their parents together */

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

static int host_breeds(const rsie_run *t) { return rsie_breeds(t); }

static void op_breed(rsie_host *h)
{
	rsie_call *c = h->c;
	host_each_run(h, host_breeds, K_breed_plan);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (rsie_breeds(t) && t->mutation != MUTATE_DIFFERENTIAL)
			host_add(h, r, (int)t->elites, (int)t->members, PARENT_ROWS);
	}
	host_launch(h, K_breed_parents);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		/* A decomposition costs more than everything else of a child. */
		if (rsie_breeds(t))
			host_add(h, r, (int)t->elites, (int)t->members, t->mutation == MUTATE_SVD ? 1 : c->rows);
	}
	host_launch(h, K_breed_rows);
}

static void op_survive(rsie_host *h)
{
	rsie_call *c = h->c;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (rsie_active(&c->runs[r])) host_add(h, r, 0, (int)c->runs[r].elites, c->rows);
	host_launch(h, K_survive_rows);
}

static void op_rank(rsie_host *h) { host_each_run(h, host_active, K_rank_run); }

static void op_measure(rsie_host *h)
{
	rsie_call *c = h->c;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (rsie_active(&c->runs[r])) host_add(h, r, 0, c->dim, COLUMNS);
	host_launch(h, K_measure_columns);
	host_each_run(h, host_active, K_measure_run);
}

static int host_concludes(const rsie_run *t) { return rsie_concludes(t); }
static int host_shares(const rsie_run *t) { return rsie_shares(t); }

static void op_replace(rsie_host *h)
{
	rsie_call *c = h->c;
	host_each_run(h, host_concludes, K_replace_conclude);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (rsie_breeds(&c->runs[r]) && (c->runs[r].flags & FLAG_PAIRWISE))
			host_add(h, r, 0, (int)c->runs[r].members, c->rows);
	host_launch(h, K_replace_rows);
}

/* Lists the spans of [from, members) of the runs that share; returns their number. */
static int host_sharing(rsie_host *h, int from, int rows)
{
	host_clear(h);
	for (int r = 0; r < h->c->run_count; r++)
		if (rsie_shares(&h->c->runs[r])) host_add(h, r, from, (int)h->c->runs[r].members, rows);
	return h->count;
}

static void op_share(rsie_host *h)
{
	rsie_call *c = h->c;
	host_each_run(h, host_active, K_share_copy);
	host_clear(h);
	for (int r = 0; r < c->run_count; r++)
		if (rsie_shares(&c->runs[r])) host_add(h, r, 0, c->dim, COLUMNS);
	if (h->count == 0) return;
	host_launch(h, K_share_centroid);
	host_sharing(h, 0, c->rows);
	host_launch(h, K_share_distance);
	host_each_run(h, host_shares, K_share_open);
	/* The last place leads no one. */
	for (int place = 0; host_sharing(h, place + 1, c->rows / 16 > 1 ? c->rows / 16 : 1) > 0; place += TILE_LEADERS) {
		host_launch(h, K_share_near);
		host_each_run(h, host_shares, K_share_clear);
	}
	host_each_run(h, host_shares, K_share_close);
}

static void op_factor(rsie_host *h)
{
	rsie_call *c = h->c;
	if (c->factors == 0) return;
	host_clear(h);
	for (int r = 0; r < c->run_count; r++) {
		const rsie_run *t = &c->runs[r];
		if (rsie_active(t) && t->family == FAMILY_POPULATION && t->mutation == MUTATE_SVD)
			host_add(h, r, 0, (int)t->members, FACTOR_ROWS);
	}
	host_launch(h, K_factor_members);
}
#endif
