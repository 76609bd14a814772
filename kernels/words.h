/* Blocks of random words in lanes: what rsie_philox gives for many blocks or members at once. A
 * lane of 64 bits holds a word in its lower half, where a product of 32-bit halves leaves the next
 * ones; GCC would multiply all 64 bits instead, which takes three times as long. */
#ifndef RSIE_WORDS_H
#define RSIE_WORDS_H

#include "rsie_math.h"

/* Blocks of one step; callers round up to it. */
#define WORD_LANES 16

#if !defined(__CUDACC__) && !defined(RSIE_EMULATED) && (defined(__AVX512F__) || defined(__AVX2__))

#include <immintrin.h>

#if defined(__AVX512F__)
typedef __m512i rsie_wide;
#define WORDS_WIDE 8
#define WIDE_OP(name) _mm512_##name
#define WIDE_SET(v) _mm512_set1_epi64((long long)(v))
#define WIDE_XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#else
typedef __m256i rsie_wide;
#define WORDS_WIDE 4
#define WIDE_OP(name) _mm256_##name
#define WIDE_SET(v) _mm256_set1_epi64x((long long)(v))
#define WIDE_XOR3(a, b, c) _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#endif

/* Stores the lower halves. */
DEVICE void rsie_wide_store(uint32_t *at, rsie_wide v)
{
#if defined(__AVX512F__)
	_mm256_storeu_si256((__m256i *)at, _mm512_cvtepi64_epi32(v));
#else
	v = _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
	_mm_storeu_si128((__m128i *)at, _mm256_castsi256_si128(v));
#endif
}

/* WORD_LANES blocks of Philox; lane i counts on from block and member by the given steps. */
DEVICE void rsie_wide_words(uint32_t *w0, uint32_t *w1, uint32_t *w2, uint32_t *w3, rsie_address a, uint32_t stream,
	uint32_t block, int blocks, int members)
{
	enum { SETS = WORD_LANES / WORDS_WIDE };
	rsie_wide c0[SETS], c1[SETS], c2[SETS], c3[SETS];
	uint32_t k0 = a.k0, k1 = a.k1;
	const rsie_wide m0 = WIDE_SET(0xD2511F53u), m1 = WIDE_SET(0xCD9E8D57u);
	for (int s = 0; s < SETS; s++) {
		uint64_t count[2][WORDS_WIDE] __attribute__((aligned(64)));
		for (int i = 0; i < WORDS_WIDE; i++) {
			count[0][i] = (uint32_t)(block + (uint32_t)((s * WORDS_WIDE + i) * blocks));
			count[1][i] = (uint32_t)(a.member + (uint32_t)((s * WORDS_WIDE + i) * members));
		}
		c0[s] = *(rsie_wide *)count[0];
		c1[s] = *(rsie_wide *)count[1];
		c2[s] = WIDE_SET(a.generation);
		c3[s] = WIDE_SET(a.run << 8 | stream);
	}
	for (int round = 0; round < 10; round++) {
		rsie_wide key0 = WIDE_SET(k0), key1 = WIDE_SET(k1);
		for (int s = 0; s < SETS; s++) {
			rsie_wide p0 = WIDE_OP(mul_epu32)(c0[s], m0), p1 = WIDE_OP(mul_epu32)(c2[s], m1);
			c0[s] = WIDE_XOR3(WIDE_OP(srli_epi64)(p1, 32), c1[s], key0);
			c2[s] = WIDE_XOR3(WIDE_OP(srli_epi64)(p0, 32), c3[s], key1);
			c1[s] = p1;
			c3[s] = p0;
		}
		k0 += 0x9E3779B9u;
		k1 += 0xBB67AE85u;
	}
	for (int s = 0; s < SETS; s++) {
		rsie_wide_store(w0 + s * WORDS_WIDE, c0[s]);
		rsie_wide_store(w1 + s * WORDS_WIDE, c1[s]);
		rsie_wide_store(w2 + s * WORDS_WIDE, c2[s]);
		rsie_wide_store(w3 + s * WORDS_WIDE, c3[s]);
	}
}

#endif

/* Writes blocks block, block + 1, ... of a member to four arrays by element; count is a multiple of
 * WORD_LANES. */
DEVICE void rsie_block_words(uint32_t *RESTRICT w0, uint32_t *RESTRICT w1, uint32_t *RESTRICT w2,
	uint32_t *RESTRICT w3, int count, rsie_address a, uint32_t stream, uint32_t block)
{
#if defined(WORDS_WIDE)
	for (int b = 0; b < count; b += WORD_LANES)
		rsie_wide_words(w0 + b, w1 + b, w2 + b, w3 + b, a, stream, block + (uint32_t)b, 1, 0);
#else
	EACH(b, 0, count) {
		rsie_quad q = rsie_words(a, block + (uint32_t)b, stream);
		w0[b] = q.w[0];
		w1[b] = q.w[1];
		w2[b] = q.w[2];
		w3[b] = q.w[3];
	}
#endif
}
#endif
