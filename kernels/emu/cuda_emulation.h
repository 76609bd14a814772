#ifndef X
#include <math.h>
#define __device__
#define __global__
#define __shared__ static __attribute__((section("rsie_shared")))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(n)
struct emu_dim { int x, y, z; };
extern emu_dim threadIdx, blockIdx, blockDim, gridDim;
void emu_sync(const char *file, int line);
#define __syncthreads() emu_sync(__FILE__, __LINE__)
#endif
