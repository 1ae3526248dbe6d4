/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/elsewhere.h"

#include <sched.h>
#include <signal.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/spell.h"
#include "learn/model.h"
#include "learn/sockopt.h"

static const struct row {
	const char *call, *others;
	bool variant;
} rows[] = {
#define RELATIVE(call, others) { call, others, false },
#define VARIANT(call, others)  { call, others, true },
#include "learn/relatives.def"
#undef RELATIVE
#undef VARIANT
};

/* How the tools of a distribution with directories for several machines call them. */
static const struct machine {
	enum arch arch;
	const char *triplet, *loader;
} machines[] = {
	{ ARCH_X86_64, "x86_64-linux-gnu", "ld-linux-x86-64.so.2" },
	{ ARCH_X32, "x86_64-linux-gnux32", "ld-linux-x32.so.2" },
	{ ARCH_I386, "i386-linux-gnu", "ld-linux.so.2" },
	{ ARCH_AARCH64, "aarch64-linux-gnu", "ld-linux-aarch64.so.1" },
	{ ARCH_ARM, "arm-linux-gnueabihf", "ld-linux-armhf.so.3" },
	{ ARCH_RISCV64, "riscv64-linux-gnu", "ld-linux-riscv64-lp64d.so.1" },
	{ ARCH_S390X, "s390x-linux-gnu", "ld64.so.1" },
	{ ARCH_PPC64LE, "powerpc64le-linux-gnu", "ld64.so.2" },
	{ ARCH_LOONGARCH64, "loongarch64-linux-gnu", "ld-linux-loongarch-lp64d.so.1" },
};

struct making {
	struct arena *a;
	const struct recording *r;
	struct recording *out;
	struct model *m;
	struct elsewhere *said;
	enum arch to;
};

static bool is_there(const struct syscall_info *s, enum arch a)
{
	return s && s->nr[a] >= 0 && s->nr[a] < RECORDING_NRS;
}

/* ---- a call ---- */

/* By its name, where the number of the name differs: signals, kinds of sockets, ioctl's commands. */
static uint64_t value_there(const char *domain, uint64_t v, enum arch from, enum arch to)
{
	const char *name = domain ? constant_name(domain, v, from) : NULL;
	uint64_t there;

	return name && !constant_find(domain, str_c(name), to, &there) ? there : v;
}

/* Bit by bit: O_DIRECTORY is 0x10000 here and 0x4000 there. */
static uint64_t flags_there(const struct making *k, const char *domain, uint64_t v, enum arch from)
{
	struct spell_as as = { .domain = domain, .kind = ARG_FLAGS, .width = 64, .arch = from };
	struct spelling s;
	uint64_t all = 0;

	spell_bits(&as, v, &s);
	for (unsigned i = 0; i < s.n; i++) {
		uint64_t bits = 0;

		if (constant_find(domain, str_c(s.names[i]), k->to, &bits) &&
		    constant_find(domain, str_c(s.names[i]), from, &bits))
			BUG("a name that is none");
		all |= bits;
	}
	return s.has_number ? all | s.number : all;
}

static uint64_t option_there(uint64_t v, enum arch from, enum arch to)
{
	uint64_t level = v >> 32;

	return trace_of(value_there("sol", level, from, to),
			value_there(sockopt_domain(level, from), (uint32_t)v, from, to));
}

/* domain: of the flags that the argument points to; NULL: it is the value itself. */
static uint64_t argument_there(const struct making *k, const struct arg_info *arg,
			       const char *domain, uint64_t v, enum arch from)
{
	if (domain || (arg->kind == ARG_FLAGS && strcmp(arg->domain, "clone")))
		return flags_there(k, domain ? domain : arg->domain, v, from);
	return value_there(arg->domain, v, from, k->to);
}

static void add_argument(struct making *k, const struct recorded_call *c,
			 const struct recorded_arg *arg, const struct syscall_info *s)
{
	const struct syscall_info *was = syscall_by_nr(c->arch, c->nr);
	unsigned n, there;
	const struct arg_info *args = syscall_args(was, c->arch, &n), *theirs;
	uint64_t ones = 0, zeros = 0;
	int at;

	if (arg->index >= n)
		return;
	at = syscall_arg_find(s, k->to, str_c(args[arg->index].name));
	if (at < 0)
		return; /* it has no such argument: that is not bounded */
	theirs = syscall_args(s, k->to, &there);
	vec_each(&arg->values, v) {
		uint64_t value =
			recording_args_of(c->arch, c->nr) >= 0 ?
				option_there(v->value, c->arch, k->to) :
				argument_there(k, &theirs[at], recording_args_in(c->arch, c->nr),
					       v->value, c->arch);

		ones |= value;
		zeros |= ~value;
		model_value(k->m, k->to, (uint32_t)s->nr[k->to], (unsigned)at, value, v->count);
	}
	if (arg->unbounded || !arg->values.n) {
		ones |= arg->ones;
		zeros |= arg->zeros;
	}
	model_bits(k->m, k->to, (uint32_t)s->nr[k->to], (unsigned)at, ones, zeros, arg->unbounded);
}

/* What libcs give clone() in place of these: else nothing would bound its flags. */
static void add_flags(struct making *k, const char *was, const struct syscall_info *s,
		      uint64_t count)
{
	bool is_vfork = !strcmp(was, "vfork");
	int at = syscall_arg_find(s, k->to, STR("clone_flags"));
	uint64_t flags = is_vfork ? CLONE_VM | CLONE_VFORK | SIGCHLD :
				    CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | SIGCHLD;

	if (strcmp(s->name, "clone") || at < 0 || (!is_vfork && strcmp(was, "fork")))
		return;
	model_value(k->m, k->to, (uint32_t)s->nr[k->to], (unsigned)at, flags, count);
}

/* The call c, made there as s. */
static void add_call(struct making *k, const struct recorded_call *c, const struct syscall_info *s)
{
	const struct syscall_info *was = syscall_by_nr(c->arch, c->nr);
	const struct recorded_call *had = recording_call(k->out, k->to, (uint32_t)s->nr[k->to]);
	const uint64_t *in = had ? recording_join_runs(k->a, k->r, had->in, c->in) : c->in;
	uint32_t nr = (uint32_t)s->nr[k->to];

	if (c->assumed)
		model_assumed_call(k->m, k->to, nr, c->count);
	else if (c->held)
		model_held_call(k->m, k->to, nr, c->count);
	else
		model_call(k->m, k->to, nr, c->count, c->first_ns);
	vec_each(&k->out->calls, to)
		if (to->arch == k->to && to->nr == nr && in) {
			size_t size = (k->r->runs->n + 63) / 64 * sizeof(*in);

			to->in = arena_alloc(k->a, size);
			memcpy(to->in, in, size);
		}
	vec_each(&c->args, arg)
		add_argument(k, c, arg, s);
	add_flags(k, was->name, s, c->count);
	vec_each(&c->tuples, t) {
		uint64_t args[3] = { t->args[0], t->args[1], t->args[2] };

		args[1] = value_there("sock_type", t->args[1] & 0xf, c->arch, k->to) |
			  (t->args[1] & ~(uint64_t)0xf);
		(t->held ? model_held_tuple : model_tuple)(k->m, k->to, nr, args, t->count);
	}
}

/* ---- what is called instead ---- */

static void say(struct making *k, const char *was, const char *other)
{
	struct buf *out = &k->said->instead;

	buf_printf(out, "%s%s: %s", out->n ? ", " : "", was, other);
}

/* The words of `others` that are there: the first alone, or all of them. True: one was. */
static bool add_others(struct making *k, const struct recorded_call *c, const struct row *row,
		       bool only_new)
{
	bool found = false;

	for (const char *w = row->others; *w;) {
		size_t n = strcspn(w, " ");
		const struct syscall_info *s = syscall_by_name((struct str){ w, n });

		w += n + strspn(w + n, " ");
		if (!s || s->nr[k->to] < 0 || (found && !row->variant) ||
		    (only_new && s->nr[c->arch] >= 0))
			continue;
		found = true;
		if (!is_there(s, k->to)) { /* a number of arm's own, beyond all others */
			buf_printf(&k->said->nothing, "%s%s (allow %s by hand)",
				   k->said->nothing.n ? ", " : "", row->call, s->name);
			continue;
		}
		add_call(k, c, s);
		say(k, row->call, s->name);
	}
	return found;
}

static bool is_among(const char *words, const char *word)
{
	size_t n = strlen(word);

	for (const char *w = words; *w;) {
		size_t len = strcspn(w, " ");

		if (len == n && !memcmp(w, word, n))
			return true;
		w += len + strspn(w + len, " ");
	}
	return false;
}

/* A machine that came late may have the call for a few years only: libcs go without it. */
static bool is_late(const struct making *k, const struct syscall_info *s)
{
	return s->since[k->to] >= KERNEL_VERSION_OF(6, 0) &&
	       s->since[k->to] > s->since[k->r->run.host];
}

static void make_call(struct making *k, const struct recorded_call *c)
{
	const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
	bool found = is_there(s, k->to);

	if (!s) {
		buf_printf(&k->said->nothing, "%s#%u", k->said->nothing.n ? ", " : "", c->nr);
		return;
	}
	if (found)
		add_call(k, c, s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const struct syscall_info *older = syscall_by_name(str_c(rows[i].call));

		if (!strcmp(rows[i].call, s->name)) {
			if (rows[i].variant &&
			    (!is_there(s, k->to) || arch_info(k->to)->bits == 32))
				found |= add_others(k, c, &rows[i], true);
			else if (rows[i].variant)
				continue;
			else if (!is_there(s, k->to) || is_late(k, s))
				found |= add_others(k, c, &rows[i], false);
		} else if (is_there(older, k->to) && is_among(rows[i].others, s->name) &&
			   (older->nr[c->arch] < 0 || (rows[i].variant && !is_there(s, k->to)))) {
			add_call(k, c, older); /* read backwards */
			say(k, s->name, older->name);
			found = true;
		}
	}
	if (!found)
		buf_printf(&k->said->nothing, "%s%s", k->said->nothing.n ? ", " : "", s->name);
}

/* ---- files ---- */

static const struct machine *machine_of(enum arch a)
{
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (machines[i].arch == a)
			return &machines[i];
	return NULL;
}

/* Each `from` in the text becomes `to`. */
static struct str replaced(struct arena *a, struct str text, const char *from, const char *to)
{
	size_t n = strlen(from);
	BUF_AUTO out = { 0 };

	for (size_t i = 0; i < text.n;) {
		if (text.n - i >= n && !memcmp(text.p + i, from, n)) {
			buf_puts(&out, to);
			i += n;
		} else {
			buf_putc(&out, text.p[i++]);
		}
	}
	return (struct str){ str_dup(a, (struct str){ out.p ? out.p : "", out.n }), out.n };
}

static void make_files(struct making *k)
{
	const struct machine *here = machine_of(k->r->run.host), *there = machine_of(k->to);

	vec_each(&k->r->files, f) {
		struct recorded_file file = *f;

		if (here && there) {
			file.path = replaced(k->a, file.path, here->loader, there->loader);
			file.path = replaced(k->a, file.path, here->triplet, there->triplet);
		}
		vec_push(k->a, &k->out->files, file);
	}
}

void elsewhere_make(struct arena *a, const struct recording *r, enum arch to, struct recording *out,
		    struct elsewhere *said)
{
	struct making k = { .a = a, .r = r, .out = out, .said = said, .to = to };

	*out = (struct recording){ .run = r->run, .runs = r->runs };
	out->run.host = to;
	k.m = model_new(a, out, SIZE_MAX);
	vec_each(&r->calls, c)
		make_call(&k, c);
	make_files(&k);
	vec_each(&r->signals, s) {
		struct recorded_signal there = *s;

		there.what.signal =
			(int)value_there("signal", (uint64_t)s->what.signal, r->run.host, to);
		vec_push(a, &out->signals, there);
	}
	vec_each(&r->rules, rule)
		vec_push(a, &out->rules, *rule);
	vec_each(&r->caps, c) {
		const struct syscall_info *s = syscall_by_nr(c->arch, c->nr);
		struct recorded_capability there = *c;

		if (is_there(s, to)) {
			there.arch = to;
			there.nr = (uint32_t)s->nr[to];
		}
		vec_push(a, &out->caps, there);
	}
	vec_each(&r->addresses, address)
		vec_push(a, &out->addresses, *address);
	recording_sort(out);
}
