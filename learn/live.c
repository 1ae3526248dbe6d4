/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/live.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/base/clock.h"
#include "learn/target.h"

bool live_due(const struct learn_options *opt)
{
	struct live *l = opt->live;

	if (!l || !l->ticks || *l->ticks == l->seen)
		return false;
	l->seen = *l->ticks;
	l->look.clock_ns = clock_ns();
	l->look.is_ending = opt->stop && *opt->stop;
	return true;
}

/* The end of a path says more than its beginning. */
static bool copy_name(char to[LIVE_NAME], struct str name)
{
	size_t n = name.n < LIVE_NAME ? name.n : LIVE_NAME - 1;

	memcpy(to, name.n ? name.p + (name.n - n) : "", n);
	to[n] = 0;
	return n < name.n;
}

void live_add(struct live *l, enum live_kind kind, uint64_t first_ns, unsigned perms,
	      struct str name)
{
	struct live_look *k = &l->look;
	size_t at = k->n;

	while (at && k->newest[at - 1].first_ns < first_ns)
		at--;
	if (at == LIVE_NEWEST)
		return;
	if (k->n < LIVE_NEWEST)
		k->n++;
	memmove(&k->newest[at + 1], &k->newest[at], (k->n - 1 - at) * sizeof(k->newest[0]));
	k->newest[at] = (struct live_new){ .first_ns = first_ns, .kind = kind, .perms = perms };
	k->newest[at].is_cut = copy_name(k->newest[at].name, name);
}

bool live_made(struct live *l, enum arch a, uint32_t nr)
{
	uint64_t *word = &l->look.made_by[a][nr / 64], bit = UINT64_C(1) << nr % 64;
	bool fresh = !(*word & bit);

	*word |= bit;
	return fresh;
}

/* ---- programs ---- */

/* Which calls several of them made. */
static void find_shared(const struct live_made *made, size_t n, uint64_t shared[LIVE_CALLS])
{
	uint64_t one[LIVE_CALLS] = { 0 };

	memset(shared, 0, LIVE_CALLS * sizeof(*shared));
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < LIVE_CALLS; k++) {
			shared[k] |= one[k] & made[i].calls[k];
			one[k] |= made[i].calls[k];
		}
}

static struct live_program look_at_program(const struct live_made *made,
					   const uint64_t shared[LIVE_CALLS])
{
	struct live_program p = { .is_cut = copy_name(p.name, made->name) };

	for (size_t k = 0; k < LIVE_CALLS; k++) {
		p.alone_calls[k] = made->calls[k] & ~shared[k];
		p.calls += (size_t)__builtin_popcountll(made->calls[k]);
		p.serving += (size_t)__builtin_popcountll(made->serving[k]);
		p.alone += (size_t)__builtin_popcountll(p.alone_calls[k]);
	}
	return p;
}

static bool stands_before(const struct live_program *a, const struct live_program *b)
{
	if (a->alone != b->alone)
		return a->alone > b->alone;
	return a->calls != b->calls ? a->calls > b->calls : strcmp(a->name, b->name) < 0;
}

void live_programs(struct live *l, const struct live_made *made, size_t n)
{
	struct live_look *look = &l->look;
	uint64_t shared[LIVE_CALLS];
	size_t shown = 0;

	find_shared(made, n, shared);
	look->nprograms = n;
	for (size_t i = 0; i < n; i++) {
		struct live_program p = look_at_program(&made[i], shared);
		size_t at = shown;

		while (at && stands_before(&p, &look->programs[at - 1]))
			at--;
		if (at == LIVE_PROGRAMS)
			continue;
		shown += shown < LIVE_PROGRAMS;
		memmove(&look->programs[at + 1], &look->programs[at], (shown - 1 - at) * sizeof(p));
		look->programs[at] = p;
	}
}

/* The index of a call in trace.h's tables; TRACE_CALLS: it has none. */
static size_t index_of(enum arch a, uint32_t nr)
{
	for (unsigned abi = 0; abi < TRACE_ABIS; abi++)
		if (abi_arch(abi) == (int)a && nr < TRACE_NRS)
			return (size_t)abi * TRACE_NRS + nr;
	return TRACE_CALLS;
}

static void programs_of_model(struct live *l, const struct recording *r)
{
	struct live_made *made = calloc(r->programs.n + 1, sizeof(*made));

	for (size_t i = 0; made && i < r->programs.n; i++) {
		made[i].name = r->programs.v[i].path;
		vec_each(&r->programs.v[i].calls, c) {
			size_t at = index_of(c->arch, c->nr);

			if (at == TRACE_CALLS)
				continue;
			made[i].calls[at / 64] |= UINT64_C(1) << at % 64;
			made[i].serving[at / 64] |= (uint64_t)c->serves << at % 64;
		}
	}
	if (made)
		live_programs(l, made, r->programs.n);
	free(made);
}

void live_model(struct live *l, struct model *m, uint64_t ns)
{
	const struct recording *r = model_recording(m);
	struct live_look *k = &l->look;

	k->ns = ns;
	k->made = k->calls = 0;
	vec_each(&r->calls, c) {
		const struct syscall_info *sys = syscall_by_nr(c->arch, c->nr);

		if (c->held || c->assumed)
			continue;
		k->made = count_add(k->made, c->count);
		k->calls++;
		if (live_made(l, c->arch, c->nr))
			live_add(l, LIVE_CALL, c->first_ns, 0, str_c(sys ? sys->name : "?"));
	}
	for (; l->files_known < r->files.n; l->files_known++) {
		const struct recorded_file *f = &r->files.v[l->files_known];

		if (!f->held)
			live_add(l, LIVE_FILE, f->first_ns, f->perms, f->path);
	}
	programs_of_model(l, r);
	k->files = r->files.n;
	k->tasks = r->run.processes;
	k->lost.losses = r->run.losses;
	l->show(l->who, k);
}
