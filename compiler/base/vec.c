/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/base/vec.h"

#include <string.h>

void *vec_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size)
{
	return vec_grow_by(a, v, n, cap, size, 1);
}

void *vec_grow_by(struct arena *a, void *v, size_t n, size_t *cap, size_t size, size_t more)
{
	size_t room = *cap ? *cap * 2 : 8;

	if (room < n + more) /* what is asked for at once is most often all that comes */
		room = n + more + (n + more) / 8;
	void *p = arena_alloc_array(a, room, size);

	if (n)
		memcpy(p, v, n * size);
	*cap = room;
	return p;
}
