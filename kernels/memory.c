//go:build cgo

#define _GNU_SOURCE
#include "memory.h"
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define HUGE_PAGE (2u << 20)

void *rsie_alloc(size_t bytes)
{
	size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : 64;
	size_t size = (bytes + align - 1) / align * align;
	void *p = NULL;
	if (posix_memalign(&p, align, size ? size : align)) return NULL;
#ifdef MADV_HUGEPAGE
	if (align == HUGE_PAGE) madvise(p, size, MADV_HUGEPAGE);
#endif
	memset(p, 0, size);
	return p;
}

void rsie_free(void *p) { free(p); }

int rsie_cpu_level(void)
{
#if defined(__x86_64__)
	__builtin_cpu_init();
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return 0;
	if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	    __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
		return 2;
	return 1;
#else
	return 0;
#endif
}
