#ifndef RSIE_MEMORY_H
#define RSIE_MEMORY_H
#include <stddef.h>
/* Zeroed memory aligned to 64 bytes, or to huge pages where it is large; NULL without memory. */
void *rsie_alloc(size_t bytes);
void rsie_free(void *);
/* The highest variant this CPU has: 0 scalar, 1 avx2, 2 avx512. */
int rsie_cpu_level(void);
#endif
