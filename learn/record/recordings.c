/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/recordings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "learn/record/store.h"

struct recordings *recordings_new(struct arena *a)
{
	struct recordings *rs = ARENA_NEW(a, struct recordings);

	rs->arena = a;
	return rs;
}

/* ---- columns: in chunks of bytes, each number seven bits a byte, the last one below 0x80 ---- */

static void put_byte(struct recordings *rs, struct stored *s, unsigned char byte)
{
	if (!s->last || s->last->n == s->last->size) {
		/* The first is small: most recordings are of one run. */
		unsigned size = s->last ? CHUNK_BYTES : CHUNK_FIRST;
		struct chunk *c = arena_alloc(rs->arena, sizeof(*c) + size);

		c->size = (uint16_t)size;
		if (s->last)
			s->last->next = c;
		else
			s->first = c;
		s->last = c;
	}
	s->last->bytes[s->last->n++] = byte;
}

static void put_number(struct recordings *rs, struct stored *s, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		put_byte(rs, s, (unsigned char)(v | 0x80));
	put_byte(rs, s, (unsigned char)v);
}

void store_column(struct recordings *rs, struct stored *s, const struct column *c)
{
	BUG_ON(c->run < s->next);
	put_number(rs, s, c->run - s->next);
	put_number(rs, s, c->count);
	put_number(rs, s, c->first_ns);
	s->next = c->run + 1;
}

struct reader {
	const struct chunk *chunk;
	unsigned at;
};

static uint64_t get_number(struct reader *r)
{
	uint64_t v = 0;

	for (unsigned shift = 0;; shift += 7) {
		unsigned char byte;

		while (r->at == r->chunk->n) {
			r->chunk = r->chunk->next;
			r->at = 0;
		}
		byte = r->chunk->bytes[r->at++];
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			return v;
	}
}

/* All columns as they were added: by arrival. */
static void get_columns(const struct recordings *rs, const struct stored *s, struct columns *out)
{
	struct reader r = { s->first, 0 };
	uint32_t next = 0;

	out->list.n = 0;
	while (next < s->next) {
		struct column c;

		c.run = next + (uint32_t)get_number(&r);
		c.count = get_number(&r);
		c.first_ns = get_number(&r);
		next = c.run + 1;
		vec_push(rs->arena, &out->list, c);
	}
}

/* ---- facts ---- */

struct stored *store_find(const struct recordings *rs, struct str key)
{
	struct table_walk w = table_start(hash_str(key));
	size_t at;

	while ((at = table_next(&rs->by_key, &w)) != TABLE_END)
		if (str_eq(rs->facts.v[at]->key, key))
			return rs->facts.v[at];
	return NULL;
}

struct stored *store_key(struct recordings *rs, struct str key)
{
	struct stored *s = store_find(rs, key);

	if (s)
		return s;
	s = ARENA_NEW(rs->arena, struct stored);
	s->key = (struct str){ str_dup(rs->arena, key), key.n };
	table_add(rs->arena, &rs->by_key, hash_str(key), rs->facts.n);
	vec_push(rs->arena, &rs->facts, s);
	return s;
}

/* ---- one run that was just recorded ---- */

static void add_fact(struct recordings *rs, const struct fact *f, uint64_t count, uint64_t first_ns)
{
	struct column c = { (uint32_t)rs->arrived.n - 1, count, first_ns };
	BUF_AUTO key = { 0 };

	fact_print(&key, f);
	if (key.failed)
		arena_no_memory(rs->arena);
	store_column(rs, store_key(rs, (struct str){ key.p, key.n }), &c);
}

static void add_arguments(struct recordings *rs, const struct recorded_call *c, bool serve)
{
	struct fact f = { .serve = serve, .arch = c->arch, .nr = c->nr };

	vec_each(&c->args, a) {
		f.index = a->index;
		f.kind = FACT_BITS;
		f.words[0] = a->ones;
		f.words[1] = a->zeros;
		f.unbounded = a->unbounded;
		add_fact(rs, &f, 1, 0);
		f.kind = FACT_VALUE;
		f.unbounded = false;
		vec_each(&a->values, v) {
			f.words[0] = v->value;
			add_fact(rs, &f, v->count, 0);
		}
	}
	f.kind = FACT_TUPLE;
	vec_each(&c->tuples, t) {
		memcpy(f.words, t->args, sizeof(f.words));
		f.held = t->held;
		add_fact(rs, &f, t->count, 0);
	}
}

static void add_call(struct recordings *rs, const struct recorded_call *c, bool serve)
{
	struct fact f = {
		.kind = FACT_CALL,
		.serve = serve,
		.arch = c->arch,
		.nr = c->nr,
		.held = c->held,
		.assumed = c->assumed,
	};

	if (!recording_is_rings(c))
		add_fact(rs, &f, c->count, c->first_ns);
	add_arguments(rs, c, serve);
}

static void add_capability(struct recordings *rs, const struct recorded_capability *c, bool serve)
{
	struct fact f = {
		.kind = FACT_CAPABILITY,
		.serve = serve,
		.index = c->cap,
		.arch = c->arch,
		.nr = c->nr,
	};

	add_fact(rs, &f, c->count, c->first_ns);
}

static void add_file(struct recordings *rs, const struct recorded_file *file)
{
	struct fact f = {
		.kind = FACT_FILE,
		.path = file->path,
		.perms = file->perms,
		.flags = (file->owned ? FILE_OWNED : 0u) | (file->elsewhere ? FILE_ELSEWHERE : 0u) |
			 (file->peers ? FILE_PEERS : 0u) | (file->ours ? FILE_OURS : 0u) |
			 (file->socket ? FILE_SOCKET : 0u) | (file->gone ? FILE_GONE : 0u) |
			 (file->setid ? FILE_SETID : 0u) | (file->numbered ? FILE_NUMBERED : 0u) |
			 (file->powers ? FILE_POWERS : 0u),
		.held = file->held,
	};

	add_fact(rs, &f, file->count, file->first_ns);
}

static void add_program(struct recordings *rs, const struct recorded_program *p)
{
	vec_each(&p->calls, c) {
		struct fact f = { .kind = FACT_BY, .path = p->path, .arch = c->arch, .nr = c->nr };

		add_fact(rs, &f, c->count, c->first_ns);
		f.serve = true;
		if (c->serves)
			add_fact(rs, &f, c->serve_count, c->serve_first_ns);
	}
}

static void add_runtime(struct recordings *rs, const struct recording *r)
{
	vec_each(&r->runtime_calls, c) {
		struct fact f = {
			.kind = FACT_CALL, .runtime = true, .arch = c->arch, .nr = c->nr
		};

		add_fact(rs, &f, c->count, c->first_ns);
	}
	vec_each(&r->runtime_caps, c) {
		struct fact f = {
			.kind = FACT_CAPABILITY,
			.runtime = true,
			.index = c->cap,
			.arch = c->arch,
			.nr = c->nr,
		};

		add_fact(rs, &f, c->count, c->first_ns);
	}
}

void recordings_add(struct recordings *rs, const struct recording *r)
{
	struct arrival arrival = { .run = r->run };

	vec_push(rs->arena, &rs->arrived, arrival);
	add_runtime(rs, r);
	vec_each(&r->calls, c)
		add_call(rs, c, false);
	vec_each(&r->serve_calls, c)
		add_call(rs, c, true);
	vec_each(&r->serve_caps, c)
		add_capability(rs, c, true);
	vec_each(&r->programs, p)
		add_program(rs, p);
	vec_each(&r->files, file)
		add_file(rs, file);
	vec_each(&r->listings, l) {
		struct fact f = { .kind = FACT_OTHERS, .path = l->path, .words[0] = l->others };

		add_fact(rs, &f, 1, 0);
	}
	vec_each(&r->lost, l) {
		struct fact f = {
			.kind = FACT_LOST, .path = l->name, .perms = l->perms, .index = l->why
		};

		add_fact(rs, &f, l->count, l->first_ns);
	}
	vec_each(&r->signals, s) {
		struct fact f = { .kind = s->what.sent ? FACT_SENT : FACT_RECEIVED,
				  .index = (unsigned)s->what.signal,
				  .peer = s->what.peer,
				  .path = s->what.who };

		add_fact(rs, &f, s->count, s->first_ns);
	}
	vec_each(&r->rules, rule) {
		struct fact f = { .kind = FACT_RULE, .path = rule->text };

		add_fact(rs, &f, rule->count, rule->first_ns);
	}
	vec_each(&r->addresses, a) {
		struct fact f = { .kind = FACT_ADDRESS, .address = a->address };

		add_fact(rs, &f, a->count, a->first_ns);
	}
	vec_each(&r->caps, c)
		add_capability(rs, c, false);
}

/* ---- what counts of them ---- */

static int cmp_arrival(const void *x, const void *y, void *arg)
{
	const struct recordings *rs = arg;
	const uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
	const struct recorded_run *a = &rs->arrived.v[i].run, *b = &rs->arrived.v[j].run;
	int order = memcmp(a->id, b->id, RUN_ID);

	if (order)
		return order;
	if (a->snapshot != b->snapshot)
		return a->snapshot < b->snapshot ? -1 : 1;
	return (i > j) - (i < j);
}

static int tell_clash(struct recordings *rs, uint32_t one, uint32_t other, const char *what,
		      struct recordings_clash *clash)
{
	const struct recorded_run *run = &rs->arrived.v[one].run;

	for (size_t i = 0; i < RUN_ID; i++)
		sprintf(clash->id + 2 * i, "%02x", run->id[i]);
	clash->snapshot = run->snapshot;
	clash->files[0] = rs->arrived.v[one].file;
	clash->files[1] = rs->arrived.v[other].file;
	clash->what = what;
	return -1;
}

/* What each arrival is: a run, the same as an earlier arrival, or held by a later snapshot. */
static int sort_arrivals(struct recordings *rs, struct recordings_clash *clash)
{
	size_t n = rs->arrived.n;
	uint32_t *order = ARENA_ARRAY(rs->arena, uint32_t, n);

	for (uint32_t i = 0; i < n; i++)
		order[i] = i;
	if (n)
		qsort_r(order, n, sizeof(*order), cmp_arrival, rs);
	for (size_t i = 0; i < n; i++) {
		struct arrival *a = &rs->arrived.v[order[i]];
		struct arrival *next = i + 1 < n ? &rs->arrived.v[order[i + 1]] : NULL;
		struct arrival *before = i ? &rs->arrived.v[order[i - 1]] : NULL;
		bool again = before && !memcmp(a->run.id, before->run.id, RUN_ID) &&
			     a->run.snapshot == before->run.snapshot;

		a->same = again ? before->same : order[i];
		rs->arrived.v[a->same].copies++;
		a->output = ARRIVAL_NONE;
		if (again && !run_same(&a->run, &before->run))
			return tell_clash(rs, a->same, order[i], "what is said of the run itself",
					  clash);
		if (next && !memcmp(a->run.id, next->run.id, RUN_ID))
			continue; /* that one is the same, or later */
		rs->arrived.v[a->same].output = (uint32_t)rs->runs.n;
		vec_push(rs->arena, &rs->runs, a->same);
	}
	return 0;
}

/* In one fact: arrivals that are the same have the same columns, all of them. */
static int check_fact(struct recordings *rs, const struct stored *s, const struct columns *columns,
		      struct recordings_clash *clash)
{
	vec_each(&columns->list, c) {
		struct arrival *first = &rs->arrived.v[rs->arrived.v[c->run].same];

		if (first->copies < 2)
			continue;
		if (first->fact != s) {
			first->fact = s;
			first->met = 0;
			first->column = *c;
		}
		if (first->column.count != c->count || first->column.first_ns != c->first_ns)
			return tell_clash(rs, rs->arrived.v[c->run].same, c->run, s->key.p, clash);
		first->met++;
	}
	vec_each(&columns->list, c) {
		struct arrival *first = &rs->arrived.v[rs->arrived.v[c->run].same];
		uint32_t lacks = 0;

		if (first->copies < 2 || first->met == first->copies)
			continue;
		/* One of them has it not: any other than this one will do for the message. */
		while (lacks < rs->arrived.n &&
		       (rs->arrived.v[lacks].same != first->column.run || lacks == c->run))
			lacks++;
		return tell_clash(rs, c->run, lacks, s->key.p, clash);
	}
	return 0;
}

static int cmp_fact(const void *x, const void *y)
{
	const struct stored *a = *(const struct stored *const *)x;
	const struct stored *b = *(const struct stored *const *)y;

	return str_cmp(a->key, b->key);
}

int recordings_settle(struct recordings *rs, struct recordings_clash *clash)
{
	struct columns columns = { 0 };

	BUG_ON(rs->settled);
	if (sort_arrivals(rs, clash))
		return -1;
	if (rs->facts.n)
		qsort(rs->facts.v, rs->facts.n, sizeof(*rs->facts.v), cmp_fact);
	for (size_t i = 0; rs->runs.n < rs->arrived.n && i < rs->facts.n; i++) {
		get_columns(rs, rs->facts.v[i], &columns);
		if (check_fact(rs, rs->facts.v[i], &columns, clash))
			return -1;
	}
	rs->by_key = (struct table){ 0 }; /* positions have changed */
	rs->settled = true;
	return 0;
}

/* ---- reading them ---- */

size_t recordings_runs(const struct recordings *rs)
{
	return rs->runs.n;
}

size_t recordings_facts(const struct recordings *rs)
{
	return rs->facts.n;
}

const struct recorded_run *recordings_run(const struct recordings *rs, size_t i)
{
	return &rs->arrived.v[rs->runs.v[i]].run;
}

static int cmp_column(const void *x, const void *y)
{
	const struct column *a = x, *b = y;

	return (a->run > b->run) - (a->run < b->run);
}

/* The columns of the runs that count, by run. */
static void get_settled(const struct recordings *rs, const struct stored *s, struct columns *out)
{
	size_t n = 0;

	get_columns(rs, s, out);
	vec_each(&out->list, c) {
		uint32_t run = rs->arrived.v[c->run].output;

		if (run == ARRIVAL_NONE)
			continue;
		out->list.v[n] = *c;
		out->list.v[n++].run = run;
	}
	out->list.n = n;
	if (n)
		qsort(out->list.v, n, sizeof(*out->list.v), cmp_column);
}

bool recordings_next(const struct recordings *rs, size_t *walk, struct fact *f,
		     struct columns *columns)
{
	while (*walk < rs->facts.n) {
		const struct stored *s = rs->facts.v[(*walk)++];
		struct line w = { .arena = rs->arena, .rest = s->key };

		get_settled(rs, s, columns);
		if (!columns->list.n)
			continue;
		if (!fact_read(&w, f))
			BUG("a fact that was read is read again");
		return true;
	}
	return false;
}

static void print_fact(struct buf *out, const struct recordings *rs, const struct stored *s,
		       struct columns *columns, size_t *lines)
{
	get_settled(rs, s, columns);
	if (!columns->list.n)
		return;
	buf_add(out, s->key.p, s->key.n);
	vec_each(&columns->list, c) {
		buf_printf(out, "%c%u:%llu", c == columns->list.v ? '\t' : ' ', c->run + 1,
			   (unsigned long long)c->count);
		if (c->first_ns)
			buf_printf(out, "@%llu", (unsigned long long)c->first_ns);
	}
	buf_putc(out, '\n');
	++*lines;
}

void recordings_print(struct buf *out, const struct recordings *rs)
{
	struct columns columns = { 0 };
	size_t lines = 0;

	BUG_ON(!rs->settled);
	buf_puts(out, RECORDINGS_FIRST);
	for (size_t i = 0; i < rs->runs.n; i++)
		run_print(out, recordings_run(rs, i), i + 1);
	for (size_t i = 0; i < rs->facts.n; i++)
		print_fact(out, rs, rs->facts.v[i], &columns, &lines);
	buf_printf(out, "end %zu %zu\n", rs->runs.n, lines);
}
