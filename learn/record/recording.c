/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/record/recording.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/rules/rules.h"
#include "learn/record/kept.h"

static const struct arg_row {
	const char *call, *arg;
	const char *other;  /* ARG_IF */
	const char *domain; /* ARG_IN */
	const char *of;     /* ARG_OF */
} arg_rows[] = {
#define ARG(call, arg)            { #call, #arg, NULL, NULL, NULL },
#define ARG_IF(call, arg, other)  { #call, #arg, #other, NULL, NULL },
#define ARG_IN(call, arg, domain) { #call, #arg, NULL, #domain, NULL },
#define ARG_OF(call, arg, of)     { #call, #arg, NULL, NULL, #of },
#include "learn/record/args.def"
#undef ARG
#undef ARG_IF
#undef ARG_IN
#undef ARG_OF
};

static const struct arg_row *row_of(const struct syscall_info *s)
{
	for (size_t i = 0; s && i < ARRAY_SIZE(arg_rows); i++)
		if (!strcmp(arg_rows[i].call, s->name))
			return &arg_rows[i];
	return NULL;
}

unsigned recording_args(enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);
	const struct arg_row *row = row_of(s);
	int at = row ? syscall_arg_find(s, a, str_c(row->arg)) : -1;

	return at >= 0 ? 1u << at : 0;
}

int recording_args_if(enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);
	const struct arg_row *row = row_of(s);

	return row && row->other ? syscall_arg_find(s, a, str_c(row->other)) : -1;
}

const char *recording_args_in(enum arch a, uint32_t nr)
{
	const struct arg_row *row = row_of(syscall_by_nr(a, nr));

	return row ? row->domain : NULL;
}

int recording_args_of(enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);
	const struct arg_row *row = row_of(s);

	return row && row->of ? syscall_arg_find(s, a, str_c(row->of)) : -1;
}

bool recording_is_rings(const struct recorded_call *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);

	return !c->count && c->tuples.n && s && !strncmp(s->name, "io_uring_", 9);
}

static int cmp_u64(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int cmp_value(const void *x, const void *y)
{
	const struct recorded_value *a = x, *b = y;

	return cmp_u64(a->value, b->value);
}

static int cmp_tuple(const void *x, const void *y)
{
	const struct recorded_tuple *a = x, *b = y;

	for (int i = 0; i < 3; i++)
		if (a->args[i] != b->args[i])
			return cmp_u64(a->args[i], b->args[i]);
	return 0;
}

static int cmp_arg(const void *x, const void *y)
{
	const struct recorded_arg *a = x, *b = y;

	return (int)a->index - (int)b->index;
}

static int cmp_call(const void *x, const void *y)
{
	const struct recorded_call *a = x, *b = y;

	return a->arch != b->arch ? (int)a->arch - (int)b->arch : cmp_u64(a->nr, b->nr);
}

static int cmp_file(const void *x, const void *y)
{
	const struct recorded_file *a = x, *b = y;

	return str_cmp(a->path, b->path);
}

static int cmp_listing(const void *x, const void *y)
{
	const struct recorded_listing *a = x, *b = y;

	return str_cmp(a->path, b->path);
}

static int cmp_cap(const void *x, const void *y)
{
	const struct recorded_capability *a = x, *b = y;

	if (a->cap != b->cap)
		return cmp_u64(a->cap, b->cap);
	return a->arch != b->arch ? (int)a->arch - (int)b->arch : cmp_u64(a->nr, b->nr);
}

int signalled_cmp(const struct signalled *a, const struct signalled *b)
{
	if (a->sent != b->sent)
		return (int)a->sent - (int)b->sent;
	if (a->signal != b->signal)
		return a->signal - b->signal;
	return a->peer != b->peer ? (int)a->peer - (int)b->peer : str_cmp(a->who, b->who);
}

static int cmp_signal(const void *x, const void *y)
{
	const struct recorded_signal *a = x, *b = y;

	return signalled_cmp(&a->what, &b->what);
}

static int cmp_lost(const void *x, const void *y)
{
	const struct recorded_lost *a = x, *b = y;
	int order = str_cmp(a->name, b->name);

	if (!order)
		order = (int)a->why - (int)b->why;
	return order ? order : cmp_u64(a->perms, b->perms);
}

static int cmp_rule(const void *x, const void *y)
{
	const struct recorded_rule *a = x, *b = y;

	return str_cmp(a->text, b->text);
}

static int cmp_address(const void *x, const void *y)
{
	const struct address *a = &((const struct recorded_address *)x)->address;
	const struct address *b = &((const struct recorded_address *)y)->address;
	int group = (int)address_group(a) - (int)address_group(b);

	if (group || a->others != b->others)
		return group ? group : (int)a->others - (int)b->others;
	return a->port != b->port ? (int)a->port - (int)b->port : (int)a->place - (int)b->place;
}

static int cmp_made(const void *x, const void *y)
{
	const struct recorded_made *a = x, *b = y;

	return a->arch != b->arch ? (int)a->arch - (int)b->arch : cmp_u64(a->nr, b->nr);
}

/* Others last. */
static int cmp_program(const void *x, const void *y)
{
	const struct recorded_program *a = x, *b = y;

	if (!a->path.p || !b->path.p)
		return !a->path.p - !b->path.p;
	return str_cmp(a->path, b->path);
}

#define SORT(vec, cmp)                                                                             \
	do {                                                                                       \
		if ((vec).n)                                                                       \
			qsort((vec).v, (vec).n, sizeof(*(vec).v), (cmp));                          \
	} while (0)

bool recording_holds(enum arch a)
{
	const struct syscall_info *read = syscall_by_name(STR("read"));

	return read && read->nr[a] >= 0 && read->nr[a] < RECORDING_NRS;
}

static void sort_arguments(struct recorded_call *c)
{
	vec_each(&c->args, a)
		SORT(a->values, cmp_value);
	SORT(c->args, cmp_arg);
	SORT(c->tuples, cmp_tuple);
}

/*
 * Of what programs made, only calls of the recording stay: by an ABI that is none nobody makes one. Who
 * made none is nobody.
 */
static void settle_programs(struct recording *r)
{
	uint64_t is[ARCH_NR][RECORDING_NRS / 64] = { 0 },
					     serves[ARCH_NR][RECORDING_NRS / 64] = { 0 };
	size_t left = 0;

	vec_each(&r->calls, c)
		is[c->arch][c->nr / 64] |= UINT64_C(1) << c->nr % 64;
	vec_each(&r->serve_calls, c)
		serves[c->arch][c->nr / 64] |= UINT64_C(1) << c->nr % 64;
	vec_each(&r->programs, p) {
		size_t n = 0;

		vec_each(&p->calls, c) {
			if (!(is[c->arch][c->nr / 64] >> c->nr % 64 & 1))
				continue;
			c->serves &= serves[c->arch][c->nr / 64] >> c->nr % 64 & 1;
			p->calls.v[n++] = *c;
		}
		p->calls.n = n;
		if (n)
			r->programs.v[left++] = *p;
	}
	r->programs.n = left;
}

void recording_sort(struct recording *r)
{
	vec_each(&r->calls, c)
		sort_arguments(c);
	vec_each(&r->serve_calls, c)
		sort_arguments(c);
	SORT(r->calls, cmp_call);
	SORT(r->serve_calls, cmp_call);
	SORT(r->serve_caps, cmp_cap);
	SORT(r->files, cmp_file);
	SORT(r->listings, cmp_listing);
	SORT(r->lost, cmp_lost);
	SORT(r->caps, cmp_cap);
	settle_programs(r);
	vec_each(&r->programs, p)
		SORT(p->calls, cmp_made);
	SORT(r->programs, cmp_program);
	SORT(r->runtime_calls, cmp_call);
	SORT(r->runtime_caps, cmp_cap);
	SORT(r->signals, cmp_signal);
	SORT(r->rules, cmp_rule);
	SORT(r->addresses, cmp_address);
}

bool recording_wrote_files(const struct recording *r)
{
	if (r->run.files_written)
		return true;
	/* Paths of a recording end in a NUL byte. */
	vec_each(&r->files, f)
		if (f->perms & (PERM_W | PERM_A) && is_kept(f->path.p))
			return true;
	return false;
}

bool recording_signal_seen(const struct recording *r, int sig)
{
	if (!r->run.peers_observed)
		return false;
	vec_each(&r->signals, s)
		if (s->what.sent && s->what.signal == sig)
			return true;
	return false;
}

bool recording_saw_call(const struct recording *r)
{
	vec_each(&r->calls, c)
		if (!c->held)
			return true;
	return false;
}

const struct recorded_call *recording_call(const struct recording *r, enum arch a, uint32_t nr)
{
	vec_each(&r->calls, c)
		if (c->arch == a && c->nr == nr)
			return c;
	return NULL;
}

const struct recorded_call *recording_serve_call(const struct recording *r, enum arch a,
						 uint32_t nr)
{
	vec_each(&r->serve_calls, c)
		if (c->arch == a && c->nr == nr)
			return c;
	return NULL;
}

static bool has_made(const struct recorded_program *p, enum arch a, uint32_t nr)
{
	struct recorded_made key = { .arch = a, .nr = nr };

	return p->calls.n && bsearch(&key, p->calls.v, p->calls.n, sizeof(*p->calls.v), cmp_made);
}

/* What was under way when the recording began is counted as 0. */
bool recorded_made_starts(const struct recorded_made *c)
{
	return !c->serves || c->count > c->serve_count;
}

const struct recorded_program *recording_only_by(const struct recording *r, enum arch a,
						 uint32_t nr)
{
	const struct recorded_program *only = NULL;

	if (!r->run.programs_observed)
		return NULL;
	vec_each(&r->programs, p) {
		if (!has_made(p, a, nr))
			continue;
		if (only)
			return NULL;
		only = p;
	}
	return only && only->path.p ? only : NULL;
}

const uint64_t *recording_join_runs(struct arena *a, const struct recording *r, const uint64_t *one,
				    const uint64_t *other)
{
	size_t words = r->runs ? (r->runs->n + 63) / 64 : 0;
	uint64_t *both = one && other ? ARENA_ARRAY(a, uint64_t, words) : NULL;

	for (size_t i = 0; both && i < words; i++)
		both[i] = one[i] | other[i];
	return both;
}
