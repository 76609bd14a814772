/* The normals of rsie_math.h with vector instructions, to the same bits. The compiler multiplies
 * 64-bit numbers where Philox needs products of 32-bit ones; here each 64-bit lane carries one
 * word of one block, so that a product leaves both of its halves where the next round wants them:
 * what stands above bit 31 does not count.
 *
 * Blocks go to lanes such that four words of a block become neighbours in memory by unpacking
 * within 128 bits alone: element 4 g + i of a vector is block G i + g, G the number of groups of
 * 128 bits. */
#ifndef RSIE_PHILOX_X86_H
#define RSIE_PHILOX_X86_H

#include <immintrin.h>

#if defined(__AVX512F__)
#define WIDE 16
typedef __m512i rsie_ints;
typedef __m512 rsie_floats;
#define W_(name) _mm512_##name
#define W_XOR3(a, b, c) _mm512_ternarylogic_epi64(a, b, c, 0x96)
#define W_MUL(a, b) _mm512_mul_epu32(a, b)
#define W_MERGE(even, odd) _mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32))
#define W_STORE(p, v) _mm512_storeu_si512(p, v)
#define W_LOAD(p) _mm512_loadu_ps(p)
#define W_INTS(p) _mm512_loadu_si512(p)
#define W_PUT(p, v) _mm512_storeu_ps(p, v)
#define W_PAIR_LOW(a, b) _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
#define W_PAIR_HIGH(a, b) _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b)))
#else
#define WIDE 8
typedef __m256i rsie_ints;
typedef __m256 rsie_floats;
#define W_(name) _mm256_##name
#define W_XOR3(a, b, c) _mm256_xor_si256(_mm256_xor_si256(a, b), c)
#define W_MUL(a, b) _mm256_mul_epu32(a, b)
#define W_MERGE(even, odd) _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA)
#define W_STORE(p, v) _mm256_storeu_si256((__m256i *)(p), v)
#define W_LOAD(p) _mm256_loadu_ps(p)
#define W_INTS(p) _mm256_loadu_si256((const __m256i *)(p))
#define W_PUT(p, v) _mm256_storeu_ps(p, v)
#define W_PAIR_LOW(a, b) _mm256_castpd_ps(_mm256_unpacklo_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)))
#define W_PAIR_HIGH(a, b) _mm256_castpd_ps(_mm256_unpackhi_pd(_mm256_castps_pd(a), _mm256_castps_pd(b)))
#endif

#define LOT 64 /* blocks of one go */

/* Words k of LOT blocks to w[k], WIDE blocks at a time in the order above. */
DEVICE void rsie_words_x86(uint32_t w[4][LOT], uint32_t first, rsie_address a, uint32_t stream)
{
	uint32_t even[WIDE], odd[WIDE];
	for (int q = 0; q < WIDE / 2; q++) {
		int e = 2 * q, o = e + 1, groups = WIDE / 4;
		even[2 * q] = (uint32_t)(groups * (e % 4) + e / 4);
		odd[2 * q] = (uint32_t)(groups * (o % 4) + o / 4);
		even[2 * q + 1] = odd[2 * q + 1] = 0;
	}
	const rsie_ints m0 = W_(set1_epi32)((int)0xD2511F53u), m1 = W_(set1_epi32)((int)0xCD9E8D57u);
	const rsie_ints e0 = W_INTS(even), o0 = W_INTS(odd);
	const rsie_ints s1 = W_(set1_epi32)((int)a.member), s2 = W_(set1_epi32)((int)a.generation);
	const rsie_ints s3 = W_(set1_epi32)((int)(a.run << 8 | stream));
	for (int at = 0; at < LOT; at += 2 * WIDE) {
		rsie_ints x[4][4]; /* [chain][word]: even and odd blocks of two vectors */
		for (int i = 0; i < 4; i++) {
			rsie_ints base = W_(set1_epi32)((int)(first + (uint32_t)(at + i / 2 * WIDE)));
			x[i][0] = W_(add_epi32)(base, i & 1 ? o0 : e0);
			x[i][1] = s1;
			x[i][2] = s2;
			x[i][3] = s3;
		}
		uint32_t k0 = a.k0, k1 = a.k1;
#pragma GCC unroll 10
		for (int round = 0; round < 10; round++) {
			rsie_ints key0 = W_(set1_epi32)((int)k0), key1 = W_(set1_epi32)((int)k1);
#pragma GCC unroll 4
			for (int i = 0; i < 4; i++) {
				rsie_ints p0 = W_MUL(m0, x[i][0]), p1 = W_MUL(m1, x[i][2]);
				x[i][0] = W_XOR3(W_(srli_epi64)(p1, 32), x[i][1], key0);
				x[i][2] = W_XOR3(W_(srli_epi64)(p0, 32), x[i][3], key1);
				x[i][1] = p1;
				x[i][3] = p0;
			}
			k0 += 0x9E3779B9u;
			k1 += 0xBB67AE85u;
		}
#pragma GCC unroll 4
		for (int k = 0; k < 4; k++) {
			W_STORE(&w[k][at], W_MERGE(x[0][k], x[1][k]));
			W_STORE(&w[k][at + WIDE], W_MERGE(x[2][k], x[3][k]));
		}
	}
}

/* The normals of LOT blocks from `first` on. */
DEVICE void rsie_lot_x86(float *z, uint32_t first, rsie_address a, uint32_t stream)
{
	uint32_t w[4][LOT] __attribute__((aligned(64)));
	float y[4][LOT] __attribute__((aligned(64)));
	rsie_words_x86(w, first, a, stream);
	for (int l = 0; l < LOT; l++) {
		rsie_quad q = {{w[0][l], w[1][l], w[2][l], w[3][l]}};
		float four[4];
		rsie_gauss(q, four);
		y[0][l] = four[0];
		y[1][l] = four[1];
		y[2][l] = four[2];
		y[3][l] = four[3];
	}
	for (int at = 0; at < LOT; at += WIDE) {
		rsie_floats p = W_LOAD(&y[0][at]), q = W_LOAD(&y[1][at]), r = W_LOAD(&y[2][at]), s = W_LOAD(&y[3][at]);
		rsie_floats pq = W_(unpacklo_ps)(p, q), rs = W_(unpacklo_ps)(r, s);
		rsie_floats pq2 = W_(unpackhi_ps)(p, q), rs2 = W_(unpackhi_ps)(r, s);
		W_PUT(z + 4 * at, W_PAIR_LOW(pq, rs));
		W_PUT(z + 4 * at + WIDE, W_PAIR_HIGH(pq, rs));
		W_PUT(z + 4 * at + 2 * WIDE, W_PAIR_LOW(pq2, rs2));
		W_PUT(z + 4 * at + 3 * WIDE, W_PAIR_HIGH(pq2, rs2));
	}
}

/* See rsie_normals_from. */
static __attribute__((noinline, unused)) void rsie_normals_x86(float *z, int first, int n, rsie_address a, uint32_t stream)
{
	int at = 0;
	for (; at + 4 * LOT <= n; at += 4 * LOT) rsie_lot_x86(z + at, (uint32_t)(first + at / 4), a, stream);
	if (at == n) return;
	if (n - at < 4 * LOT / 4) { /* a short rest */
		for (int j = at; j < n; j += 4) {
			float four[4];
			rsie_gauss(rsie_words(a, (uint32_t)(first + j / 4), stream), four);
			for (int k = 0; k < 4 && j + k < n; k++) z[j + k] = four[k];
		}
		return;
	}
	float rest[4 * LOT] __attribute__((aligned(64)));
	rsie_lot_x86(rest, (uint32_t)(first + at / 4), a, stream);
	for (int j = at; j < n; j++) z[j] = rest[j - at];
}

#endif
