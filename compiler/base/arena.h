/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Arena: one region of memory a compilation; nothing allocated from it is freed by itself, but what
 * arena_give_back() names.
 * arena_alloc() never returns NULL: when memory runs out it calls the handler given to
 * arena_new() (the command line prints one line and leaves); a handler that
 * returns, or none, aborts. Memory is zeroed and aligned for any type.
 */
#include <stddef.h>
#include <stdarg.h>

struct arena;
typedef void arena_oom_fn(void);

struct arena *arena_new(arena_oom_fn *oom);
/* Another one, with the same handler, for what is not needed as long; freed with `a` at the latest. */
struct arena *arena_scratch(const struct arena *a);
void arena_free(struct arena *a); /* NULL is fine */
/*
 * Frees what is in it, and its scratches, and forgets its bound: it is as new, for one after another
 * of the same kind. It may keep a piece of memory for what comes next; it is no scratch itself.
 */
void arena_empty(struct arena *a);
/* For memory that failed elsewhere: the handler, as when the arena's own ends. */
_Noreturn void arena_no_memory(struct arena *a);

size_t arena_size(const struct arena *a);  /* bytes taken from the system, for those with a bound */
size_t arena_taken(const struct arena *a); /* the same, of all that share its bound */

/*
 * Frees what an arena_alloc() of so many bytes returned, where it was large enough for a chunk of
 * its own; does nothing where it was not. For tables that were outgrown and that nobody else holds.
 */
void arena_give_back(struct arena *a, const void *p, size_t size);

/*
 * What an arena and its scratches take together is bounded from here on: where they would take more
 * than `bytes` from the system, leave(who) is called, which does not return (else: abort).
 */
typedef void arena_leave_fn(void *who);
void arena_bound(struct arena *a, size_t bytes, arena_leave_fn *leave, void *who);

void *arena_alloc(struct arena *a, size_t size);
void *arena_dup(struct arena *a, const void *p, size_t size);
char *arena_strdup(struct arena *a, const char *s);
char *arena_printf(struct arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
	__attribute__((format(printf, 2, 0)));

#define ARENA_NEW(a, T)      ((T *)arena_alloc((a), sizeof(T)))
#define ARENA_ARRAY(a, T, n) ((T *)arena_alloc_array((a), (n), sizeof(T)))

/* Calls the oom handler when n * size overflows. */
void *arena_alloc_array(struct arena *a, size_t n, size_t size);
