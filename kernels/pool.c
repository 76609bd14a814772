//go:build cgo

#define _GNU_SOURCE
#include "pool.h"
#include <pthread.h>
#include <stdatomic.h>

/* Turns a thread looks for the next phase before it sleeps: about 20 us. */
#define SPINS 2000

struct rsie_pool {
	rsie_host host;
	int workers;
	pthread_t *threads;
	pthread_mutex_t lock;
	pthread_cond_t wake, done;
	/* The phase in progress, written before phase grows. */
	const rsie_call *call;
	rsie_kernel kernel;
	const rsie_span *spans;
	int count;
	atomic_int taken, busy;
	atomic_uint phase;
	atomic_int stop, sleeping;
	int waiting; /* the caller sleeps until busy is 0 */
};

typedef struct {
	rsie_pool *pool;
	int worker;
} start;

static void pause_cpu(void)
{
#if defined(__x86_64__)
	__builtin_ia32_pause();
#else
	atomic_signal_fence(memory_order_seq_cst);
#endif
}

static void work(rsie_pool *p, int worker)
{
	for (;;) {
		int i = atomic_fetch_add(&p->taken, 1);
		if (i >= p->count) return;
		p->kernel(p->call, worker, p->spans[i]);
	}
}

static void *thread(void *arg)
{
	start s = *(start *)arg;
	rsie_pool *p = s.pool;
	free(arg);
	unsigned seen = 0;
	for (;;) {
		for (int i = 0; i < SPINS && atomic_load(&p->phase) == seen && !atomic_load(&p->stop); i++) pause_cpu();
		if (atomic_load(&p->phase) == seen) {
			pthread_mutex_lock(&p->lock);
			atomic_fetch_add(&p->sleeping, 1);
			while (atomic_load(&p->phase) == seen && !atomic_load(&p->stop)) pthread_cond_wait(&p->wake, &p->lock);
			atomic_fetch_sub(&p->sleeping, 1);
			pthread_mutex_unlock(&p->lock);
		}
		if (atomic_load(&p->stop)) return NULL;
		seen = atomic_load(&p->phase);
		work(p, s.worker);
		if (atomic_fetch_sub(&p->busy, 1) == 1) {
			pthread_mutex_lock(&p->lock);
			if (p->waiting) pthread_cond_signal(&p->done);
			pthread_mutex_unlock(&p->lock);
		}
	}
}

rsie_pool *rsie_pool_new(int workers)
{
	rsie_pool *p = calloc(1, sizeof *p);
	if (!p) return NULL;
	p->workers = 1;
	p->threads = calloc((size_t)workers, sizeof *p->threads);
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->wake, NULL);
	pthread_cond_init(&p->done, NULL);
	for (int i = 1; p->threads && i < workers; i++) {
		start *s = malloc(sizeof *s);
		if (s) *s = (start){p, i};
		if (!s || pthread_create(&p->threads[i], NULL, thread, s)) {
			free(s);
			rsie_pool_free(p);
			return NULL;
		}
		p->workers++;
	}
	return p;
}

void rsie_pool_free(rsie_pool *p)
{
	pthread_mutex_lock(&p->lock);
	atomic_store(&p->stop, 1);
	pthread_cond_broadcast(&p->wake);
	pthread_mutex_unlock(&p->lock);
	for (int i = 1; i < p->workers; i++) pthread_join(p->threads[i], NULL);
	pthread_cond_destroy(&p->wake);
	pthread_cond_destroy(&p->done);
	pthread_mutex_destroy(&p->lock);
	free(p->threads);
	free(p->host.spans);
	free(p);
}

rsie_host *rsie_pool_host(rsie_pool *p) { return &p->host; }

void rsie_pool_each(rsie_pool *p, const rsie_call *c, rsie_kernel k, const rsie_span *spans, int count)
{
	p->call = c;
	p->kernel = k;
	p->spans = spans;
	p->count = count;
	atomic_store(&p->taken, 0);
	if (count < 2 || p->workers < 2) {
		work(p, 0);
		return;
	}
	atomic_store(&p->busy, p->workers - 1);
	atomic_fetch_add(&p->phase, 1);
	if (atomic_load(&p->sleeping) > 0) {
		pthread_mutex_lock(&p->lock);
		pthread_cond_broadcast(&p->wake);
		pthread_mutex_unlock(&p->lock);
	}
	work(p, 0);
	for (int i = 0; i < SPINS && atomic_load(&p->busy) > 0; i++) pause_cpu();
	if (atomic_load(&p->busy) > 0) {
		pthread_mutex_lock(&p->lock);
		p->waiting = 1;
		while (atomic_load(&p->busy) > 0) pthread_cond_wait(&p->done, &p->lock);
		p->waiting = 0;
		pthread_mutex_unlock(&p->lock);
	}
}
