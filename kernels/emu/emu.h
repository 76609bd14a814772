/* The parts of the emulated driver. */
#ifndef RSIE_EMU_H
#define RSIE_EMU_H

#include <stddef.h>
#include <stdint.h>

typedef void (*emu_entry)(const void *call, const void *spans, int count);

struct emu_kernel {
	const char *name;
	emu_entry entry;
};
extern const emu_kernel emu_kernels[];
extern const int emu_kernel_count;

/* Prints why and ends the program: a fault of the caller that a device would hide. */
[[noreturn]] void emu_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a kernel on blocks of threads; the order of the threads between barriers comes from
 * RSIE_EMU_SEED. */
void emu_launch(const emu_kernel *k, unsigned blocks, unsigned threads, const void *call, const void *spans, int count);

/* Writes how often each kernel ran to the file that RSIE_EMU_LOG names. */
void emu_log(void);

/* Device memory, each of a context. An allocation ends at a page that may not be touched, freed pages may not be touched
 * either, and the bytes before and after it are checked. */
void *emu_alloc(const void *owner, size_t bytes); /* NULL: over the limit */
void emu_free(const void *owner, void *);
void emu_free_all(const void *owner); /* as a context does that goes after a fault */
void emu_check_range(const void *owner, const char *what, const void *p, size_t bytes);
void emu_check_zones(const char *when);
size_t emu_memory_used(const void *owner), emu_memory_total(void);
int emu_allocations(const void *owner);
/* Reports the place of a fault within device memory, and what ran. */
void emu_watch_faults(void);
extern const char *emu_running; /* the kernel, NULL outside */

#endif
