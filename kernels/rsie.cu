/* Every kernel of kernels.def for CUDA: blocks of LANES threads take the spans of a phase in turn, so
 * that scratch memory is finite: that of a worker belongs to a block.
 *
 *	rsie_NAME<<<blocks, LANES>>>(c, spans, count)    blocks <= c->workers, c and spans on the device
 *
 * The texts are those of the native backend, NAME.h; the bits are, too. */
#include "kernels.h"

#define X(name) \
	extern "C" __global__ void __launch_bounds__(LANES) rsie_##name(const rsie_call *c, const rsie_span *spans, int count) \
	{ \
		for (int i = blockIdx.x; i < count; i += gridDim.x) { \
			name(c, (int)blockIdx.x, spans[i]); \
			__syncthreads(); \
		} \
	}
#include "kernels.def"
#undef X
