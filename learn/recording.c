/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/recording.h"

#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"

struct arg_row {
	const char *call, *arg;
};

static const struct arg_row arg_rows[] = {
#define ARG(call, arg) { #call, #arg },
#include "learn/args.def"
#undef ARG
};

unsigned recording_args(enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);
	unsigned mask = 0;

	for (size_t i = 0; s && i < ARRAY_SIZE(arg_rows); i++) {
		int at;

		if (strcmp(arg_rows[i].call, s->name))
			continue;
		at = syscall_arg_find(s, a, str_c(arg_rows[i].arg));
		if (at >= 0)
			mask |= 1u << at;
	}
	return mask;
}

static const struct {
	size_t offset;
	const char *what;
} loss_rows[] = {
#define LOSS(field, what)                                                                          \
	{                                                                                          \
		offsetof(struct recording_losses, field), what                                     \
	}
	LOSS(calls_full, "calls found no room"),
	LOSS(values_full, "argument values found no room"),
	LOSS(paths_full, "paths found no room"),
	LOSS(paths_truncated, "paths were too long or too deep"),
	LOSS(paths_unresolved, "paths could not be resolved"),
	LOSS(unknown_abi, "calls came by an unknown ABI"),
	LOSS(ring_dropped, "events were missed by the kernel"),
	LOSS(untraced, "tasks could not be followed"),
	LOSS(left, "tasks left the cgroup"),
	LOSS(tracing, "calls of ptrace were refused because pale traced already"),
	LOSS(unread, "reads of what was recorded failed"),
#undef LOSS
};

static uint64_t loss_at(const struct recording *r, size_t i)
{
	uint64_t n;

	memcpy(&n, (const char *)&r->losses + loss_rows[i].offset, sizeof(n));
	return n;
}

bool recording_lossy(const struct recording *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(loss_rows); i++)
		if (loss_at(r, i))
			return true;
	return false;
}

void recording_losses_print(struct buf *out, const struct recording *r)
{
	const char *sep = "";

	for (size_t i = 0; i < ARRAY_SIZE(loss_rows); i++) {
		uint64_t n = loss_at(r, i);

		if (!n)
			continue;
		buf_printf(out, "%s%llu %s", sep, (unsigned long long)n, loss_rows[i].what);
		sep = ", ";
	}
	if (!*sep)
		buf_puts(out, "none");
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

static int cmp_cap(const void *x, const void *y)
{
	const struct recorded_capability *a = x, *b = y;

	if (a->cap != b->cap)
		return cmp_u64(a->cap, b->cap);
	return a->arch != b->arch ? (int)a->arch - (int)b->arch : cmp_u64(a->nr, b->nr);
}

static int cmp_signal(const void *x, const void *y)
{
	const struct recorded_signal *a = x, *b = y;

	return a->signal - b->signal;
}

#define SORT(vec, cmp)                                                                             \
	do {                                                                                       \
		if ((vec).n)                                                                       \
			qsort((vec).v, (vec).n, sizeof(*(vec).v), (cmp));                          \
	} while (0)

void recording_sort(struct recording *r)
{
	vec_each(&r->calls, c) {
		vec_each(&c->args, a)
			SORT(a->values, cmp_value);
		SORT(c->args, cmp_arg);
		SORT(c->tuples, cmp_tuple);
	}
	SORT(r->calls, cmp_call);
	SORT(r->files, cmp_file);
	SORT(r->caps, cmp_cap);
	SORT(r->received, cmp_signal);
}

const struct recorded_call *recording_call(const struct recording *r, enum arch a, uint32_t nr)
{
	vec_each(&r->calls, c)
		if (c->arch == a && c->nr == nr)
			return c;
	return NULL;
}

static void print_call_name(struct buf *out, enum arch a, uint32_t nr)
{
	const struct syscall_info *s = syscall_by_nr(a, nr);

	if (s)
		buf_printf(out, "%s %s", arch_info(a)->name, s->name);
	else
		buf_printf(out, "%s #%u", arch_info(a)->name, nr);
}

static void print_args(struct buf *out, const struct recorded_call *c)
{
	vec_each(&c->args, a) {
		buf_puts(out, "arg ");
		print_call_name(out, c->arch, c->nr);
		buf_printf(out, " %u%s ones=%#llx zeros=%#llx", a->index,
			   a->unbounded ? " unbounded" : "", (unsigned long long)a->ones,
			   (unsigned long long)a->zeros);
		vec_each(&a->values, v)
			buf_printf(out, " %#llx:%llu", (unsigned long long)v->value,
				   (unsigned long long)v->count);
		buf_putc(out, '\n');
	}
	vec_each(&c->tuples, t) {
		buf_puts(out, "tuple ");
		print_call_name(out, c->arch, c->nr);
		buf_printf(out, " %llu %llu %llu x%llu\n", (unsigned long long)t->args[0],
			   (unsigned long long)t->args[1], (unsigned long long)t->args[2],
			   (unsigned long long)t->count);
	}
}

static void print_perms(struct buf *out, unsigned perms)
{
	static const char letters[] = "rwalkmx"; /* in the order of PERM_* */

	for (unsigned i = 0; i < sizeof(letters) - 1; i++)
		if (perms >> i & 1)
			buf_putc(out, letters[i]);
}

void recording_print(struct buf *out, const struct recording *r)
{
	buf_printf(out, "recording backend=%s kernel=%s libc=%s processes=%llu interrupted=%d\n",
		   r->backend, r->kernel, r->libc, (unsigned long long)r->processes,
		   r->interrupted);
	buf_puts(out, "losses ");
	recording_losses_print(out, r);
	buf_putc(out, '\n');
	vec_each(&r->calls, c) {
		buf_puts(out, "call ");
		print_call_name(out, c->arch, c->nr);
		buf_printf(out, " %llu %llu\n", (unsigned long long)c->count,
			   (unsigned long long)c->first_ns);
		print_args(out, c);
	}
	vec_each(&r->files, f) {
		buf_puts(out, "file ");
		print_perms(out, f->perms);
		buf_printf(out, "%s%s %llu ", f->owned ? " owned" : "", f->peers ? " peers" : "",
			   (unsigned long long)f->count);
		buf_safe(out, f->path);
		buf_putc(out, '\n');
	}
	vec_each(&r->received, s)
		buf_printf(out, "received %d %llu\n", s->signal, (unsigned long long)s->count);
	vec_each(&r->caps, c) {
		buf_printf(out, "capability %u ", c->cap);
		print_call_name(out, c->arch, c->nr);
		buf_printf(out, " %llu\n", (unsigned long long)c->count);
	}
}
