/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The eBPF backend's maps, looked at while the programs fill them. Each look is a slice of a few
 * milliseconds: who waits beside it must not be kept from waiting. Nothing is written to a map.
 */
#include "learn/backend.h"

#if PALE_BPF
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "compiler/base/clock.h"
#include "learn/live.h"
#include "learn/proposal.h"
#include "learn/watch.h"

enum {
	SLICE = 2048,     /* paths of a look */
	COUNT_EVERY = 4,  /* looks between two of the counters, about a second, */
	SAMPLE_EVERY = 20 /* and between two of what the programs cost */
};

struct live_maps {
	struct arena *arena;
	unsigned looks;
	/* Paths: all pieces up to now, and which of them have no text yet. */
	VEC(struct piece) pieces;
	struct table by_id, texts; /* of texts the hashes are kept, and nothing else */
	VEC(size_t) waiting;
	size_t found; /* pieces there were when the pass began */
	uint64_t at;  /* where the kernel goes on */
	bool is_within;
	struct trace_path_key keys[SLICE];
	struct trace_path values[SLICE];
	struct trace_counts *counts; /* WATCH_COUNTS on each CPU; NULL: no memory */
	struct table caps;
	uint64_t ids[TRACE_PROGRAMS]; /* of their paths, by their numbers; and what these say */
	struct str names[TRACE_PROGRAMS];
	uint32_t programs; /* of which so many are known */
	/* While the kernel counts what programs take; -1: it does not. */
	int sampling;
	uint64_t sampled_from, programs_then;
};

/* ---- calls ---- */

/* Of either phase. made: how often all were, up to now. */
static void look_at_counter(struct live *l, uint32_t key, const struct trace_count *sum,
			    uint64_t *made)
{
	uint32_t call = key & ~(uint32_t)TRACE_SERVING, nr = call % TRACE_NRS;
	int a = abi_arch(call / TRACE_NRS);
	const struct syscall_info *sys;

	if (!sum->count || a < 0)
		return;
	*made += sum->count;
	if (!live_made(l, (enum arch)a, nr))
		return;
	l->look.calls++;
	sys = syscall_by_nr((enum arch)a, nr);
	live_add(l, LIVE_CALL, sum->first_ns, 0, str_c(sys ? sys->name : "?"));
}

static void look_at_calls(struct watch *w, struct live *l, struct live_maps *k)
{
	int fd = bpf_map__fd(w->skel->maps.counts);
	uint64_t made = 0;

	if (!k->counts)
		return;
	for (uint32_t from = 0, n; from < 2 * TRACE_CALLS / TRACE_PACKED; from += n) {
		n = watch_read_counts(fd, from, k->counts);
		if (!n)
			return;
		for (uint32_t i = 0; i < n * TRACE_PACKED; i++) {
			size_t element = (size_t)(i / TRACE_PACKED) * (size_t)w->cpus;
			struct trace_count sum = watch_sum_counts(w, &k->counts[element], i);

			look_at_counter(l, from * TRACE_PACKED + i, &sum, &made);
		}
	}
	l->look.made = made;
}

/* What the kernel asks without need: a proposal leaves it out, or looks at arguments first. */
static bool is_asked_idly(const struct trace_cap_key *key)
{
	uint32_t call = key->call & ~(uint32_t)TRACE_SERVING;
	int a = abi_arch(call / TRACE_NRS);
	struct recorded_capability c = { .cap = key->cap, .nr = call % TRACE_NRS };
	const struct syscall_info *sys;

	if (key->call == TRACE_NO_CALL || a < 0)
		return true;
	c.arch = (enum arch)a;
	sys = syscall_by_nr(c.arch, c.nr);
	return proposal_is_noise(&c) ||
	       (c.cap == CAP_IPC_LOCK && sys && !strcmp(sys->name, "io_uring_setup"));
}

static void look_at_caps(struct watch *w, struct live *l, struct live_maps *k)
{
	int fd = bpf_map__fd(w->skel->maps.caps);
	struct trace_cap_key key, *prev = NULL;
	struct trace_count n;

	l->look.caps_seen = w->sees_caps;
	for (; !bpf_map_get_next_key(fd, prev, &key); prev = &key) {
		const char *name = capability_name(key.cap);
		struct table_walk it = table_start(key.cap);

		if (!name || is_asked_idly(&key) || table_next(&k->caps, &it) != TABLE_END ||
		    bpf_map_lookup_elem(fd, &key, &n))
			continue;
		table_add(k->arena, &k->caps, key.cap, key.cap);
		l->look.caps++;
		live_add(l, LIVE_CAPABILITY, n.first_ns, 0, str_c(name));
	}
}

/* ---- files ---- */

/* The name of a piece that is one; false: a part of it was not met yet. */
static bool name_it(struct live *l, struct live_maps *k, const struct piece *p)
{
	const struct pieces all = { k->pieces.v, k->pieces.n, &k->by_id };
	char text[2 * TRACE_PATH + 3], end[TRACE_PATH + 1];
	const struct piece *base, *none;
	struct table_walk it;
	uint64_t hash;
	size_t n;

	if (!pieces_text(&all, p, &base, end))
		return false;
	*text = 0;
	if (base && *end != '/') {
		if (!pieces_text(&all, base, &none, text))
			return false;
		n = strlen(text);
		if (n && text[n - 1] != '/')
			strcat(text, "/");
	}
	strcat(text, end);
	if (p->key.flags & TRACE_DIR && strcmp(text, "/"))
		strcat(text, "/");
	hash = hash_str(str_c(text));
	it = table_start(hash);
	if (table_next(&k->texts, &it) != TABLE_END)
		return true;
	table_add(k->arena, &k->texts, hash, 0);
	l->look.files++;
	live_add(l, LIVE_FILE, p->val.first_ns, p->key.perms, str_c(text));
	return true;
}

static bool is_file(const struct piece *p)
{
	return (p->key.kind == TRACE_LEAF || p->key.kind == TRACE_JOIN) &&
	       !(p->key.perms & TRACE_NAMED);
}

static void keep_pieces(struct live_maps *k, __u32 n, size_t most)
{
	for (__u32 i = 0; i < n && k->pieces.n < most; i++) {
		struct piece p = { .key = k->keys[i], .val = k->values[i] };
		struct table_walk it = table_start(p.val.id);

		if (table_next(&k->by_id, &it) != TABLE_END)
			continue;
		table_add(k->arena, &k->by_id, p.val.id, k->pieces.n);
		if (is_file(&p))
			vec_push(k->arena, &k->waiting, k->pieces.n);
		vec_push(k->arena, &k->pieces, p);
	}
}

/* Those that have all their parts by now get their names. */
static void name_them(struct live *l, struct live_maps *k)
{
	size_t left = 0;

	for (size_t i = 0; i < k->waiting.n; i++)
		if (!name_it(l, k, &k->pieces.v[k->waiting.v[i]]))
			k->waiting.v[left++] = k->waiting.v[i];
	k->waiting.n = left;
}

/* The next slice; a pass that has met nothing new is followed by a rest of a second. */
static void look_at_files(struct watch *w, struct live *l, struct live_maps *k, size_t most)
{
	int fd = bpf_map__fd(w->skel->maps.paths), err;
	__u32 n = SLICE;

	if (!k->is_within && k->pieces.n == k->found && k->looks % COUNT_EVERY)
		return;
	if (!k->is_within)
		k->found = k->pieces.n;
	err = bpf_map_lookup_batch(fd, k->is_within ? &k->at : NULL, &k->at, k->keys, k->values, &n,
				   NULL);
	if (err && errno != ENOENT)
		n = 0;
	keep_pieces(k, n, most);
	k->is_within = !err;
	if (!k->is_within)
		name_them(l, k);
}

/* ---- programs ---- */

/* They are given for good; one that was just given may not stand there yet. */
static void number_programs(struct watch *w, struct live_maps *k)
{
	int fd = bpf_map__fd(w->skel->maps.programs);
	uint64_t id, *prev = NULL;
	uint32_t number;

	if (k->programs == w->skel->bss->programs_used)
		return;
	k->programs = 0;
	for (; !bpf_map_get_next_key(fd, prev, &id) && k->programs < TRACE_PROGRAMS; prev = &id) {
		k->programs++;
		if (!bpf_map_lookup_elem(fd, &id, &number) && number < TRACE_PROGRAMS)
			k->ids[number] = id;
	}
}

/* False: its name was not met yet. */
static bool name_program(struct live_maps *k, uint32_t number)
{
	const struct pieces all = { k->pieces.v, k->pieces.n, &k->by_id };
	const struct piece *p, *none;
	char text[TRACE_PATH + 1];

	if (number == TRACE_BY_OTHERS || k->names[number].p)
		return true;
	p = pieces_find(&all, k->ids[number]);
	if (!p || !pieces_text(&all, p, &none, text))
		return false;
	k->names[number] = str_c(arena_strdup(k->arena, text));
	return true;
}

/* What it made by ABIs that there are; true: anything. */
static bool look_at_made(const struct watch *w, uint32_t number, struct live_made *made)
{
	const __u64 *row = &w->skel->bss->made[number * (2 * LIVE_CALLS)];
	uint64_t any = 0;

	for (uint32_t i = 0; i < TRACE_ABIS * TRACE_NRS / 64; i++) {
		if (abi_arch(i * 64 / TRACE_NRS) < 0)
			continue;
		made->serving[i] = row[LIVE_CALLS + i];
		made->calls[i] = row[i] | made->serving[i];
		any |= made->calls[i];
	}
	return any;
}

static void look_at_programs(struct watch *w, struct live *l, struct live_maps *k)
{
	uint32_t used = w->skel->bss->programs_used + TRACE_BY_FIRST;
	uint32_t rows = used < TRACE_PROGRAMS ? used : TRACE_PROGRAMS;
	struct live_made *made = calloc(rows, sizeof(*made));
	size_t n = 0;

	number_programs(w, k);
	for (uint32_t i = TRACE_BY_OTHERS; made && i < rows; i++) {
		if (!look_at_made(w, i, &made[n]))
			continue;
		if (name_program(k, i))
			made[n++].name = k->names[i];
		else
			memset(&made[n], 0, sizeof(made[n]));
	}
	if (made)
		live_programs(l, made, n);
	free(made);
}

/* ---- what it costs ---- */

static uint64_t programs_ns(const struct watch *w)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < w->nprograms; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(w->programs[i]), &info, &len))
			sum += info.run_time_ns;
	}
	return sum;
}

/* The kernel counts it where it is asked to, which costs a little: so between two looks of many. */
static void sample_cost(const struct watch *w, struct live *l, struct live_maps *k)
{
	if (k->sampling >= 0) {
		l->look.programs_ns = programs_ns(w) - k->programs_then;
		l->look.of_ns = clock_ns() - k->sampled_from;
		close(k->sampling);
		k->sampling = -1;
	} else if (k->looks % SAMPLE_EVERY == 1) {
		k->sampling = bpf_enable_stats(BPF_STATS_RUN_TIME);
		k->programs_then = programs_ns(w);
		k->sampled_from = clock_ns();
	}
}

/* ---- all of it ---- */

static struct live_maps *maps_of(const struct watch *w, struct live *l)
{
	struct arena *a;

	if (l->maps)
		return l->maps;
	a = arena_new(NULL);
	l->maps = ARENA_NEW(a, struct live_maps);
	l->maps->arena = a;
	l->maps->sampling = -1;
	l->maps->counts = calloc((size_t)w->cpus * WATCH_COUNTS, sizeof(*l->maps->counts));
	return l->maps;
}

void watch_live(struct watch *w, const struct learn_options *opt, struct model *m)
{
	struct live *l = opt->live;
	uint64_t start = w->skel->bss->start_ns;
	struct live_maps *k;

	if (!live_due(opt))
		return;
	k = maps_of(w, l);
	l->look.ns = start ? l->look.clock_ns - start : 0;
	if (k->looks++ % COUNT_EVERY == 0) {
		look_at_calls(w, l, k);
		look_at_caps(w, l, k);
		l->look.lost = (struct recorded_run){ 0 };
		watch_look_run(w, &l->look.lost);
		l->look.tasks = l->look.lost.processes;
	}
	look_at_files(w, l, k, watch_keys(w, opt->max_paths) + 1024);
	look_at_programs(w, l, k); /* their names are there by now */
	sample_cost(w, l, k);
	l->look.watched = model_recording(m)->run.containers;
	l->show(l->who, &l->look);
}

void watch_live_end(struct live *l)
{
	if (!l || !l->maps)
		return;
	if (l->maps->sampling >= 0)
		close(l->maps->sampling);
	free(l->maps->counts);
	arena_free(l->maps->arena);
	l->maps = NULL;
}

#endif
