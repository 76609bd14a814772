/* Vectors of floats for code that the compiler does not vectorise by itself, and the functions of
 * rsie_math.h on them, with the same bits. RSIE_SIMD says that a variant has them. */
#ifndef RSIE_SIMD_H
#define RSIE_SIMD_H

#include "rsie_math.h"

#if !defined(__CUDACC__) && !defined(RSIE_EMULATED) && defined(__AVX2__) && defined(__FMA__)
#define RSIE_SIMD 1
#include <immintrin.h>

#ifdef __AVX512F__
#define VLEN 16
#define MM(f) _mm512_##f##_ps
#else
#define VLEN 8
#define MM(f) _mm256_##f##_ps
#endif

typedef float vf __attribute__((vector_size(4 * VLEN), aligned(4), may_alias));
typedef int32_t vi __attribute__((vector_size(4 * VLEN), aligned(4), may_alias));
typedef uint32_t vu __attribute__((vector_size(4 * VLEN), aligned(4), may_alias));

DEVICE vf v_load(const float *p) { return *(const vf *)p; }
DEVICE void v_store(float *p, vf x) { *(vf *)p = x; }
DEVICE vf v_all(float x) { return (vf)MM(set1)(x); }
DEVICE vf v_fma(vf a, vf b, vf c) { return (vf)MM(fmadd)(a, b, c); }
/* a < b ? a : b and a > b ? a : b, so b where one of them is NaN. */
DEVICE vf v_min(vf a, vf b) { return (vf)MM(min)(a, b); }
DEVICE vf v_max(vf a, vf b) { return (vf)MM(max)(a, b); }

#ifdef __AVX512F__
/* The first n floats, 0 after them. */
DEVICE vf v_load_some(const float *p, int n) { return (vf)_mm512_maskz_loadu_ps((__mmask16)((1u << n) - 1), p); }
DEVICE vf v_where_less(vf a, vf b, vf yes, vf no)
{
	return (vf)_mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), no, yes);
}
DEVICE vf v_where_equal(vi a, vi b, vf yes, vf no)
{
	return (vf)_mm512_mask_blend_ps(_mm512_cmpeq_epi32_mask((__m512i)a, (__m512i)b), no, yes);
}
#else
DEVICE vf v_load_some(const float *p, int n)
{
	__m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	return (vf)_mm256_maskload_ps(p, _mm256_cmpgt_epi32(_mm256_set1_epi32(n), lane));
}
DEVICE vf v_where_less(vf a, vf b, vf yes, vf no)
{
	return (vf)_mm256_blendv_ps(no, yes, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
DEVICE vf v_where_equal(vi a, vi b, vf yes, vf no)
{
	return (vf)_mm256_blendv_ps(no, yes, (__m256)_mm256_cmpeq_epi32((__m256i)a, (__m256i)b));
}
#endif

DEVICE vf v_tanh(vf x)
{
	x = v_max(v_all(-RSIE_TANH_ONE), v_min(v_all(RSIE_TANH_ONE), x));
	vf u = x * x;
	vf p = v_fma(v_all(RSIE_TANH_P4), u, v_all(RSIE_TANH_P3)), q = u + RSIE_TANH_Q3;
	p = v_fma(p, u, v_all(RSIE_TANH_P2));
	q = v_fma(q, u, v_all(RSIE_TANH_Q2));
	p = v_fma(p, u, v_all(RSIE_TANH_P1));
	q = v_fma(q, u, v_all(RSIE_TANH_Q1));
	p = v_fma(p, u, v_all(RSIE_TANH_PQ0));
	q = v_fma(q, u, v_all(RSIE_TANH_PQ0));
	return x * p / q;
}

DEVICE vf v_exp_falling(vf x)
{
	vf t = v_fma(x, v_all(1.44269504f), v_all(RSIE_WHOLE)), n = t - RSIE_WHOLE;
	vf r = v_fma(n, v_all(-0x1.62e43p-1f), x);
	r = v_fma(n, v_all(0x1.05c61p-29f), r);
	vf p = v_fma(v_all(RSIE_EXP_C6), r, v_all(RSIE_EXP_C5));
	p = v_fma(p, r, v_all(RSIE_EXP_C4));
	p = v_fma(p, r, v_all(RSIE_EXP_C3));
	p = v_fma(p, r, v_all(RSIE_EXP_C2));
	p = v_fma(p, r * r, r) + 1.0f;
	p = p * (vf)(((vu)t << 23) + 0x3f800000u);
	return v_where_less(x, v_all(RSIE_EXP_LOW), v_all(0), p);
}

DEVICE vf v_log_sum(vf x)
{
	vu high = (vu)x - 0x3f3504f3u;
	vf e = __builtin_convertvector((vi)high >> 23, vf), f = (vf)((high & 0x7fffffu) + 0x3f3504f3u) - 1.0f, z = f * f;
	vf p = v_fma(v_all(RSIE_LOG_C9), f, v_all(RSIE_LOG_C8));
	p = v_fma(p, f, v_all(RSIE_LOG_C7));
	p = v_fma(p, f, v_all(RSIE_LOG_C6));
	p = v_fma(p, f, v_all(RSIE_LOG_C5));
	p = v_fma(p, f, v_all(RSIE_LOG_C4));
	p = v_fma(p, f, v_all(RSIE_LOG_C3));
	p = v_fma(p, f, v_all(RSIE_LOG_C2));
	p = v_fma(p, f, v_all(-0.5f));
	p = v_fma(e, v_all(-0x1.05c61p-29f), p * z);
	return v_fma(x, v_all(0), v_fma(e, v_all(0x1.62e43p-1f), f + p));
}
#endif
#endif
