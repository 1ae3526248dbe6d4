/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/vec.h"

#include <string.h>

void *vec_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	size_t more = *cap ? *cap * 2 : 8;
	void *p = arena_alloc_array(a, more, size);

	if (n)
		memcpy(p, v, n * size);
	*cap = more;
	return p;
}
