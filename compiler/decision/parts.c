/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/decision/parts.h"

#include "compiler/base/bug.h"
#include "compiler/decision/dd.h"

enum { BLOCK = 10, FIXED = 64 }; /* bits of a number below its block; remembered nodes */

struct call_parts parts_of(struct arena *a, struct dd *d, dd_node root, unsigned arches)
{
	return (struct call_parts){
		.arena = a, .dd = d, .root = root, .arches = arches, .lost = root == DD_NONE
	};
}

enum arch parts_host(enum arch a, unsigned arches)
{
	int host = arch_find(str_c(arch_family(a, arches)));

	return host < 0 ? a : (enum arch)host;
}

/* Down to the first node behind so many bits of the call's number and token. */
static dd_node walk_to(const struct call_parts *p, dd_node n, uint64_t call, uint32_t end)
{
	const struct node *v = p->dd->nodes.v;

	while (v[n].bit < end)
		n = call >> (63 - v[n].bit) & 1 ? v[n].high : v[n].low;
	return n;
}

/* What calls share they share here: entries name many that have one part. */
struct fixer {
	struct call_parts *p;
	uint64_t host;
	dd_node from[FIXED], to[FIXED]; /* from 0, which is DD_FALSE: free */
};

static dd_node fix_host(struct fixer *f, dd_node n)
{
	size_t slot = n % FIXED;

	if (dd_is_terminal(f->p->dd, n, NULL))
		return n;
	if (f->from[slot] != n) {
		f->from[slot] = n;
		f->to[slot] = dd_fix(f->p->dd, n, DD_SYSTEM, 0xff, f->host);
	}
	return f->to[slot];
}

static void look_up(struct call_parts *p, enum arch a)
{
	const struct arch_info *info = arch_info(a);
	struct fixer fixer = { .p = p, .host = (uint64_t)parts_host(a, p->arches) };
	uint64_t block = UINT64_MAX;
	dd_node top = DD_NONE;

	for (size_t i = 0; i < syscall_count(); i++) {
		const struct syscall_info *s = syscall_at(i);
		dd_node *at = &p->node[i * ARCH_NR + (size_t)a];

		*at = DD_NONE;
		if (s->nr[a] < 0)
			continue;
		uint64_t call = DD_CALL_OF(info->audit, (uint32_t)s->nr[a] + info->nr_base);
		if (call >> BLOCK != block) {
			block = call >> BLOCK;
			top = walk_to(p, p->root, call, 64 - BLOCK);
		}
		*at = fix_host(&fixer, walk_to(p, top, call, 64));
		p->lost |= *at == DD_NONE;
		p->all[i] |= *at == DD_TRUE ? ARCH_BIT(a) : 0;
		p->any[i] |= *at != DD_FALSE ? ARCH_BIT(a) : 0;
	}
	p->done |= ARCH_BIT(a);
}

static void look_up_all(struct call_parts *p, unsigned arches)
{
	arches &= p->arches & ~p->done;
	if (p->lost || !arches)
		return;
	if (!p->node) {
		p->node = ARENA_ARRAY(p->arena, dd_node, syscall_count() * ARCH_NR);
		p->all = ARENA_ARRAY(p->arena, unsigned, syscall_count());
		p->any = ARENA_ARRAY(p->arena, unsigned, syscall_count());
	}
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a))
			look_up(p, (enum arch)a);
}

dd_node parts_at(struct call_parts *p, const struct syscall_info *s, enum arch a)
{
	BUG_ON(!(p->arches & ARCH_BIT(a)));
	look_up_all(p, ARCH_BIT(a));
	return p->lost ? DD_NONE : p->node[call_index(s) * ARCH_NR + (size_t)a];
}

unsigned parts_all(struct call_parts *p, const struct syscall_info *s)
{
	look_up_all(p, p->arches);
	return p->lost ? 0 : p->all[call_index(s)];
}

unsigned parts_any(struct call_parts *p, const struct syscall_info *s)
{
	look_up_all(p, p->arches);
	return p->lost ? 0 : p->any[call_index(s)];
}
