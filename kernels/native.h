/* The native backend: the body of one variant, compiled once per instruction set. The including
 * file defines VARIANT, a suffix, and sets the target. */
#include "operations.h"
#include "peak.h"
#include "pool.h"

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)

static const rsie_kernel kernels[K_COUNT] = {
#define X(name) name,
#include "kernels.def"
#undef X
};

static void launch(rsie_host *h, int kernel)
{
	rsie_pool_each((rsie_pool *)h->pool, h->c, kernels[kernel], h->spans, h->count);
}

/* Runs n operations in order. Returns 0, or -1 without memory, or the number of an operation that
 * is missing. */
int JOIN(rsie_do_, VARIANT)(rsie_pool *pool, rsie_call *c, const uint8_t *ops, int n)
{
	rsie_host *h = rsie_pool_host(pool);
	h->c = c;
	h->launch = launch;
	h->pool = pool;
	h->failed = 0;
	for (int i = 0; i < n; i++) {
		if (ops[i] == 0 || ops[i] >= OP_COUNT || !rsie_operations[ops[i]]) return ops[i] ? ops[i] : 255;
		rsie_operations[ops[i]](h);
		if (h->failed) return -1;
	}
	return 0;
}

/* Writes the outputs of n points to c->predicted. Returns 0, or -1 without memory. */
int JOIN(rsie_predict_, VARIANT)(rsie_pool *pool, rsie_call *c, int n)
{
	rsie_host *h = rsie_pool_host(pool);
	h->c = c;
	h->launch = launch;
	h->pool = pool;
	h->failed = 0;
	host_clear(h);
	host_add(h, 0, 0, n, 1);
	host_launch(h, K_predict_rows);
	return h->failed ? -1 : 0;
}

/* Does rounds of arithmetic at full speed and returns the number of operations, 0 where none is
 * written for the variant. */
double JOIN(rsie_peak_, VARIANT)(int rounds) { return rsie_chains(rounds); }
