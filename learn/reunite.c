/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/reunite.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "learn/model.h"

#define NAMED 4 /* different kernels, ... that are listed by name */

/* ---- the runs ---- */

static bool text_same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

/* The one text of all of them; NULL where they differ. */
#define IN_COMMON(rs, member) in_common((rs), offsetof(struct recorded_run, member))
static const char *in_common(const struct recordings *rs, size_t at)
{
	const char *first = NULL;

	for (size_t i = 0; i < recordings_runs(rs); i++) {
		const char *text;

		memcpy(&text, (const char *)recordings_run(rs, i) + at, sizeof(text));
		if (i && !text_same(first, text))
			return NULL;
		first = text;
	}
	return first;
}

/* All different ones, with commas. */
#define EACH(a, rs, member) each((a), (rs), offsetof(struct recorded_run, member))
static const char *each(struct arena *a, const struct recordings *rs, size_t at)
{
	const char *found[NAMED];
	BUF_AUTO out = { 0 };
	size_t n = 0;

	for (size_t i = 0; i < recordings_runs(rs) && n <= NAMED; i++) {
		size_t k = 0;
		const char *text;

		memcpy(&text, (const char *)recordings_run(rs, i) + at, sizeof(text));
		while (k < n && k < NAMED && !text_same(found[k], text))
			k++;
		if (k == NAMED) {
			buf_puts(&out, ", ...");
			n++;
		} else if (k == n) {
			found[n++] = text;
			buf_printf(&out, "%s%s", k ? ", " : "", text ? text : "?");
		}
	}
	return buf_keep(a, &out);
}

/* Start and serving are told apart where every run tells them; from the first one on that served. */
static void unite_phases(struct arena *a, const struct recordings *rs, struct recorded_run *out)
{
	out->serve_from = EACH(a, rs, serve_from);
	out->serving_ns = 0;
	for (size_t i = 0; i < recordings_runs(rs); i++) {
		const struct recorded_run *r = recordings_run(rs, i);

		if (r->serving_ns && (!out->serving_ns || r->serving_ns < out->serving_ns))
			out->serving_ns = r->serving_ns;
		if (!r->serve_from) {
			out->serve_from = NULL;
			return;
		}
	}
}

static void unite_runs(struct arena *a, const struct recordings *rs, struct recorded_run *out)
{
	*out = *recordings_run(rs, 0);
	if (recordings_runs(rs) == 1)
		return;
	out->interrupted = out->left_running = false;
	for (size_t i = 1; i < recordings_runs(rs); i++) {
		const struct recorded_run *r = recordings_run(rs, i);

		run_count(out, r);
		out->unfinished |= r->unfinished;
		out->midway |= r->midway;
		out->names_observed &= r->names_observed;
		out->looks_observed &= r->looks_observed;
		out->programs_observed &= r->programs_observed;
		out->programs_by_phase &= r->programs_by_phase;
		out->rings_observed &= r->rings_observed;
		out->peers_observed &= r->peers_observed;
		out->no_calls &= r->no_calls;
		out->no_files &= r->no_files;
		out->files_written |= r->files_written;
		out->no_arguments |= r->no_arguments;
		out->answered_only |= r->answered_only;
		out->client = out->client ? out->client : r->client;
		if (r->started_ns < out->started_ns)
			out->started_ns = r->started_ns;
	}
	unite_phases(a, rs, out);
	out->caps_observed = true;
	out->caps_held = 0;
	for (size_t i = 0; i < recordings_runs(rs); i++)
		if (!recordings_run(rs, i)->caps_observed) {
			out->caps_observed = false;
			out->caps_held |= recordings_run(rs, i)->caps_held;
		}
	out->name = IN_COMMON(rs, name);
	out->program = IN_COMMON(rs, program);
	out->command = IN_COMMON(rs, command);
	out->kernel = EACH(a, rs, kernel);
	out->libc = EACH(a, rs, libc);
	out->backend = EACH(a, rs, backend);
	for (size_t i = 0; i < recordings_runs(rs); i++)
		if (recordings_run(rs, i)->runtime)
			out->runtime = EACH(a, rs, runtime);
}

/* A number for each different text, from 0. */
static unsigned *number_texts(struct arena *a, const struct recordings *rs, size_t at,
			      unsigned *different)
{
	size_t n = recordings_runs(rs);
	unsigned *out = ARENA_ARRAY(a, unsigned, n);
	VEC(struct str) texts = { 0 };
	struct table t = { 0 };

	for (size_t i = 0; i < n; i++) {
		struct table_walk w;
		const char *p;
		struct str text;
		size_t k;

		memcpy(&p, (const char *)recordings_run(rs, i) + at, sizeof(p));
		text = str_c(p);
		w = table_start(hash_str(text));
		while ((k = table_next(&t, &w)) != TABLE_END && !str_eq(texts.v[k], text))
			;
		if (k == TABLE_END) {
			k = texts.n;
			table_add(a, &t, hash_str(text), k);
			vec_push(a, &texts, text);
		}
		out[i] = (unsigned)k;
	}
	*different = (unsigned)texts.n;
	return out;
}

static const struct recording_runs *place_runs(struct arena *a, const struct recordings *rs)
{
	struct recording_runs *out = ARENA_NEW(a, struct recording_runs);
	uint64_t *started = ARENA_ARRAY(a, uint64_t, recordings_runs(rs));
	uint64_t *with = ARENA_ARRAY(a, uint64_t, (recordings_runs(rs) + 63) / 64);

	out->n = recordings_runs(rs);
	out->host = number_texts(a, rs, offsetof(struct recorded_run, hostname), &out->hosts);
	out->image = number_texts(a, rs, offsetof(struct recorded_run, image), &out->images);
	for (size_t i = 0; i < out->n; i++) {
		started[i] = recordings_run(rs, i)->started_ns;
		if (recordings_run(rs, i)->no_files)
			out->without_files++;
		else
			with[i / 64] |= UINT64_C(1) << i % 64;
	}
	out->started_ns = started;
	out->with_files = with;
	return out;
}

/* ---- the facts ---- */

struct unite {
	struct arena *a;
	struct recording *r;
	struct model *m;
	struct table programs;            /* by their paths */
	struct recorded_program *serving; /* whose facts of serving are read; NULL */
};

/* A column's runs are those of a set; NULL where there is one run, which needs no set. */
static void mark(struct unite *u, uint64_t **in, const struct columns *columns)
{
	if (!u->r->runs)
		return;
	if (!*in)
		*in = ARENA_ARRAY(u->a, uint64_t, (u->r->runs->n + 63) / 64);
	vec_each(&columns->list, c)
		(*in)[c->run / 64] |= UINT64_C(1) << c->run % 64;
}

static struct column sum(const struct columns *columns)
{
	struct column all = { .first_ns = UINT64_MAX };

	vec_each(&columns->list, c) {
		all.count = count_add(all.count, c->count);
		if (c->first_ns < all.first_ns)
			all.first_ns = c->first_ns;
	}
	return all;
}

static void unite_file(struct unite *u, const struct fact *f, const struct column *all,
		       const struct columns *columns)
{
	struct access how = {
		.perms = f->perms,
		.owned = f->flags & FILE_OWNED,
		.elsewhere = f->flags & FILE_ELSEWHERE,
		.peers = f->flags & FILE_PEERS,
		.ours = f->flags & FILE_OURS,
		.socket = f->flags & FILE_SOCKET,
		.held = f->held,
		.count = all->count,
		.first_ns = all->first_ns,
	};
	model_ref ref = model_file(u->m, f->path, &how);
	struct recorded_file *file = &u->r->files.v[ref - 1];

	file->gone |= (f->flags & FILE_GONE) != 0;
	file->setid |= (f->flags & FILE_SETID) != 0;
	file->numbered |= (f->flags & FILE_NUMBERED) != 0;
	file->powers |= (f->flags & FILE_POWERS) != 0;
	mark(u, &file->in, columns);
}

/* Facts of one directory stand together. Of what one run left alone another may have used a part:
 * the larger number holds for all. */
static void unite_listing(struct unite *u, const struct fact *f)
{
	struct recorded_listing l = { f->path, f->words[0] }, *last = NULL;

	if (u->r->listings.n)
		last = &u->r->listings.v[u->r->listings.n - 1];
	if (!last || !str_eq(last->path, l.path))
		vec_push(u->a, &u->r->listings, l);
	else if (l.others > last->others)
		last->others = l.others;
}

static void unite_lost(struct unite *u, const struct fact *f, const struct column *all)
{
	struct recorded_lost l = { f->path, (enum lost_why)f->index, f->perms, all->count,
				   all->first_ns };

	vec_push(u->a, &u->r->lost, l);
}

static struct recorded_call *find_call(struct recording *r, const struct fact *f)
{
	if (f->serve) {
		vec_each(&r->serve_calls, c)
			if (c->arch == f->arch && c->nr == f->nr)
				return c;
	} else {
		vec_each(&r->calls, c)
			if (c->arch == f->arch && c->nr == f->nr)
				return c;
	}
	BUG("it was just added");
}

static void unite_call(struct unite *u, const struct fact *f, const struct column *all,
		       const struct columns *columns)
{
	struct recorded_call *c;

	if (f->assumed)
		model_assumed_call(u->m, f->arch, f->nr, all->count);
	else if (f->held)
		model_held_call(u->m, f->arch, f->nr, all->count);
	else
		model_call(u->m, f->arch, f->nr, all->count, all->first_ns);
	c = find_call(u->r, f);
	if (!f->assumed || c->assumed)
		mark(u, &c->in, columns);
}

/* Facts of one program stand together. */
static void unite_by(struct unite *u, const struct fact *f, const struct column *all)
{
	struct recorded_made c = {
		.arch = f->arch, .nr = f->nr, .count = all->count, .first_ns = all->first_ns
	};
	struct recorded_program fresh = { .path = f->path }, *last = NULL;

	if (u->r->programs.n)
		last = &u->r->programs.v[u->r->programs.n - 1];
	if (!last || !str_eq(last->path, f->path)) {
		table_add(u->a, &u->programs, hash_str(f->path), u->r->programs.n);
		vec_push(u->a, &u->r->programs, fresh);
		last = &u->r->programs.v[u->r->programs.n - 1];
	}
	vec_push(u->a, &last->calls, c);
}

/* NULL: it made none. */
static struct recorded_program *find_program(const struct unite *u, struct str path)
{
	struct table_walk w = table_start(hash_str(path));
	size_t at;

	while ((at = table_next(&u->programs, &w)) != TABLE_END)
		if (str_eq(u->r->programs.v[at].path, path))
			return &u->r->programs.v[at];
	return NULL;
}

/* Behind all of the whole run; what that does not have is nobody's. */
static void unite_serve_by(struct unite *u, const struct fact *f, const struct column *all)
{
	if (!u->serving || !str_eq(u->serving->path, f->path))
		u->serving = find_program(u, f->path);
	if (!u->serving)
		return;
	vec_each(&u->serving->calls, c) {
		if (c->arch != f->arch || c->nr != f->nr)
			continue;
		c->serves = true;
		c->serve_count = all->count;
		c->serve_first_ns = all->first_ns;
	}
}

/* Facts of one kind stand together, so each of these is the last one or a new one. */
static void unite_signal(struct unite *u, const struct fact *f, const struct column *all,
			 const struct columns *columns)
{
	struct recorded_signal s = { .what = { .signal = (int)f->index,
					       .sent = f->kind == FACT_SENT,
					       .peer = f->peer,
					       .who = f->path },
				     .count = all->count,
				     .first_ns = all->first_ns };

	mark(u, &s.in, columns);
	vec_push(u->a, &u->r->signals, s);
}

static void unite_address(struct unite *u, const struct fact *f, const struct column *all,
			  const struct columns *columns)
{
	struct recorded_address a = { f->address, all->count, all->first_ns, NULL };

	mark(u, &a.in, columns);
	vec_push(u->a, &u->r->addresses, a);
}

static void unite_capability(struct unite *u, const struct fact *f, const struct column *all,
			     const struct columns *columns)
{
	struct recorded_capability c = { .cap = f->index,
					 .arch = f->arch,
					 .nr = f->nr,
					 .count = all->count,
					 .first_ns = all->first_ns };

	mark(u, &c.in, columns);
	if (f->serve)
		vec_push(u->a, &u->r->serve_caps, c);
	else
		vec_push(u->a, &u->r->caps, c);
}

static void unite_runtime(struct unite *u, const struct fact *f, const struct column *all,
			  const struct columns *columns)
{
	struct recorded_call c = { .arch = f->arch, .nr = f->nr, .count = all->count };
	struct recorded_capability cap = { .cap = f->index, .count = all->count };

	if (f->kind == FACT_CALL) {
		c.first_ns = all->first_ns;
		mark(u, &c.in, columns);
		vec_push(u->a, &u->r->runtime_calls, c);
		return;
	}
	cap.arch = f->arch;
	cap.nr = f->nr;
	cap.first_ns = all->first_ns;
	mark(u, &cap.in, columns);
	vec_push(u->a, &u->r->runtime_caps, cap);
}

static void unite_rule(struct unite *u, const struct fact *f, const struct column *all,
		       const struct columns *columns)
{
	struct recorded_rule rule = { f->path, all->count, all->first_ns, NULL };

	mark(u, &rule.in, columns);
	vec_push(u->a, &u->r->rules, rule);
}

static void unite_fact(struct unite *u, const struct fact *f, const struct columns *columns)
{
	struct column all = sum(columns);

	if (f->runtime) {
		unite_runtime(u, f, &all, columns);
		return;
	}
	/* What serving did the whole run did: those facts stand in front. */
	if (f->serve && !recording_call(u->r, f->arch, f->nr))
		return;
	model_phase(u->m, f->serve ? PHASE_APART : PHASE_ANY);
	switch (f->kind) {
	case FACT_ADDRESS: unite_address(u, f, &all, columns); return;
	case FACT_BITS:
		model_bits(u->m, f->arch, f->nr, f->index, f->words[0], f->words[1], f->unbounded);
		return;
	case FACT_BY: (f->serve ? unite_serve_by : unite_by)(u, f, &all); return;
	case FACT_CALL: unite_call(u, f, &all, columns); return;
	case FACT_CAPABILITY: unite_capability(u, f, &all, columns); return;
	case FACT_FILE: unite_file(u, f, &all, columns); return;
	case FACT_LOST: unite_lost(u, f, &all); return;
	case FACT_OTHERS: unite_listing(u, f); return;
	case FACT_RECEIVED:
	case FACT_SENT: unite_signal(u, f, &all, columns); return;
	case FACT_RULE: unite_rule(u, f, &all, columns); return;
	case FACT_TUPLE:
		(f->held ? model_held_tuple : model_tuple)(u->m, f->arch, f->nr, f->words,
							   all.count);
		return;
	case FACT_VALUE:
		model_value(u->m, f->arch, f->nr, f->index, f->words[0], all.count);
		return;
	case FACT_NR: break;
	}
	BUG_ON(true);
}

void recordings_unite(struct arena *a, const struct recordings *rs, struct recording *out)
{
	struct unite u = { .a = a, .r = out, .m = model_new(a, out, SIZE_MAX) };
	struct columns columns = { 0 };
	size_t walk = 0;
	struct fact f;

	BUG_ON(!recordings_runs(rs));
	*out = (struct recording){ 0 };
	unite_runs(a, rs, &out->run);
	if (recordings_runs(rs) > 1)
		out->runs = place_runs(a, rs);
	while (recordings_next(rs, &walk, &f, &columns))
		unite_fact(&u, &f, &columns);
	recording_sort(out);
}
