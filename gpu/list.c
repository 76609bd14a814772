//go:build cuda

#include "list.h"
#include "../kernels/operations.h"
#include <stddef.h>
#include <string.h>

typedef struct {
	rsie_host host; /* first: a host is its recorder */
	rsie_list *list;
} recorder;

/* Makes room for one more. */
static void *grown(void *p, int count, int *room, size_t size)
{
	if (count <= *room) return p;
	int more = 2 * count;
	void *q = realloc(p, size * (size_t)more);
	if (q) *room = more;
	return q;
}

static void record(rsie_host *h, int kernel)
{
	rsie_list *l = ((recorder *)h)->list;
	rsie_phase *phases = grown(l->phases, l->phase_count + 1, &l->phase_room, sizeof *phases);
	if (phases) l->phases = phases;
	rsie_span *spans = grown(l->spans, l->span_count + h->count, &l->span_room, sizeof *spans);
	if (spans) l->spans = spans;
	if (!phases || !spans) {
		h->failed = 1;
		return;
	}
	rsie_phase p = {kernel, l->span_count, h->count};
	l->phases[l->phase_count++] = p;
	memcpy(l->spans + l->span_count, h->spans, sizeof *spans * (size_t)h->count);
	l->span_count += h->count;
}

int rsie_record(rsie_list *l, rsie_call *c, const uint8_t *ops, int n, int points)
{
	recorder r;
	int code = 0;
	memset(&r, 0, sizeof r);
	r.host.c = c;
	r.host.launch = record;
	r.list = l;
	l->phase_count = l->span_count = 0;
	for (int i = 0; i < n && code == 0; i++) {
		if (ops[i] == 0) {
			host_clear(&r.host);
			host_add(&r.host, 0, 0, points, 1);
			host_launch(&r.host, K_predict_rows);
		} else if (ops[i] >= OP_COUNT || !rsie_operations[ops[i]]) {
			code = ops[i];
		} else {
			rsie_operations[ops[i]](&r.host);
		}
	}
	free(r.host.spans);
	return r.host.failed ? -1 : code;
}

void rsie_list_free(rsie_list *l)
{
	free(l->phases);
	free(l->spans);
	memset(l, 0, sizeof *l);
}

static const char *const names[] = {
#define X(name) "rsie_" #name,
#include "../kernels/kernels.def"
#undef X
};

const char *rsie_kernel_name(int k) { return k >= 0 && k < K_COUNT ? names[k] : NULL; }

CUresult rsie_run_list(CUcontext context, const CUfunction *functions, const rsie_list *l, CUdeviceptr c,
	CUdeviceptr spans, int blocks, int careful, int *phase)
{
	CUresult code = cuCtxSetCurrent(context);
	for (*phase = 0; code == CUDA_SUCCESS && *phase < l->phase_count; ++*phase) {
		const rsie_phase *p = &l->phases[*phase];
		struct {
			CUdeviceptr call, spans;
			int count;
		} arguments = {c, spans + sizeof(rsie_span) * (size_t)p->first, p->count};
		/* Without the padding at the end, which is no parameter. */
		size_t size = offsetof(__typeof__(arguments), count) + sizeof arguments.count;
		void *extra[] = {CU_LAUNCH_PARAM_BUFFER_POINTER, &arguments, CU_LAUNCH_PARAM_BUFFER_SIZE, &size,
			CU_LAUNCH_PARAM_END};
		unsigned grid = (unsigned)(p->count < blocks ? p->count : blocks);
		code = cuLaunchKernel(functions[p->kernel], grid, 1, 1, LANES, 1, 1, 0, NULL, NULL, extra);
		if (code == CUDA_SUCCESS && careful) code = cuCtxSynchronize();
		if (code != CUDA_SUCCESS) return code;
	}
	return code == CUDA_SUCCESS ? cuCtxSynchronize() : code;
}
