/* Selection of the parents of all children of a span at once; the twin is select.go of package
 * cpu, which says what is drawn. Every lane has its own children. */
#ifndef RSIE_SELECT_H
#define RSIE_SELECT_H

#include "measure.h"

/* The upper half of a product. */
DEVICE uint64_t rsie_high64(uint64_t a, uint64_t b)
{
#if defined(__CUDA_ARCH__)
	return __umul64hi(a, b);
#else
	return (uint64_t)((unsigned __int128)a * b >> 64);
#endif
}

/* Second parents of all members. */
DEVICE uint32_t *rsie_spare(const rsie_call *c) { return (uint32_t *)c->near; }

/* Writes the prefix sums of the roulette weights of members and returns the total; one lane. */
DEVICE uint64_t rsie_tickets(uint64_t *sums, const float *f, int n, double worst, double best)
{
	uint64_t total = 0;
	for (int i = 0; i < n; i++) {
		if (worst != worst)
			total++;
		else if (rsie_finite(f[i]))
			total += worst == best ? 1 : (uint64_t)((worst - f[i]) / (worst - best) * 1099511627776.0);
		sums[i] = total;
	}
	return total;
}

/* The first member whose prefix sum is above the ticket. */
DEVICE uint32_t rsie_holder(const uint64_t *sums, int n, uint64_t ticket)
{
	int low = 0, high = n - 1;
	while (low < high) {
		int middle = (low + high) / 2;
		if (sums[middle] > ticket)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

/* A place among n with weight n - 1 - place by a 64-bit draw. */
DEVICE uint32_t rsie_rank_place(uint64_t draw, uint64_t n)
{
	uint64_t ticket = rsie_high64(draw, n * (n - 1) / 2), low = 0, high = n - 1;
	while (low < high) {
		uint64_t middle = (low + high) / 2;
		/* The places up to middle weigh this together. */
		if ((middle + 1) * (n - 1) - middle * (middle + 1) / 2 > ticket)
			high = middle;
		else
			low = middle + 1;
	}
	return (uint32_t)low;
}

/* Writes the members that win the two tournaments of rows [from, to). */
DEVICE void rsie_tournaments(const rsie_call *c, const rsie_run *t, int from, int to)
{
	uint32_t *RESTRICT one = c->next.parent + t->offset, *RESTRICT two = rsie_spare(c) + t->offset;
	const uint32_t *choice = c->now.choice + t->offset;
	uint32_t size = t->tournament, n = t->previous, draws = t->crossover_rate > 0 ? 2 * size : size;
	rsie_address a = rsie_address_of(t, 0);
	EACH(i, from, to) one[i] = two[i] = n - 1;
	for (uint32_t at = 0; at < draws; at += 4) {
		uint32_t not1[4], not2[4]; /* all bits where a draw is of the other tournament or none */
		for (uint32_t k = 0; k < 4; k++) {
			not1[k] = at + k < size ? 0 : ~0u;
			not2[k] = at + k >= size && at + k < 2 * size ? 0 : ~0u;
		}
		EACH(i, from, to) {
			rsie_quad q = rsie_philox(1 + at / 4, (uint32_t)i, a.generation, a.run << 8 | STREAM_SELECT, a.k0, a.k1);
			uint32_t x = one[i], y = two[i];
			for (int k = 0; k < 4; k++) {
				uint32_t place = rsie_below(q.w[k], n), v = place | not1[k], w = place | not2[k];
				x = v < x ? v : x;
				y = w < y ? w : y;
			}
			one[i] = x;
			two[i] = y;
		}
	}
	EACH(i, from, to) {
		one[i] = choice[one[i]];
		two[i] = choice[two[i]];
	}
}

/* Writes the parents of rows [from, to) by a selection that needs one draw each. */
DEVICE void rsie_draws(const rsie_call *c, const rsie_run *t, const rsie_plan *p, int from, int to)
{
	const uint32_t *choice = c->now.choice + t->offset;
	EACH(i, from, to) {
		rsie_quad q = rsie_words(rsie_address_of(t, i), 0, STREAM_SELECT);
		for (int which = 0; which < 2; which++) {
			uint64_t draw = (uint64_t)q.w[2 * which + 1] << 32 | q.w[2 * which];
			uint32_t member;
			if (t->selection == SELECT_ROULETTE)
				member = rsie_holder(c->lottery + t->offset, (int)t->previous, rsie_high64(draw, p->tickets));
			else if (t->selection == SELECT_RANK)
				member = choice[rsie_rank_place(draw, t->previous)];
			else
				member = choice[rsie_below(q.w[2 * which], t->eligible)];
			(which ? rsie_spare(c) : c->next.parent)[t->offset + i] = member;
		}
	}
}
#endif
