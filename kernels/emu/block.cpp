/* Blocks of threads as fibers. */
#include "cuda_emulation.h"
#include "emu.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

emu_dim threadIdx, blockIdx, blockDim, gridDim;
const char *emu_running;

void emu_fail(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fprintf(stderr, "emulated CUDA: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	fflush(stderr);
	abort();
}

enum { MAX_THREADS = 1024, STACK = 256 << 10 };

struct fiber {
#if defined(__x86_64__)
	void *sp;
#else
	ucontext_t context;
#endif
	char *stack;
	const char *file; /* of the barrier that it waits at */
	int line;
	bool done;
};

static fiber fibers[MAX_THREADS], scheduler;
static fiber *current;
static struct {
	const emu_kernel *kernel;
	const void *call, *spans;
	int count;
} job;

static void run_thread()
{
	job.kernel->entry(job.call, job.spans, job.count);
}

#if defined(__x86_64__)
/* Saves the registers that a call keeps, and the stack, and takes those of another fiber. */
extern "C" void emu_switch(void **from, void *to);
asm(".text\n.globl emu_switch\n.hidden emu_switch\nemu_switch:\n"
	"	pushq %rbp\n	pushq %rbx\n	pushq %r12\n	pushq %r13\n	pushq %r14\n	pushq %r15\n"
	"	movq %rsp, (%rdi)\n	movq %rsi, %rsp\n"
	"	popq %r15\n	popq %r14\n	popq %r13\n	popq %r12\n	popq %rbx\n	popq %rbp\n	ret\n");

static void enter()
{
	run_thread();
	current->done = true;
	emu_switch(&current->sp, scheduler.sp);
	abort();
}

static void prepare(fiber *f)
{
	/* Stacks begin at different places of a page, or all would share a few sets of the cache. */
	void **sp = (void **)(f->stack + STACK - 64 - (f - fibers) * 37 % 64 * 64);
	*--sp = NULL; /* keeps the stack aligned as after a call */
	*--sp = (void *)enter;
	for (int i = 0; i < 6; i++) *--sp = NULL;
	f->sp = sp;
}

static void resume(fiber *f) { emu_switch(&scheduler.sp, f->sp); }
static void leave(fiber *f) { emu_switch(&f->sp, scheduler.sp); }
#else
static void enter()
{
	run_thread();
	current->done = true;
	swapcontext(&current->context, &scheduler.context);
}

static void prepare(fiber *f)
{
	getcontext(&f->context);
	f->context.uc_stack.ss_sp = f->stack;
	f->context.uc_stack.ss_size = STACK;
	f->context.uc_link = NULL;
	makecontext(&f->context, enter, 0);
}

static void resume(fiber *f) { swapcontext(&scheduler.context, &f->context); }
static void leave(fiber *f) { swapcontext(&f->context, &scheduler.context); }
#endif

void emu_sync(const char *file, int line)
{
	current->file = file;
	current->line = line;
	leave(current);
}

static uint64_t shuffle_state;

static uint32_t shuffle_bits()
{
	shuffle_state = shuffle_state * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(shuffle_state >> 33);
}

/* Lets every thread run to its next barrier, in an order of its own. */
static void run_phase(unsigned threads)
{
	/* i -> (factor i + first) mod a power of two is a permutation; numbers of no thread are passed over. */
	unsigned bits = shuffle_bits(), factor = bits | 1, first = bits >> 11, mask = 1;
	while (mask < threads) mask *= 2;
	mask--;
	for (unsigned i = 0; i <= mask; i++) {
		unsigned t = (factor * i + first) & mask;
		if (t >= threads) continue;
		current = &fibers[t];
		threadIdx.x = t;
		resume(current);
	}
	for (unsigned i = 1; i < threads; i++) {
		const fiber *a = &fibers[0], *b = &fibers[i];
		if (a->done != b->done)
			emu_fail("kernel %s: thread %u waits at a barrier that thread %u never comes to", job.kernel->name,
				a->done ? i : 0, a->done ? 0 : i);
		if (!a->done && (a->line != b->line || (a->file != b->file && strcmp(a->file, b->file))))
			emu_fail("kernel %s: thread 0 waits at %s:%d, thread %u at %s:%d", job.kernel->name, a->file, a->line, i,
				b->file, b->line);
	}
}

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
/* A fiber that begins anew leaves nothing of its last life on its stack. */
static void refresh(char *stack) { ASAN_UNPOISON_MEMORY_REGION(stack, STACK); }
static void spoil_shared() {}
#else
extern char __start_rsie_shared[] __attribute__((visibility("hidden")));
extern char __stop_rsie_shared[] __attribute__((visibility("hidden")));
static void refresh(char *) {}
static void spoil_shared() { memset(__start_rsie_shared, 0xFF, (size_t)(__stop_rsie_shared - __start_rsie_shared)); }
#endif

static void make_stacks(unsigned threads)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	for (unsigned i = 0; i < threads; i++) {
		if (fibers[i].stack) continue;
		char *p = (char *)mmap(NULL, STACK + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
		if (p == MAP_FAILED || mprotect(p, page, PROT_NONE)) emu_fail("no memory for %u stacks", threads);
		fibers[i].stack = p + page;
	}
}

static long launches[256];

void emu_log(void)
{
	const char *path = getenv("RSIE_EMU_LOG");
	FILE *f = path ? fopen(path, "w") : NULL;
	if (!f) return;
	for (int i = 0; i < emu_kernel_count; i++) fprintf(f, "%s %ld\n", emu_kernels[i].name, launches[i]);
	fclose(f);
}

void emu_launch(const emu_kernel *k, unsigned blocks, unsigned threads, const void *call, const void *spans, int count)
{
	static bool seeded;
	if (!seeded) {
		const char *seed = getenv("RSIE_EMU_SEED");
		shuffle_state = seed ? strtoull(seed, NULL, 10) * 0x9E3779B97F4A7C15u : 1;
		seeded = true;
	}
	make_stacks(threads);
	launches[k - emu_kernels]++;
	job = {k, call, spans, count};
	emu_running = k->name;
	blockDim = {threads, 1, 1};
	gridDim = {blocks, 1, 1};
	for (unsigned b = 0; b < blocks; b++) {
		blockIdx = {b, 0, 0};
		spoil_shared();
		for (unsigned i = 0; i < threads; i++) {
			fibers[i].done = false;
			refresh(fibers[i].stack);
			prepare(&fibers[i]);
		}
		while (!fibers[0].done) run_phase(threads);
	}
	emu_running = NULL;
}
