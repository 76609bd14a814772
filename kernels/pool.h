/* Threads that share the spans of a phase. */
#ifndef RSIE_POOL_H
#define RSIE_POOL_H

#include "host.h"

typedef struct rsie_pool rsie_pool;

/* Starts workers - 1 threads; NULL without memory or threads. The caller is worker 0. */
rsie_pool *rsie_pool_new(int workers);
void rsie_pool_free(rsie_pool *);
rsie_host *rsie_pool_host(rsie_pool *);
/* Runs k on every span and returns when all are done. */
void rsie_pool_each(rsie_pool *, const rsie_call *, rsie_kernel, const rsie_span *, int count);
#endif
