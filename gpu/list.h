/* The phases of a call, recorded on the host and run on a device. */
#ifndef RSIE_LIST_H
#define RSIE_LIST_H

#include <cuda.h>
#include "../kernels/abi.h"

typedef struct {
	int kernel, first, count; /* its spans */
} rsie_phase;

typedef struct {
	rsie_phase *phases;
	rsie_span *spans;
	int phase_count, phase_room, span_count, span_room;
} rsie_list;

/* Records n operations, or for an operation 0 the prediction of `points` points. The table and the
 * program of c are in the host's memory, nothing else is read. Returns 0, -1 without memory, or the
 * number of an operation that is missing. */
int rsie_record(rsie_list *, rsie_call *c, const uint8_t *ops, int n, int points);
void rsie_list_free(rsie_list *);

/* The name of kernel k on the device, NULL behind the last. */
const char *rsie_kernel_name(int k);

/* Launches every phase on at most `blocks` blocks and waits for the last. c and spans are on the
 * device. Where it fails, phase is the one that was not launched, phase_count after all were. With
 * careful each launch is waited for. */
CUresult rsie_run_list(CUcontext, const CUfunction *, const rsie_list *, CUdeviceptr c, CUdeviceptr spans, int blocks,
	int careful, int *phase);
#endif
