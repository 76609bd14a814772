/* What the host does with an operation: a few phases, each a kernel over spans. A host has a
 * launch function, a pool of threads or a CUDA stream. */
#ifndef RSIE_HOST_H
#define RSIE_HOST_H

#include "access.h"
#include <stdlib.h>

typedef struct rsie_host rsie_host;
typedef void (*rsie_kernel)(const rsie_call *c, int worker, rsie_span s);

struct rsie_host {
	rsie_call *c;
	rsie_span *spans; /* of the phase in the making */
	int count, room;
	int failed; /* no memory for spans */
	void (*launch)(rsie_host *h, int kernel); /* runs kernel on all spans and returns when done */
	void *pool;
};

static inline void host_clear(rsie_host *h) { h->count = 0; }

/* Cuts [from, to) of run r into spans of the given size. */
static inline void host_add(rsie_host *h, int r, int from, int to, int size)
{
	for (; from < to; from += size) {
		if (h->count == h->room) {
			int room = h->room ? 2 * h->room : 256;
			rsie_span *more = (rsie_span *)realloc(h->spans, sizeof(rsie_span) * (size_t)room);
			if (!more) {
				h->failed = 1;
				return;
			}
			h->spans = more;
			h->room = room;
		}
		rsie_span s = {r, from, from + size < to ? from + size : to};
		h->spans[h->count++] = s;
	}
}

static inline void host_launch(rsie_host *h, int kernel)
{
	if (h->count > 0 && !h->failed) h->launch(h, kernel);
}

/* Runs kernel once for every run that want selects. */
static inline void host_each_run(rsie_host *h, int (*want)(const rsie_run *), int kernel)
{
	host_clear(h);
	for (int r = 0; r < h->c->run_count; r++)
		if (want(&h->c->runs[r])) host_add(h, r, 0, 1, 1);
	host_launch(h, kernel);
}

static inline int host_active(const rsie_run *t) { return rsie_active(t); }
static inline int host_distributes(const rsie_run *t) { return rsie_distributes(t); }
#endif
