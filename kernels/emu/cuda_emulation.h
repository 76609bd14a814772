/* What CUDA C++ has beyond C++, for the kernels on a CPU: a block is LANES fibers that take turns.
 * Force-included before rsie.cu. */
#ifndef RSIE_CUDA_EMULATION_H
#define RSIE_CUDA_EMULATION_H

#include <math.h>

#define __device__
#define __global__
/* One place per variable: blocks run one after the other, and each finds it full of NaN. AddressSanitizer
 * watches the ends of variables, but not in a section of their own. */
#ifdef __SANITIZE_ADDRESS__
#define __shared__ static
#else
#define __shared__ static __attribute__((section("rsie_shared")))
#endif
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(threads)
#define __syncthreads() emu_sync(__FILE__, __LINE__)

struct emu_dim {
	unsigned x, y, z;
};
extern emu_dim threadIdx, blockIdx, blockDim, gridDim;

/* Lets the other threads of the block come to the same line. */
void emu_sync(const char *file, int line);

#endif
