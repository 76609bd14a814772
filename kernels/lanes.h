/* How one text of a kernel becomes a loop of a CPU worker and the threads of a CUDA block.
 *
 * A kernel works on one span. Its loops over parameters, samples or columns are written with
 * EACH, sums with SUM; what only one lane may do stands in ONCE. After values that other lanes
 * read stands SYNC. On a CPU there is one lane, loops are vectorised by the compiler, and SYNC is
 * nothing. On a GPU a block has LANES threads.
 *
 * A sum has LANES leaves: leaf l takes elements l, l+LANES, ... in ascending order, and the
 * leaves are added as a tree: l and l+64, then l and l+32, ... So it has the same bits anywhere. */
#ifndef RSIE_LANES_H
#define RSIE_LANES_H

#define LANES 128

#if defined(__CUDACC__) || defined(RSIE_EMULATED)

#define DEVICE static __device__ __forceinline__
#define KERNEL static __device__
#define EACH(j, from, to) for (int j = (from) + (int)threadIdx.x; j < (to); j += LANES)
#define ONCE if (threadIdx.x == 0)
#define SYNC __syncthreads()
#define RESTRICT __restrict__

/* Returns the tree sum of one value per thread to every thread. */
static __device__ float rsie_block_sum(float leaf)
{
	__shared__ float tree[LANES];
	int l = threadIdx.x;
	__syncthreads();
	tree[l] = leaf;
	for (int width = LANES / 2; width > 0; width /= 2) {
		__syncthreads();
		if (l < width) tree[l] = tree[l] + tree[l + width];
	}
	__syncthreads();
	return tree[0];
}

/* result = sum over j in [from, to); step computes the new value of acc from acc and j. */
#define SUM(result, j, from, to, acc, step) \
	do { \
		float acc = 0; \
		for (int j = (from) + (int)threadIdx.x; j < (to); j += LANES) acc = (step); \
		(result) = rsie_block_sum(acc); \
	} while (0)

#else

#define DEVICE static inline __attribute__((always_inline, unused))
#define KERNEL static __attribute__((unused))
#define EACH(j, from, to) _Pragma("GCC ivdep") for (int j = (from); j < (to); j++)
#define ONCE
#define SYNC ((void)0)
#define RESTRICT __restrict__

DEVICE float rsie_tree(float *leaf)
{
	_Pragma("GCC unroll 7") for (int width = LANES / 2; width > 0; width /= 2)
		for (int l = 0; l < width; l++) leaf[l] = leaf[l] + leaf[l + width];
	return leaf[0];
}

#define SUM(result, j, from, to, acc, step) \
	do { \
		float leaf_[LANES] __attribute__((aligned(64))); \
		for (int l_ = 0; l_ < LANES; l_++) leaf_[l_] = 0; \
		int at_ = (from); \
		for (; at_ + LANES <= (to); at_ += LANES) \
			for (int l_ = 0; l_ < LANES; l_++) { \
				const int j = at_ + l_; \
				const float acc = leaf_[l_]; \
				leaf_[l_] = (step); \
			} \
		for (int l_ = 0; at_ + l_ < (to); l_++) { \
			const int j = at_ + l_; \
			const float acc = leaf_[l_]; \
			leaf_[l_] = (step); \
		} \
		(result) = rsie_tree(leaf_); \
	} while (0)

#endif
#endif
