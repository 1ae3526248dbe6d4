/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Growable arrays in an arena: VEC(struct rule) rules = {0}; vec_push(arena, &rules, r);
 * A vec lives as long as its arena; growth leaves the old array behind (doubling, so at most
 * as much again). Elements may move on push: keep indices, not pointers, while it grows.
 */
#include <stddef.h>

#include "compiler/base/arena.h"

#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *v;                                                                              \
		size_t n;                                                                          \
		size_t cap;                                                                        \
	}

/* Returns the array with room for one more element; *cap is updated. */
void *vec_grow(struct arena *a, void *v, size_t n, size_t *cap, size_t size);

/* The same with room for `more` of them, and then some. */
void *vec_grow_by(struct arena *a, void *v, size_t n, size_t *cap, size_t size, size_t more);

#define vec_push(a, vec, x)                                                                        \
	do {                                                                                       \
		if ((vec)->n == (vec)->cap)                                                        \
			(vec)->v =                                                                 \
				vec_grow((a), (vec)->v, (vec)->n, &(vec)->cap, sizeof(*(vec)->v)); \
		(vec)->v[(vec)->n++] = (x);                                                        \
	} while (0)

/* Room for `more` elements that are pushed next: they are not copied on the way. */
#define vec_room(a, vec, more)                                                                     \
	do {                                                                                       \
		if ((vec)->cap - (vec)->n < (more))                                                \
			(vec)->v = vec_grow_by((a), (vec)->v, (vec)->n, &(vec)->cap,               \
					       sizeof(*(vec)->v), (more));                         \
	} while (0)

/* vec_push() for a vec whose array nobody else holds: the one that it outgrows is given back. */
#define vec_push_own(a, vec, x)                                                                    \
	do {                                                                                       \
		void *outgrown_ = (vec)->v;                                                        \
		size_t bytes_ = (vec)->cap * sizeof(*(vec)->v);                                    \
		vec_push((a), (vec), x);                                                           \
		if ((vec)->v != outgrown_ && outgrown_)                                            \
			arena_give_back((a), outgrown_, bytes_);                                   \
	} while (0)

/*
 * vec_each(&rules, r) { ... }: r is a pointer to each element in turn. An empty vec has no
 * array, and NULL + 0 is undefined (clang's UBSan says so).
 */
#define vec_each(vec, it)                                                                          \
	for (__typeof__(*(vec)->v) *it = (vec)->v; (vec)->n && it < (vec)->v + (vec)->n; it++)
