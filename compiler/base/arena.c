/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arena: a list of chunks, each twice the one before it. What is given back is kept, up to a
 * mebibyte, for what shares the bound: its pages need no fault again, and only what was used of it is
 * cleared. The first mebibyte comes from a mapping of its own: malloc() clears what it cannot know
 * to be zero, and the kernel gives many pages at once for a fraction of as many faults
 * (madvise(2), MADV_POPULATE_WRITE). An arena that has grown past a few chunks goes on with huge
 * pages of the kernel's where it has some to give: a page fault then brings 512 pages at once, for
 * the price of some seventy single ones (Documentation/admin-guide/mm/transhuge.rst).
 */
#include "compiler/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "compiler/base/bug.h"

#define CHUNK_FIRST ((size_t)16 << 10)
#define CHUNK_MAX   ((size_t)1 << 20)
#define HUGE_FROM   ((size_t)256 << 10) /* a chunk of that size is a huge page instead */
#define SPARES_MAX  ((size_t)1 << 20)   /* bytes kept */
#define HUGE_PAGE   ((size_t)2 << 20)
#define LAND        ((size_t)1 << 20)   /* addresses for the first small chunks */
#define LAND_STEP   ((size_t)128 << 10) /* of which so much is asked for at once */
#define ALIGN       _Alignof(max_align_t)

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* since Linux 5.14: include/uapi/asm-generic/mman-common.h */
#endif

/* A sanitizer has to see what is allocated, and what is freed. */
#if defined(__SANITIZE_ADDRESS__)
#define OWN_CHUNKS 0
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define OWN_CHUNKS 0
#endif
#endif
#ifndef OWN_CHUNKS
#define OWN_CHUNKS 1
#endif

struct chunk {
	struct chunk *next;
	size_t used; /* bytes of data[] handed out */
	size_t size; /* bytes of data[] */
	enum { CHUNK_MALLOC, CHUNK_HUGE, CHUNK_LAND } from;
	_Alignas(max_align_t) unsigned char data[];
};

struct bound {
	size_t used, max; /* bytes, of the arena and of its scratches */
	arena_leave_fn *leave;
	void *who;
	struct arena *scratches; /* those that were not freed */
	struct chunk *spare;     /* a huge page given back, zeroed, for the next that needs one */
	struct chunk *spares;    /* smaller ones, likewise */
	size_t spare_bytes;      /* of these that malloc() gave */
	unsigned char *land;     /* LAND bytes, zero where nobody used them; NULL: not yet */
	size_t land_used;        /* of it: handed out, */
	size_t land_there;       /* and asked for */
	bool ends;               /* none will */
};

struct arena {
	arena_oom_fn *oom;
	struct chunk *head;
	size_t next_size;
	size_t size;                /* of all chunks */
	struct bound own;           /* what arena_bound() said */
	struct bound *bound;        /* own, or that of the arena this is a scratch of */
	struct arena *next, **link; /* a scratch's place among its bound's */
};

static _Noreturn void run_out(arena_oom_fn *oom)
{
	if (oom)
		oom();
	abort();
}

struct arena *arena_new(arena_oom_fn *oom)
{
	struct arena *a = calloc(1, sizeof(*a));

	if (!a)
		run_out(oom);
	a->oom = oom;
	a->next_size = CHUNK_FIRST;
	a->own.max = SIZE_MAX;
	a->bound = &a->own;
	return a;
}

struct arena *arena_scratch(const struct arena *a)
{
	struct arena *scratch = arena_new(a->oom);

	scratch->bound = a->bound;
	scratch->next = a->bound->scratches;
	scratch->link = &a->bound->scratches;
	if (scratch->next)
		scratch->next->link = &scratch->next;
	a->bound->scratches = scratch;
	return scratch;
}

void arena_bound(struct arena *a, size_t bytes, arena_leave_fn *leave, void *who)
{
	BUG_ON(a->bound != &a->own);
	a->own.max = bytes;
	a->own.leave = leave;
	a->own.who = who;
}

/* Before bytes are taken from the system. */
static void count(struct arena *a, size_t size)
{
	struct bound *b = a->bound;

	if (b->used > b->max || size > b->max - b->used) {
		if (b->leave)
			b->leave(b->who);
		abort();
	}
	b->used += size;
	a->size += size;
}

void arena_no_memory(struct arena *a)
{
	run_out(a->oom);
}

static void free_small(struct bound *b, struct chunk *c)
{
	bool is_land = c->from == CHUNK_LAND; /* stays until all of it goes */

	if (b->ends && is_land)
		return;
	if (!is_land && (!OWN_CHUNKS || b->ends || c->size > SPARES_MAX - b->spare_bytes)) {
		free(c);
		return;
	}
	c->next = b->spares;
	b->spares = c;
	b->spare_bytes += is_land ? 0 : c->size;
}

/* Of those kept that hold `size` and no more than `most` the largest; NULL: there is none. */
static struct chunk *take_spare(struct bound *b, size_t size, size_t most)
{
	struct chunk **best = NULL;

	for (struct chunk **at = &b->spares; *at; at = &(*at)->next)
		if ((*at)->size >= size && (*at)->size <= most &&
		    (!best || (*at)->size > (*best)->size))
			best = at;
	if (!best)
		return NULL;
	struct chunk *c = *best;
	*best = c->next;
	b->spare_bytes -= c->from == CHUNK_LAND ? 0 : c->size;
	memset(c->data, 0, c->used);
	c->used = 0;
	return c;
}

static void free_spares(struct bound *b)
{
	for (struct chunk *c = b->spares, *next; c; c = next) {
		next = c->next;
		if (c->from == CHUNK_MALLOC)
			free(c);
	}
	if (b->land)
		munmap(b->land, LAND);
}

/* What was used of a huge page is less than a new one, which the kernel clears whole. */
static void free_chunk(struct bound *b, struct chunk *c)
{
	if (c->from != CHUNK_HUGE) {
		free_small(b, c);
		return;
	}
	if (b->spare || b->ends) {
		munmap(c, HUGE_PAGE);
		return;
	}
	memset(c->data, 0, c->used);
	c->used = 0;
	b->spare = c;
}

static void free_chunks(struct arena *a)
{
	while (a->own.scratches)
		arena_free(a->own.scratches);
	for (struct chunk *c = a->head, *next; c; c = next) {
		next = c->next;
		free_chunk(a->bound, c);
	}
	a->bound->used -= a->size;
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	if (a->link)
		*a->link = a->next;
	if (a->next)
		a->next->link = a->link;
	a->own.ends = true;
	free_chunks(a);
	if (a->own.spare)
		munmap(a->own.spare, HUGE_PAGE);
	free_spares(&a->own);
	free(a);
}

void arena_empty(struct arena *a)
{
	BUG_ON(a->bound != &a->own);
	free_chunks(a);
	a->head = NULL;
	a->next_size = CHUNK_FIRST;
	a->size = 0;
	a->own = (struct bound){ .max = SIZE_MAX,
				 .spare = a->own.spare,
				 .spares = a->own.spares,
				 .spare_bytes = a->own.spare_bytes,
				 .land = a->own.land,
				 .land_used = a->own.land_used,
				 .land_there = a->own.land_there };
}

/* One aligned huge page, or as many small ones; NULL: no room. */
static struct chunk *map_chunk(struct bound *b)
{
	struct chunk *spare = b->spare;

	b->spare = NULL;
	if (spare)
		return spare;
	unsigned char *all = mmap(NULL, 2 * HUGE_PAGE, PROT_READ | PROT_WRITE,
				  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (all == MAP_FAILED)
		return NULL;
	size_t before = -(uintptr_t)all & (HUGE_PAGE - 1);
	if (before)
		munmap(all, before);
	munmap(all + before + HUGE_PAGE, HUGE_PAGE - before);
	madvise(all + before, HUGE_PAGE, MADV_HUGEPAGE); /* a wish */
	struct chunk *c = (void *)(all + before);
	c->from = CHUNK_HUGE;
	c->size = HUGE_PAGE - sizeof(*c);
	return c;
}

/* So that the pages of the first `bytes` need no fault each; a wish. */
static void ask_for(struct bound *b, size_t bytes)
{
	size_t more = b->land_there;

	while (more < bytes)
		more += LAND_STEP;
	if (more > b->land_there)
		madvise(b->land + b->land_there, more - b->land_there, MADV_POPULATE_WRITE);
	b->land_there = more;
}

/* NULL: there is no more, or never was any. */
static struct chunk *take_land(struct bound *b, size_t size)
{
	size_t bytes = sizeof(struct chunk) + size;

	if (!OWN_CHUNKS || bytes > LAND - b->land_used)
		return NULL;
	if (!b->land) {
		void *land = mmap(NULL, LAND, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);
		if (land == MAP_FAILED)
			return NULL;
		b->land = land;
	}
	ask_for(b, b->land_used + bytes);
	struct chunk *c = (void *)(b->land + b->land_used);
	b->land_used += bytes;
	c->from = CHUNK_LAND;
	c->size = size;
	return c;
}

static struct chunk *add_chunk(struct arena *a, size_t size)
{
	struct chunk *c;

	if (size > SIZE_MAX - sizeof(*c))
		run_out(a->oom);
	c = take_spare(a->bound, size, 2 * size);
	if (c) {
		count(a, c->size);
		return c;
	}
	count(a, size);
	c = take_land(a->bound, size);
	if (c)
		return c;
	/* calloc: fresh pages from the kernel are zero already, nothing is cleared twice. */
	c = calloc(1, sizeof(*c) + size);
	if (!c)
		run_out(a->oom);
	c->size = size;
	return c;
}

/* For a small piece; any that was kept will do. */
static struct chunk *add_next(struct arena *a, size_t size)
{
	struct chunk *c = take_spare(a->bound, size, SPARES_MAX);

	if (c) {
		count(a, c->size);
		return c;
	}
	if (OWN_CHUNKS && a->next_size >= HUGE_FROM)
		c = map_chunk(a->bound);
	if (c)
		count(a, c->size);
	else
		c = add_chunk(a, a->next_size);
	if (a->next_size < CHUNK_MAX)
		a->next_size *= 2;
	return c;
}

static size_t aligned(size_t size)
{
	return size ? (size + ALIGN - 1) & ~(ALIGN - 1) : ALIGN;
}

void arena_give_back(struct arena *a, const void *p, size_t size)
{
	struct chunk **at = &a->head;

	if (size <= CHUNK_FIRST / 4) /* such a piece has no chunk of its own */
		return;
	while (*at && (void *)(*at)->data != p)
		at = &(*at)->next;
	struct chunk *c = *at;
	if (!c || c->used != aligned(size))
		return;
	*at = c->next;
	a->size -= c->size;
	a->bound->used -= c->size;
	free_chunk(a->bound, c);
}

void *arena_alloc(struct arena *a, size_t size)
{
	struct chunk *c = a->head;
	void *p;

	if (size > SIZE_MAX / 2)
		run_out(a->oom);
	size = aligned(size);
	if (c && c->size - c->used >= size) {
		p = c->data + c->used;
		c->used += size;
		return p;
	}
	if (size > a->next_size / 4) {
		/* Large: a chunk of its own, behind the head, whose rest stays in use. */
		struct chunk *big = add_chunk(a, size);

		big->used = size;
		big->next = c ? c->next : NULL;
		if (c)
			c->next = big;
		else
			a->head = big;
		return big->data;
	}
	c = add_next(a, size);
	c->next = a->head;
	a->head = c;
	c->used = size;
	return c->data;
}

void *arena_alloc_array(struct arena *a, size_t n, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(n, size, &bytes))
		run_out(a->oom);
	return arena_alloc(a, bytes);
}

void *arena_dup(struct arena *a, const void *p, size_t size)
{
	void *q = arena_alloc(a, size);

	if (size)
		memcpy(q, p, size);
	return q;
}

char *arena_strdup(struct arena *a, const char *s)
{
	return arena_dup(a, s, strlen(s) + 1);
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = arena_vprintf(a, fmt, ap);
	va_end(ap);
	return s;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
	va_list again;
	char *s, most[256];
	int n;

	va_copy(again, ap);
	n = vsnprintf(most, sizeof(most), fmt, again);
	va_end(again);
	BUG_ON(n < 0);
	if ((size_t)n < sizeof(most))
		return arena_dup(a, most, (size_t)n + 1);
	s = arena_alloc(a, (size_t)n + 1);
	vsnprintf(s, (size_t)n + 1, fmt, ap);
	return s;
}

size_t arena_size(const struct arena *a)
{
	return a->size;
}

size_t arena_taken(const struct arena *a)
{
	return a->bound->used;
}
