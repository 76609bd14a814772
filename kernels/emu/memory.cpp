/* Device memory of the emulated driver. */
#include "cuda_emulation.h"
#include "emu.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <map>
#include <set>

enum { ZONE = 0xA5, FRESH = 0xFF, ALIGN = 16 };

struct allocation {
	char *map;      /* a page without access, pages, a page without access */
	size_t mapped;
	char *data;
	size_t bytes;
	const void *owner;
	int number;
	bool freed;
};

static std::map<char *, allocation> all; /* by address of the mapping */
static std::set<allocation *> living; /* those that were not freed */
static int count;

static size_t page_size()
{
	static const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	return page;
}

size_t emu_memory_used(const void *owner)
{
	size_t used = 0;
	for (auto *a : living)
		if (a->owner == owner) used += a->bytes;
	return used;
}

int emu_allocations(const void *owner)
{
	int n = 0;
	for (auto *a : living) n += a->owner == owner;
	return n;
}

size_t emu_memory_total(void)
{
	const char *limit = getenv("RSIE_EMU_MEMORY");
	return limit ? strtoull(limit, NULL, 10) : (size_t)2 << 30;
}

void *emu_alloc(const void *owner, size_t bytes)
{
	size_t page = page_size(), size = (bytes + ALIGN - 1) / ALIGN * ALIGN, body = (size + page - 1) / page * page;
	if (emu_memory_used(owner) + bytes > emu_memory_total()) return NULL;
	char *map = (char *)mmap(NULL, body + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (map == MAP_FAILED) return NULL;
	if (mprotect(map + page, body, PROT_READ | PROT_WRITE)) emu_fail("mprotect of %zu bytes", body);
	allocation a = {map, body + 2 * page, map + page + body - size, bytes, owner, ++count, false};
	memset(map + page, ZONE, body);
	memset(a.data, FRESH, bytes);
	living.insert(&(all[map] = a));
	return a.data;
}

/* The allocation whose mapping holds p, NULL without one. */
static allocation *find(const void *p)
{
	auto i = all.upper_bound((char *)p);
	if (i == all.begin()) return NULL;
	--i;
	return (char *)p < i->second.map + i->second.mapped ? &i->second : NULL;
}

/* Says whether [from, to) has bytes that are not ZONE; from or to is aligned. */
static bool touched(const char *from, const char *to)
{
	uint64_t other = 0, word;
	for (; from + sizeof word <= to; from += sizeof word) {
		memcpy(&word, from, sizeof word);
		other |= word ^ 0x0101010101010101u * ZONE;
	}
	for (; from < to; from++) other |= (unsigned char)*from ^ ZONE;
	return other != 0;
}

static void check_zone(const allocation *a, const char *when)
{
	if (!touched(a->map + page_size(), a->data) && !touched(a->data + a->bytes, a->map + a->mapped - page_size())) return;
	for (char *p = a->map + page_size(); p < a->data; p++)
		if (*p != (char)ZONE)
			emu_fail("%s: allocation %d of %zu bytes was written %td bytes before its start", when, a->number, a->bytes,
				a->data - p);
	for (char *p = a->data + a->bytes; p < a->map + a->mapped - page_size(); p++)
		if (*p != (char)ZONE)
			emu_fail("%s: allocation %d of %zu bytes was written %td bytes behind its end", when, a->number, a->bytes,
				p - a->data - (ptrdiff_t)a->bytes + 1);
}

void emu_check_zones(const char *when)
{
	for (auto *a : living) check_zone(a, when);
}

void emu_free(const void *owner, void *p)
{
	allocation *a = find(p);
	if (!a || a->data != p) emu_fail("cuMemFree of %p, which is no allocation", p);
	if (a->freed) emu_fail("cuMemFree of allocation %d of %zu bytes for the second time", a->number, a->bytes);
	if (a->owner != owner) emu_fail("cuMemFree of allocation %d of %zu bytes of another device", a->number, a->bytes);
	check_zone(a, "cuMemFree");
	a->freed = true;
	living.erase(a);
	/* The addresses stay taken: a late use is a fault. */
	if (mmap(a->map, a->mapped, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		emu_fail("mmap of %zu bytes", a->mapped);
}

void emu_free_all(const void *owner)
{
	std::set<allocation *> all_of_them = living;
	for (auto *a : all_of_them)
		if (a->owner == owner) emu_free(owner, a->data);
}

void emu_check_range(const void *owner, const char *what, const void *p, size_t bytes)
{
	allocation *a = find(p);
	if (!a) emu_fail("%s: %p is not device memory", what, p);
	if (a->freed) emu_fail("%s: allocation %d of %zu bytes was freed", what, a->number, a->bytes);
	if (a->owner != owner) emu_fail("%s: allocation %d of %zu bytes is of another device", what, a->number, a->bytes);
	ptrdiff_t at = (const char *)p - a->data;
	if (at < 0 || (size_t)at > a->bytes || bytes > a->bytes - (size_t)at)
		emu_fail("%s: bytes [%td, %td) of allocation %d of %zu bytes", what, at, at + (ptrdiff_t)bytes, a->number, a->bytes);
}

static struct sigaction before[2];

static void on_fault(int sig, siginfo_t *info, void *context)
{
	allocation *a = emu_running ? find(info->si_addr) : NULL;
	if (emu_running && a)
		emu_fail("kernel %s, block %u, thread %u: byte %td of allocation %d of %zu bytes%s", emu_running, blockIdx.x,
			threadIdx.x, (char *)info->si_addr - a->data, a->number, a->bytes, a->freed ? ", which was freed" : "");
	if (emu_running)
		emu_fail("kernel %s, block %u, thread %u: %p is not device memory", emu_running, blockIdx.x, threadIdx.x,
			info->si_addr);
	struct sigaction *old = &before[sig == SIGBUS];
	if (old->sa_flags & SA_SIGINFO)
		old->sa_sigaction(sig, info, context);
	else
		sigaction(sig, old, NULL);
}

void emu_watch_faults(void)
{
	struct sigaction act;
	memset(&act, 0, sizeof act);
	act.sa_sigaction = on_fault;
	act.sa_flags = SA_SIGINFO | SA_ONSTACK;
	sigfillset(&act.sa_mask);
	sigaction(SIGSEGV, &act, &before[0]);
	sigaction(SIGBUS, &act, &before[1]);
}
