/* SPDX-License-Identifier: Apache-2.0 */
/* The eBPF backend's maps, read once into the model. */
#include "learn/backend.h"

#if PALE_BPF
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>

#include <bpf/bpf.h>

#include "compiler/base/bug.h"
#include "compiler/base/clock.h"
#include "learn/asks.h"
#include "learn/maker.h"
#include "learn/watch.h"

/* Those that were read at once: of each the counts of all CPUs. */
struct counts {
	int fd;
	uint32_t from, n; /* elements */
	struct trace_counts *v;
};

/* ---- reading the maps: whatever is not answered is a loss ---- */

/* False: it is not there, or was not to be had; the latter is counted. */
static bool look_up(struct watch *w, int fd, const void *key, void *value)
{
	if (!bpf_map_lookup_elem(fd, key, value))
		return true;
	w->unread += errno != ENOENT;
	return false;
}

/* The key behind prev (NULL: the first). Only ENOENT is the end of a map. */
static bool next_key(struct watch *w, int fd, const void *prev, void *key)
{
	if (!bpf_map_get_next_key(fd, prev, key))
		return true;
	w->unread += errno != ENOENT;
	return false;
}

uint64_t watch_sum_of(struct watch *w, int fd, uint32_t which)
{
	uint64_t sum = 0, *v = calloc((size_t)w->cpus, sizeof(*v));

	if (!v)
		w->unread++;
	else if (look_up(w, fd, &which, v))
		for (int i = 0; i < w->cpus; i++)
			sum += v[i];
	free(v);
	return sum;
}

uint64_t watch_sum(struct watch *w, uint32_t which)
{
	return watch_sum_of(w, bpf_map__fd(w->skel->maps.losses), which);
}

uint32_t watch_read_counts(int fd, uint32_t from, struct trace_counts *v)
{
	uint32_t keys[WATCH_COUNTS], n = WATCH_COUNTS, before = from - 1, last;

	if (bpf_map_lookup_batch(fd, from ? &before : NULL, &last, keys, v, &n, NULL) &&
	    errno != ENOENT)
		return 0;
	return n <= WATCH_COUNTS && n && keys[0] == from ? n : 0;
}

/* The element that the i-th is in, of all CPUs; NULL: it is not there, or was not to be had. */
static const struct trace_counts *counts_at(struct watch *w, int fd, uint32_t i, struct counts *cs)
{
	i /= TRACE_PACKED;
	if (cs->fd != fd || i < cs->from || i - cs->from >= cs->n) {
		cs->fd = fd;
		cs->from = i;
		cs->n = watch_read_counts(fd, i, cs->v); /* since Linux 5.13 */
		if (!cs->n && look_up(w, fd, &i, cs->v))
			cs->n = 1;
	}
	return cs->n ? cs->v + (size_t)(i - cs->from) * (size_t)w->cpus : NULL;
}

struct trace_count watch_sum_counts(const struct watch *w, const struct trace_counts *v, uint32_t i)
{
	struct trace_count sum = { 0, UINT64_MAX };

	for (int cpu = 0; cpu < w->cpus; cpu++) {
		const struct trace_count *c = &v[cpu].of[i % TRACE_PACKED];

		sum.count += c->count;
		if (c->count && c->first_ns < sum.first_ns)
			sum.first_ns = c->first_ns;
	}
	return sum;
}

/* One counter over all CPUs; false: never counted. */
static bool sum_counts(struct watch *w, int fd, uint32_t i, struct counts *cs,
		       struct trace_count *sum)
{
	const struct trace_counts *v = counts_at(w, fd, i, cs);

	if (!v)
		return false;
	*sum = watch_sum_counts(w, v, i);
	return sum->count > 0;
}

/* The index of a call; what follows is told of the phase in which it was made. */
static uint32_t take_phase(struct model *m, uint32_t at)
{
	model_phase(m, at & TRACE_SERVING ? PHASE_SERVE : PHASE_ANY);
	return at & ~(uint32_t)TRACE_SERVING;
}

static void read_counts(struct watch *w, struct model *m, struct counts *v)
{
	int fd = bpf_map__fd(w->skel->maps.counts);
	struct trace_count sum;

	for (uint32_t at = 0; at < 2 * TRACE_CALLS; at++) {
		uint32_t i = take_phase(m, at);
		int a = i < TRACE_ABIS * TRACE_NRS ? abi_arch(i / TRACE_NRS) : -1;

		if (!sum_counts(w, fd, at, v, &sum))
			continue;
		w->calls += sum.count;
		if (a < 0)
			model_recording(m)->run.losses.unknown_abi += sum.count;
		else
			model_call(m, (enum arch)a, i % TRACE_NRS, sum.count, sum.first_ns);
	}
}

static void add_signal(struct model *m, const struct trace_signal_key *k, const char *who,
		       struct trace_count n)
{
	struct signalled what = { .signal = k->signal,
				  .peer = (enum signal_peer)k->peer,
				  .who = str_c(who) };

	_Static_assert((int)TRACE_PEER_OURS == (int)SIGNAL_OURS &&
			       (int)TRACE_PEER_LABEL == (int)SIGNAL_LABEL &&
			       (int)TRACE_PEER_PROGRAM == (int)SIGNAL_PROGRAM,
		       "the kernel half has the same numbers");
	if (what.peer > SIGNAL_OURS && !what.who.n)
		what.peer = SIGNAL_UNKNOWN;
	if (k->ways & TRACE_RECEIVED)
		model_signal(m, &what, n.count, n.first_ns);
	what.sent = true;
	if (k->ways & TRACE_SENT)
		model_signal(m, &what, n.count, n.first_ns);
}

/* Those of which it was not seen who was at the other end. */
static void read_signals_beyond(struct watch *w, struct model *m, struct counts *v)
{
	int fd = bpf_map__fd(w->skel->maps.signals_beyond);
	struct trace_count sum;

	for (uint32_t i = TRACE_SENT * TRACE_SIGNAL_WAYS; i < 4 * TRACE_SIGNAL_WAYS; i++) {
		struct trace_signal_key k = { .signal = (__u8)(i % TRACE_SIGNAL_WAYS),
					      .ways = (__u8)(i / TRACE_SIGNAL_WAYS) };

		if (k.signal < 65 && sum_counts(w, fd, i, v, &sum))
			add_signal(m, &k, NULL, sum);
	}
}

/* It may have ended before anybody looked for it by its number: as the programs saw it then. */
static void find_maker(struct watch *w, const struct recorded_run *run)
{
	const char *path = NULL;

	for (size_t i = 0; i < TRACE_MAKERS && !path; i++)
		if (run->makers[i].ino &&
		    maker_is(w->skel->bss->maker_paths[i], run->makers[i].ino, run->makers[i].dev))
			path = w->skel->bss->maker_paths[i];
	if (!path && maker_is(w->skel->bss->maker_word, 0, 0))
		path = w->skel->bss->maker_word;
	if (!*w->maker && path)
		snprintf(w->maker, sizeof(w->maker), "%s", path);
}

/* What is outside the border, and by what names it called itself. */
static void read_runtime_name(struct watch *w, struct recorded_run *run)
{
	static const char *const known[] = { "runc", "crun" }; /* with a set of their starts */
	int fd = bpf_map__fd(w->skel->maps.runtime_names);
	char key[16], *prev = NULL; /* a comm: "runc:[2:INIT]" */

	for (; next_key(w, fd, prev, key); prev = key)
		for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
			size_t n = strlen(known[i]);

			if (!memcmp(key, known[i], n) && (!key[n] || key[n] == ':'))
				run->runtime = known[i];
		}
	_Static_assert(RUN_MAKERS == TRACE_MAKERS, "one place for each");
	for (size_t i = 0; i < TRACE_MAKERS; i++) {
		run->makers[i].ino = w->skel->bss->maker_inos[i];
		run->makers[i].dev = makedev(w->skel->bss->maker_devs[i] >> 20,
					     w->skel->bss->maker_devs[i] & 0xfffff);
	}
	find_maker(w, run);
	run->runtime_program = *w->maker ? w->maker : NULL;
}

static void read_runtime(struct watch *w, struct model *m, struct counts *v)
{
	struct recording *r = model_recording(m);
	int fd = bpf_map__fd(w->skel->maps.runtime_calls);
	struct trace_count sum;

	read_runtime_name(w, &r->run);
	for (uint32_t i = 0; i < TRACE_ABIS * TRACE_NRS; i++) {
		int a = abi_arch(i / TRACE_NRS);
		struct recorded_call c = { .nr = i % TRACE_NRS };

		if (!sum_counts(w, fd, i, v, &sum))
			continue;
		w->calls += sum.count;
		c.arch = a < 0 ? r->run.host : (enum arch)a;
		c.count = sum.count;
		c.first_ns = sum.first_ns;
		if (a >= 0)
			vec_push(model_arena(m), &r->runtime_calls, c);
	}
}

/* How often it was only counted since, to which these numbers lead: state.bpf.h, struct known. */
static uint64_t again(struct watch *w, uint32_t at)
{
	uint64_t n = 0;

	if (at >= bpf_map__max_entries(w->skel->maps.again) ||
	    !look_up(w, bpf_map__fd(w->skel->maps.again), &at, &n))
		return 0;
	return n;
}

static void read_values(struct watch *w, struct model *m)
{
	int fd = bpf_map__fd(w->skel->maps.values);
	struct trace_value_key key, *prev = NULL;
	struct trace_uses n;

	for (; next_key(w, fd, prev, &key); prev = &key) {
		uint32_t call = take_phase(m, key.call);
		int a = abi_arch(call / TRACE_NRS);

		if (a >= 0 && look_up(w, fd, &key, &n))
			model_value(m, (enum arch)a, call % TRACE_NRS, key.arg, key.value,
				    n.count + again(w, n.at));
	}
}

/* The bits also stand for the values that were too many to be kept. */
static void read_bits(struct watch *w, struct model *m)
{
	struct trace_bits *v = calloc((size_t)w->cpus, sizeof(*v));
	struct {
		uint32_t call, arg;
	} key, *prev = NULL;
	struct {
		uint32_t distinct, over;
	} state;
	int fd = bpf_map__fd(w->skel->maps.bits);

	for (; v && next_key(w, fd, prev, &key); prev = &key) {
		uint32_t call = take_phase(m, key.call);
		int a = abi_arch(call / TRACE_NRS);
		struct trace_bits all = { 0, 0 };

		if (a < 0 || !look_up(w, fd, &key, v))
			continue;
		for (int i = 0; i < w->cpus; i++) {
			all.ones |= v[i].ones;
			all.zeros |= v[i].zeros;
		}
		if (!look_up(w, bpf_map__fd(w->skel->maps.distinct), &key, &state))
			state.over = 0;
		model_bits(m, (enum arch)a, call % TRACE_NRS, key.arg, all.ones, all.zeros,
			   state.over);
	}
	if (!v)
		w->unread++;
	free(v);
}

static void read_tuples(struct watch *w, struct model *m)
{
	int fd = bpf_map__fd(w->skel->maps.tuples);
	struct trace_tuple_key key, *prev = NULL;
	struct trace_uses n;

	for (; next_key(w, fd, prev, &key); prev = &key) {
		uint64_t args[3] = { key.args[0], key.args[1], key.args[2] };
		uint32_t call = take_phase(m, key.call);
		int a = abi_arch(call / TRACE_NRS);

		if (a >= 0 && look_up(w, fd, &key, &n))
			model_tuple(m, (enum arch)a, call % TRACE_NRS, args,
				    n.count + again(w, n.at));
	}
}

static void read_addresses(struct watch *w, struct model *m)
{
	int fd = bpf_map__fd(w->skel->maps.addresses);
	struct address key, *prev = NULL;
	struct trace_count n;

	for (; next_key(w, fd, prev, &key); prev = &key)
		if (look_up(w, fd, &key, &n))
			model_address(m, &key, n.count, n.first_ns);
}

static void read_caps_of(struct watch *w, struct model *m, int fd, bool is_runtimes)
{
	struct recording *r = model_recording(m);
	struct trace_cap_key key, *prev = NULL;
	struct trace_count n;

	for (; next_key(w, fd, prev, &key); prev = &key) {
		uint32_t call = key.call == TRACE_NO_CALL ? key.call : take_phase(m, key.call);
		int a = abi_arch(call / TRACE_NRS);
		struct recorded_capability c = { .cap = key.cap, .nr = call % TRACE_NRS };

		/* Outside any call it was a page fault: accounting of memory, never asked for. */
		if (call == TRACE_NO_CALL || a < 0 || !look_up(w, fd, &key, &n))
			continue;
		c.arch = (enum arch)a;
		c.count = n.count;
		c.first_ns = n.first_ns;
		if (is_runtimes)
			vec_push(model_arena(m), &r->runtime_caps, c);
		else
			model_capability(m, c.cap, c.arch, c.nr, c.count, c.first_ns);
	}
	model_phase(m, PHASE_ANY);
}

static void read_caps(struct watch *w, struct model *m)
{
	struct recording *r = model_recording(m);

	r->run.caps_observed = w->sees_caps;
	r->run.names_observed = w->sees_names;
	r->run.looks_observed = w->sees_asked;
	r->run.files_written = w->skel->bss->wrote;
	r->run.rings_observed = w->sees_names || w->sees_requests;
	read_caps_of(w, m, bpf_map__fd(w->skel->maps.caps), false);
	read_caps_of(w, m, bpf_map__fd(w->skel->maps.runtime_caps), true);
}

/* Since when the first one served, and what showed it. */
static void read_serving(struct watch *w, struct model *m)
{
	uint64_t ns = w->skel->bss->serve_ns;
	uint32_t by = w->skel->bss->serve_by;
	int a = by == TRACE_BY_READY ? -1 : abi_arch(by / TRACE_NRS);
	const struct syscall_info *s = a < 0 ? NULL : syscall_by_nr((enum arch)a, by % TRACE_NRS);
	struct recorded_run *run = &model_recording(m)->run;

	model_phase(m, PHASE_ANY);
	if (ns)
		model_serves(m, s ? s->name : "READY=1", ns);
	if (w->serve_from)
		model_serves(m, w->serve_from, w->serve_ns);
	if (!run->serve_from)
		run->serve_from = model_recording(m)->serve_calls.n ? "midway" : RUN_NEVER;
}

/* ---- paths: chains of pieces back to text ---- */

static int cmp_piece(const void *x, const void *y)
{
	const struct piece *a = x, *b = y;

	return a->val.id < b->val.id ? -1 : a->val.id > b->val.id;
}

const struct piece *pieces_find(const struct pieces *all, uint64_t id)
{
	struct piece key = { .val.id = id };
	struct table_walk it = table_start(id);
	size_t at;

	if (!id)
		return NULL;
	if (!all->by_id)
		return bsearch(&key, all->v, all->n, sizeof(*all->v), cmp_piece);
	at = table_next(all->by_id, &it); /* ids are their own hashes */
	return at == TABLE_END ? NULL : &all->v[at];
}

bool pieces_text(const struct pieces *all, const struct piece *p, const struct piece **base,
		 char out[TRACE_PATH + 1])
{
	size_t at = TRACE_PATH;
	uint8_t start = p->key.kind;

	out[at] = 0;
	*base = NULL;
	do {
		size_t len = strnlen(p->key.text, TRACE_TEXT);

		if (len > at)
			return false;
		at -= len;
		memcpy(out + at, p->key.text, len);
		if (!p->key.parent)
			break;
		p = pieces_find(all, p->key.parent);
		if (!p)
			return false;
	} while (start != TRACE_JOIN || p->key.kind != TRACE_BASE);
	if (start == TRACE_JOIN)
		*base = p;
	memmove(out, out + at, TRACE_PATH + 1 - at);
	return true;
}

/* How it was used. one_user: all that used files acted as the same user, so that owners stay. */
static struct access access_of(const struct piece *p, bool one_user)
{
	return (struct access){
		.perms = p->key.perms,
		.owned = !p->val.not_owned,
		.owner_unknown = p->key.kind == TRACE_JOIN && one_user &&
				 !(p->key.flags & (TRACE_MADE | TRACE_GIVEN)),
		.elsewhere = p->key.flags & TRACE_ELSEWHERE,
		.peers = p->key.flags & TRACE_PEERS,
		.ours = p->key.more & TRACE_OURS,
		.socket = p->key.flags & TRACE_SOCKET,
		.tried = p->key.flags & TRACE_TRIED,
		.pid = p->val.pid,
		.parent = p->val.parent,
		.count = p->val.count,
		.first_ns = p->val.first_ns,
	};
}

/* Names whose files the kernel did not tell: what of that changed what other names lead to. */
static void read_changes(struct model *m, const struct pieces *all)
{
	char text[TRACE_PATH + 2], dir[TRACE_PATH + 1];
	const struct piece *base, *none;

	for (size_t i = 0; i < all->n; i++) {
		const struct piece *p = &all->v[i];
		struct access how = access_of(p, true);

		/* What the kernel told, which no longer needs to be looked up. */
		if (p->key.kind == TRACE_LEAF && p->key.parent && !*p->key.text &&
		    pieces_text(all, p, &none, text))
			model_changed(m, "", text, p->key.flags, &how);
		if (p->key.kind == TRACE_JOIN && pieces_text(all, p, &base, text) && base &&
		    pieces_text(all, base, &none, dir))
			model_changed(m, dir, text, p->key.flags, &how);
	}
}

/* What was tried below another root, by its whole name from there: of `dir` that root is left. */
static void name_from_root(const struct piece *p, char dir[TRACE_PATH + 1],
			   char text[TRACE_PATH + 2])
{
	char whole[2 * TRACE_PATH + 2];
	size_t n = p->key.root;
	int len;

	if (!(p->key.flags & TRACE_ROOTED) || *text == '/' || n > strlen(dir) ||
	    (dir[n] && dir[n] != '/'))
		return;
	len = snprintf(whole, sizeof(whole), "%s/%s", dir + n, text);
	if (len > TRACE_PATH)
		return;
	memcpy(text, whole, (size_t)len + 1);
	dir[n] = 0;
}

static model_ref read_path(struct model *m, const struct pieces *all, const struct piece *p,
			   bool one_user)
{
	char text[TRACE_PATH + 2], dir[TRACE_PATH + 1];
	const struct piece *base, *none;
	struct access how = access_of(p, one_user);

	if (!pieces_text(all, p, &base, text) || (base && !pieces_text(all, base, &none, dir))) {
		model_recording(m)->run.losses.paths_unresolved++;
		return 0;
	}
	if (p->key.kind == TRACE_LOST) {
		model_lost(m, str_c(text), LOST_LONG, &how);
		return 0;
	}
	if (p->key.kind == TRACE_JOIN && p->key.flags & TRACE_IF_THERE)
		name_from_root(p, dir, text);
	if (p->key.kind == TRACE_JOIN)
		return model_join(m, dir, text, p->key.flags, &how);
	if (p->key.flags & TRACE_IF_REFUSED)
		return model_join(m, "/", text,
				  (p->key.flags | TRACE_IF_THERE) & ~(unsigned)TRACE_ROOTED, &how);
	if (p->key.flags & TRACE_DIR && strcmp(text, "/"))
		strcat(text, "/");
	return model_file(m, str_c(text), &how);
}

/* Which paths are old and new name of one thing. */
static void read_pairs(struct watch *w, struct model *m, const struct pieces *all)
{
	int fd = bpf_map__fd(w->skel->maps.pairs);
	struct trace_pair_key key, *prev = NULL;

	for (; next_key(w, fd, prev, &key); prev = &key) {
		const struct piece *from = pieces_find(all, key.from),
				   *to = pieces_find(all, key.to);

		if (!from || !to)
			w->unread++;
		else if (key.op == TRACE_OP_RENAME)
			model_renamed(m, from->ref, to->ref);
		else
			model_linked(m, from->ref, to->ref);
	}
}

/* When the clock of first_ns stood at 0, since the epoch. */
static uint64_t began_ns(struct watch *w)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec -
	       (clock_ns() - w->skel->bss->start_ns);
}

/* A name that was given for what is asked. Texts are in the arena. */
static struct ask_name name_of(struct model *m, const struct pieces *all, uint64_t id)
{
	const struct piece *p = pieces_find(all, id), *base, *none;
	char text[TRACE_PATH + 2], dir[TRACE_PATH + 1];
	struct ask_name out = { .text = id ? "" : NULL };

	if (!p || !pieces_text(all, p, &base, text) ||
	    (base && !pieces_text(all, base, &none, dir)))
		return out;
	out.text = arena_strdup(model_arena(m), text);
	out.base = base ? arena_strdup(model_arena(m), dir) : NULL;
	out.flags = p->key.flags;
	return out;
}

static void read_signals(struct watch *w, struct model *m, const struct pieces *all)
{
	int fd = bpf_map__fd(w->skel->maps.signals);
	struct trace_signal_key key, *prev = NULL;
	struct trace_count n;

	model_recording(m)->run.peers_observed = !w->skel->rodata->no_files;
	for (; next_key(w, fd, prev, &key); prev = &key)
		if (key.signal < 65 && look_up(w, fd, &key, &n))
			add_signal(m, &key, name_of(m, all, key.who).text, n);
}

static void read_asks(struct watch *w, struct model *m, const struct pieces *all)
{
	int fd = bpf_map__fd(w->skel->maps.asks);
	struct trace_ask_key key, *prev = NULL;
	struct trace_count n;

	for (; next_key(w, fd, prev, &key); prev = &key) {
		int a = abi_arch(key.call / TRACE_NRS);
		struct ask ask = { .value = key.value };
		struct trace_rule rule;
		struct trace_call call;

		/* What the kernel asked is known by itself, in whatever call. */
		if ((a < 0 && key.what != TRACE_OP_ASKED) || !look_up(w, fd, &key, &n))
			continue;
		rule = (struct trace_rule){ 0 };
		if (a >= 0)
			rules_of((enum arch)a, key.call % TRACE_NRS, &call, &rule);
		if (key.what != rule.op)
			rule = (struct trace_rule){ .op = (__u8)key.what, .perms = { TRACE_R } };
		ask.rule = &rule;
		ask.count = n.count;
		ask.first_ns = n.first_ns;
		for (size_t i = 0; i < ARRAY_SIZE(ask.names); i++)
			ask.names[i] = name_of(m, all, key.names[i]);
		ask_record(m, &ask);
	}
}

/* What was seen of one program: that a call was made in a phase, and not how often. */
static void read_made(struct watch *w, struct model *m, uint32_t number, struct str path)
{
	const __u64 *row = &w->skel->bss->made[number * (2 * TRACE_CALLS / 64)];
	model_program by = 0;

	for (uint32_t at = 0; at < 2 * TRACE_CALLS; at++) {
		uint32_t i = take_phase(m, at);
		int a = i < TRACE_ABIS * TRACE_NRS ? abi_arch(i / TRACE_NRS) : -1;

		if (a < 0 || !(row[at / 64] >> at % 64 & 1))
			continue;
		if (!by)
			by = model_program_of(m, path);
		model_made(m, by, (enum arch)a, i % TRACE_NRS, 1, 0);
	}
	model_phase(m, PHASE_ANY);
}

static void read_programs(struct watch *w, struct model *m, const struct pieces *all)
{
	int fd = bpf_map__fd(w->skel->maps.programs);
	uint64_t id, *prev = NULL;
	const struct piece *none;
	char text[TRACE_PATH + 1];
	uint32_t number;

	model_recording(m)->run.programs_observed = true;
	model_recording(m)->run.programs_by_phase = true;
	read_made(w, m, TRACE_BY_OTHERS, (struct str){ NULL, 0 });
	for (; next_key(w, fd, prev, &id); prev = &id) {
		const struct piece *p = pieces_find(all, id);

		if (!look_up(w, fd, &id, &number) || number >= TRACE_PROGRAMS)
			continue;
		if (p && pieces_text(all, p, &none, text))
			read_made(w, m, number, str_c(text));
		else
			read_made(w, m, number, (struct str){ NULL, 0 });
	}
}

static int read_paths(struct watch *w, struct model *m, size_t max_paths)
{
	int fd = bpf_map__fd(w->skel->maps.paths);
	size_t cap = watch_keys(w, max_paths) + 1024;
	struct pieces all = { .v = calloc(cap, sizeof(*all.v)) };
	struct trace_path_key *prev = NULL;
	bool is_in;

	if (!all.v)
		return -ENOMEM;
	for (; all.n < cap && next_key(w, fd, prev, &all.v[all.n].key); all.n++) {
		prev = &all.v[all.n].key;
		look_up(w, fd, prev, &all.v[all.n].val);
		all.v[all.n].val.count += again(w, all.v[all.n].val.at);
	}
	qsort(all.v, all.n, sizeof(*all.v), cmp_piece);
	model_began(m, began_ns(w));
	is_in = model_enter(m);
	for (size_t i = 0; !is_in && i < all.n; i++) {
		all.v[i].key.flags |= TRACE_ELSEWHERE;
		all.v[i].key.flags &= (uint16_t)~TRACE_ROOTED;
	}
	read_changes(m, &all);
	for (size_t i = 0; i < all.n; i++)
		if (all.v[i].key.kind >= TRACE_LEAF && all.v[i].key.kind != TRACE_WORD &&
		    !(all.v[i].key.perms & TRACE_NAMED))
			all.v[i].ref = read_path(m, &all, &all.v[i], !w->skel->bss->fsuids_differ);
	read_pairs(w, m, &all);
	read_asks(w, m, &all);
	read_programs(w, m, &all);
	read_signals(w, m, &all);
	if (is_in)
		model_leave(m);
	free(all.v);
	return 0;
}

static void read_losses(struct watch *w, struct recorded_run *run)
{
	run->losses.values_full += watch_sum(w, TRACE_LOSS_VALUES);
	run->losses.paths_full += watch_sum(w, TRACE_LOSS_PATHS);
	run->losses.paths_truncated += watch_sum(w, TRACE_LOSS_TRUNCATED);
	run->losses.paths_unresolved += watch_sum(w, TRACE_LOSS_UNRESOLVED);
	run->losses.unknown_abi += watch_sum(w, TRACE_LOSS_ABI);
	run->losses.untraced += watch_sum(w, TRACE_LOSS_TASKS);
	run->losses.calls_full += watch_sum(w, TRACE_LOSS_CAPS);
	run->losses.left += watch_sum(w, TRACE_LOSS_LEFT);
	w->unread += watch_sum(w, TRACE_LOSS_READS);
	run->namespace_files = watch_sum(w, TRACE_NAMESPACES);
	run->looks_below = watch_sum(w, TRACE_BELOW);
	run->memory_programs = watch_sum(w, TRACE_MEMORY);
	run->odd_numbers = watch_sum(w, TRACE_LOSS_CALLS);
	run->unseen_exec = watch_sum(w, TRACE_UNSEEN_EXEC);
	run->disconnected = watch_sum(w, TRACE_DISCONNECTED);
	run->processes = watch_sum(w, TRACE_TASKS);
}

/* Did anybody who is recorded use a ring of io_uring? */
static bool uses_rings(struct watch *w)
{
	struct counts v = { .fd = -1, .v = calloc((size_t)w->cpus * WATCH_COUNTS, sizeof(*v.v)) };
	int fd = bpf_map__fd(w->skel->maps.counts);
	struct trace_count sum;
	bool uses = !v.v; /* nobody can tell */

	for (uint32_t i = 0; v.v && !uses && i < 2 * TRACE_CALLS; i += TRACE_NRS)
		uses = sum_counts(w, fd, i + TRACE_RING_SETUP, &v, &sum) ||
		       sum_counts(w, fd, i + TRACE_RING_ENTER, &v, &sum);
	free(v.v);
	return uses;
}

/* The kernel skips a program that would interrupt itself; it counts that, and so do we. */
static uint64_t count_missed(struct watch *w)
{
	bool rings = uses_rings(w);
	uint64_t missed = 0;

	for (unsigned i = 0; i < w->nprograms; i++) {
		const struct bpf_program *p = w->programs[i];
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!strncmp(bpf_program__name(p), "name_", 5))
			continue; /* what it came for is then known as it was written */
		if (!rings && (!strncmp(bpf_program__name(p), "ring_", 5) ||
			       !strncmp(bpf_program__name(p), "request_", 8)))
			continue; /* whatever it came for was none of the workload's */
		if (bpf_obj_get_info_by_fd(bpf_program__fd(p), &info, &len))
			w->unread++;
		else
			missed += info.recursion_misses;
	}
	return missed;
}

void watch_look_run(struct watch *w, struct recorded_run *out)
{
	uint64_t unread = w->unread;

	read_losses(w, out);
	out->losses.ring_dropped = count_missed(w) + watch_sum(w, TRACE_LOSS_BUSY);
	out->losses.unread = w->unread;
	w->unread = unread;
}

/* What is counted while the programs are attached. */
void watch_read_running(struct watch *w, struct model *m)
{
	struct recording *r = model_recording(m);
	uint64_t start = w->skel->bss->start_ns;

	r->run.duration_ns = start ? clock_ns() - start : 0;
	r->run.losses.ring_dropped = count_missed(w) + watch_sum(w, TRACE_LOSS_BUSY);
	read_caps(w, m);
}

/* And the rest, which adds to it. 0 or -errno. */
int watch_read_maps(struct watch *w, const struct learn_options *opt, struct model *m)
{
	struct counts v = { .fd = -1, .v = calloc((size_t)w->cpus * WATCH_COUNTS, sizeof(*v.v)) };
	struct recording *r = model_recording(m);
	int err;

	if (!v.v)
		return -ENOMEM;
	read_losses(w, &r->run);
	w->calls = watch_sum(w, TRACE_LOSS_CALLS) + watch_sum(w, TRACE_LOSS_ABI);
	read_counts(w, m, &v);
	read_signals_beyond(w, m, &v);
	if (opt->border)
		read_runtime(w, m, &v);
	read_values(w, m);
	read_bits(w, m);
	read_tuples(w, m);
	read_addresses(w, m);
	read_serving(w, m);
	err = read_paths(w, m, opt->max_paths);
	r->run.losses.unread = w->unread;
	free(v.v);
	return err;
}

#endif
