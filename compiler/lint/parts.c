/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/parts.h"

#include "compiler/base/bug.h"
#include "compiler/oci/runtime/model.h"

enum {
	FIXED = 1024,          /* remembered nodes on a machine */
	NODES_KEPT = 1 << 16,  /* a store that has more is emptied; and one */
	PROFILES_MAX = 1 << 12 /* that has served as many: tags of operations are not endless */
};

enum arch parts_host(enum arch a, unsigned arches)
{
	int host = arch_find(str_c(arch_family(a, arches)));

	return host < 0 ? a : (enum arch)host;
}

/* ---- the store ---- */

struct part_store *part_store_new(struct arena *a)
{
	struct part_store *store = ARENA_NEW(a, struct part_store);

	store->of = a;
	return store;
}

static void empty(struct part_store *store)
{
	const struct arena *of = store->of;

	arena_free(store->arena);
	*store = (struct part_store){ .of = of,
				      .arena = arena_scratch(of),
				      .epoch = store->epoch + 1 };
}

void part_store_take(struct part_store *store, size_t budget)
{
	if (!store->dd || store->taken || dd_size(store->dd) > NODES_KEPT ||
	    store->profiles >= PROFILES_MAX) {
		empty(store);
		store->dd = dd_new(store->arena, budget);
		store->fixed = arena_alloc_array(store->arena, FIXED, sizeof(*store->fixed));
	}
	dd_refill(store->dd, budget);
	store->taken = true;
	store->profiles++;
}

void part_store_give_back(struct part_store *store)
{
	store->taken = false;
}

/* ---- one part ---- */

static bool permits(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG;
}

/* Whether these pass is somebody else's to say, who listens or traces. */
static bool is_asked(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_NOTIFY || v.kind == VERDICT_TRACE;
}

static struct call_part part_of(struct dd *d, dd_node root, dd_node disputed)
{
	struct call_part part = { .root = root, .disputed = disputed };
	dd_node open = dd_compare(d, root, root, permits);
	dd_node asked = dd_or(d, disputed, dd_compare(d, root, root, is_asked));

	part.sure = dd_and(d, open, dd_not(d, disputed));
	part.maybe = dd_or(d, open, asked);
	if (part.sure != DD_NONE)
		part.tested = (dd_fields(d, part.sure) & ((1u << DD_IP) - 1)) != 0;
	return part;
}

/* ---- all of them ---- */

static dd_node fix_host(struct part_store *store, dd_node n, enum arch host)
{
	size_t slot = (n + 61 * (size_t)host) % FIXED;

	if (n == DD_NONE || dd_is_terminal(store->dd, n, NULL))
		return n;
	if (store->fixed[slot].from != n || store->fixed[slot].host != host) {
		store->fixed[slot].to = dd_fix(store->dd, n, DD_SYSTEM, 0xff, (uint64_t)host);
		store->fixed[slot].from = n;
		store->fixed[slot].host = host;
	}
	return store->fixed[slot].to;
}

/* The place of the part in the store, made where there is none. */
static size_t find_part(struct part_store *store, dd_node root, dd_node disputed)
{
	dd_node both[] = { root, disputed };
	uint64_t hash = hash_bytes(HASH_START, both, sizeof(both));
	struct table_walk it = table_start(hash);

	for (size_t at; (at = table_next(&store->places, &it)) != TABLE_END;)
		if (store->list.v[at].root == root && store->list.v[at].disputed == disputed)
			return at;
	table_add(store->arena, &store->places, hash, store->list.n);
	vec_push(store->arena, &store->list, part_of(store->dd, root, disputed));
	return store->list.n - 1;
}

/* Neighbours have one part most often. */
struct filler {
	struct call_parts *p;
	enum arch arch, host;
	dd_node root, disputed; /* of the last call; root DD_NONE: there is none */
	bool everywhere;        /* whose part is the same on every machine */
	size_t at;
};

/* What fixing the machine leaves as it is does not look at it. */
static void find_call(struct filler *f, dd_node root, dd_node disputed)
{
	struct part_store *store = f->p->store;
	dd_node fixed = fix_host(store, root, f->host);
	dd_node also = fix_host(store, disputed, f->host);

	f->at = find_part(store, fixed, also);
	f->root = root;
	f->disputed = disputed;
	f->everywhere = fixed == root && also == disputed;
}

/* What its part says, of these architectures. */
static void add_sums(struct filler *f, size_t call, unsigned on)
{
	const struct call_part *part = &f->p->store->list.v[f->at];
	struct call_sums *sums = &f->p->sums[call];

	f->p->lost |= part->sure == DD_NONE || part->maybe == DD_NONE;
	sums->always |= part->sure == DD_TRUE ? on : 0;
	sums->some |= part->sure != DD_FALSE ? on : 0;
	sums->maybe |= part->maybe != DD_FALSE ? on : 0;
	sums->tested |= part->tested ? on : 0;
}

static void put_call(struct filler *f, size_t call, dd_node root, dd_node disputed)
{
	struct call_parts *p = f->p;
	unsigned bit = ARCH_BIT(f->arch);

	if (root == DD_NONE || disputed == DD_NONE) {
		p->lost = true;
		return;
	}
	if (root != f->root || disputed != f->disputed)
		find_call(f, root, disputed);
	if (!p->sums[call].parts)
		p->sums[call].parts = ARENA_ARRAY(p->arena, uint32_t, ARCH_NR);
	p->sums[call].parts[f->arch] = (uint32_t)f->at;
	add_sums(f, call, bit);
}

static void parts_start(struct arena *a, struct part_store *store, unsigned arches,
			struct call_parts *out)
{
	*out = (struct call_parts){ .arena = a, .store = store, .arches = arches };
	out->sums = ARENA_ARRAY(a, struct call_sums, syscall_count());
}

static void fill_arch(struct filler *f, dd_node root)
{
	const struct arch_info *info = arch_info(f->arch);

	for (size_t i = 0; i < syscall_count() && !f->p->lost; i++) {
		int nr = syscall_at(i)->nr[f->arch];
		if (nr >= 0)
			put_call(f, i,
				 dd_call(f->p->store->dd, root, info->audit,
					 (uint32_t)nr + info->nr_base),
				 DD_FALSE);
	}
}

static struct filler filler_of(struct call_parts *out, unsigned arch, unsigned arches)
{
	return (struct filler){ .p = out,
				.arch = (enum arch)arch,
				.host = parts_host((enum arch)arch, arches),
				.root = DD_NONE };
}

void parts_of_root(struct arena *a, struct part_store *store, dd_node root, unsigned arches,
		   struct call_parts *out)
{
	parts_start(a, store, arches, out);
	out->lost = root == DD_NONE;
	for (unsigned arch = 0; arch < ARCH_NR; arch++) {
		struct filler f = filler_of(out, arch, arches);
		if (arches & ARCH_BIT(arch))
			fill_arch(&f, root);
	}
}

static void put_stub(struct filler *f, size_t call, dd_node stub, enum arch host)
{
	f->p->lost |= stub == DD_NONE;
	if (fix_host(f->p->store, stub, host) == DD_TRUE)
		f->p->sums[call].stubbed |= ARCH_BIT(f->arch);
}

/* One part on all of these? Most often it is, and that of the call before. */
static bool fill_alike(struct filler *f, size_t call, const struct oci_call *of, unsigned on)
{
	if (of->reading == DD_NONE || of->undefined == DD_NONE) {
		f->p->lost = true;
		return true;
	}
	if (!f->everywhere || of->reading != f->root || of->undefined != f->disputed)
		find_call(f, of->reading, of->undefined);
	if (!f->everywhere)
		return false;
	f->p->sums[call].part = (uint32_t)f->at;
	add_sums(f, call, on);
	return true;
}

static void fill_loaded(struct filler *f, size_t call, const struct oci_call_row *row,
			const enum arch hosts[ARCH_NR])
{
	unsigned on = syscall_at(call)->on & f->p->arches;

	for (unsigned a = 0; row->stub && on >> a; a++)
		if (on & ARCH_BIT(a) && row->stub[a] != DD_FALSE) {
			f->arch = (enum arch)a;
			put_stub(f, call, row->stub[a], hosts[a]);
		}
	if (!on || (row->alike && fill_alike(f, call, row->at, on)))
		return;
	for (unsigned a = 0; on >> a; a++) {
		const struct oci_call *of = row->alike ? row->at : &row->at[a];

		if (!(on & ARCH_BIT(a)))
			continue;
		f->arch = (enum arch)a;
		if (!f->everywhere && f->host != hosts[a])
			f->root = DD_NONE;
		f->host = hosts[a];
		put_call(f, call, of->reading, of->undefined);
	}
}

void parts_of_calls(struct arena *a, struct part_store *store, const struct oci_calls *calls,
		    unsigned arches, struct call_parts *out)
{
	enum arch hosts[ARCH_NR];
	struct filler f;

	parts_start(a, store, arches, out);
	for (unsigned arch = 0; arch < ARCH_NR; arch++)
		hosts[arch] = parts_host((enum arch)arch, arches);
	f = filler_of(out, 0, arches);
	for (size_t i = 0; i < syscall_count(); i++)
		fill_loaded(&f, i, &calls->rows[i], hosts);
}

struct call_part *parts_at(struct call_parts *p, const struct syscall_info *s, enum arch a)
{
	const struct call_sums *sums = &p->sums[syscall_index(s)];

	BUG_ON(!(p->arches & ARCH_BIT(a)) || s->nr[a] < 0);
	return p->lost ? NULL : &p->store->list.v[sums->parts ? sums->parts[a] : sums->part];
}
