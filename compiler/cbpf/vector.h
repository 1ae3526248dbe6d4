/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Four numbers at a time, for the tables of the tree builder. */
#include <stdint.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef float vec4 __attribute__((vector_size(16), may_alias));
typedef float vec4_anywhere __attribute__((vector_size(16), may_alias, aligned(4)));
typedef int32_t mask4 __attribute__((vector_size(16)));

static inline vec4 least4(vec4 x, vec4 y)
{
#ifdef __SSE2__
	return (vec4)_mm_min_ps((__m128)x, (__m128)y);
#else
	mask4 less = (mask4)(x < y);

	return (vec4)(((mask4)x & less) | ((mask4)y & ~less));
#endif
}
