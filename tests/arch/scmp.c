/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scmp [-n PROFILES] [-s SEED] ARCH: random profiles of the kind that libseccomp gets right (EQ
 * and MASKED_EQ on one or two arguments, a few rules on a call, or allow-lists), once as a pale
 * policy and its generated program, once as rules of libseccomp and what it exports for that
 * architecture; both run in our simulator on the same calls. Prints what it saw; 0: no difference,
 * 77: this libseccomp does not have the architecture.
 *
 * What libseccomp does that is not compared: number -1 (it decides it as any other), socket and
 * ipc calls where there is a multiplexer (it adds rules on that), and numbers that it gives to
 * the machine at hand for names that share one there.
 */
#include <byteswap.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <seccomp.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "tests/sim/load.h"

enum { CALLS_MAX = 300, RULES_MAX = 4, ARGS_MAX = 2, SKIPPED = 77 };

struct test_arg {
	unsigned index;
	bool masked;
	uint64_t mask, value;
};

struct test_rule {
	unsigned n; /* comparisons */
	struct test_arg arg[ARGS_MAX];
};

struct test_call {
	const struct syscall_info *sys;
	uint16_t err; /* 0: allowed */
	unsigned n;   /* rules; 0: unconditional */
	struct test_rule rule[RULES_MAX];
};

struct profile {
	enum arch arch;
	uint64_t random;
	struct test_call call[CALLS_MAX];
	unsigned n;
};

struct totals {
	uint64_t profiles, rules, calls, ours, theirs, differences, answers[3];
};

static uint32_t token(enum arch a)
{
	return a == ARCH_X32 ? SCMP_ARCH_X32 : arch_info(a)->audit;
}

/* ---- profiles ---- */

static bool usable(enum arch a, const struct syscall_info *sys)
{
	const char *mux;
	unsigned selector;

	if (sys->nr[a] < 0 || !multiplexed_by(sys, a, &mux, &selector) ||
	    !strcmp(sys->name, "socketcall") || !strcmp(sys->name, "ipc"))
		return false;
	int there = seccomp_syscall_resolve_name_arch(token(a), sys->name);
	char *back = seccomp_syscall_resolve_num_arch(seccomp_arch_native(),
						      seccomp_syscall_resolve_name(sys->name));
	bool distinct = back && !strcmp(back, sys->name);
	free(back);
	return distinct && there >= 0;
}

static struct test_rule random_rule(uint64_t *r)
{
	struct test_rule out = { .n = 1 + random_next(r) % ARGS_MAX };

	for (unsigned i = 0; i < out.n; i++) {
		struct test_arg *a = &out.arg[i];
		a->index = (unsigned)(i ? (out.arg[0].index + 1 + random_next(r) % 5) % 6 :
					  random_next(r) % 6);
		a->masked = random_next(r) % 2;
		a->mask = a->masked ? 1 + random_next(r) % 0xffff : UINT64_MAX;
		a->value = random_next(r) % 0x7fff & a->mask;
	}
	return out;
}

static bool taken(const struct profile *p, const struct syscall_info *sys)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->call[i].sys == sys)
			return true;
	return false;
}

/* An allow-list of many calls, or a few with conditions. */
static void random_profile(struct profile *p)
{
	bool list = random_next(&p->random) % 4 == 0;
	unsigned want = (unsigned)(list ? 40 + random_next(&p->random) % (CALLS_MAX - 40) :
					  1 + random_next(&p->random) % 12);

	p->n = 0;
	for (unsigned tries = 0; p->n < want && tries < 4 * want; tries++) {
		const struct syscall_info *sys =
			syscall_at(random_next(&p->random) % syscall_count());
		struct test_call *c = &p->call[p->n];
		if (!usable(p->arch, sys) || taken(p, sys))
			continue;
		*c = (struct test_call){ .sys = sys };
		if (!list && random_next(&p->random) % 3 == 0)
			c->err = (uint16_t)(2 + random_next(&p->random) % 100);
		c->n = list ? 0 : (unsigned)(random_next(&p->random) % (RULES_MAX + 1));
		for (unsigned i = 0; i < c->n; i++)
			c->rule[i] = random_rule(&p->random);
		p->n++;
	}
}

/* ---- as pale's program ---- */

/* libseccomp takes x32 for a machine of 32 bits, and compares the lower half of its registers. */
static bool looks_at_32_bits(enum arch a)
{
	return arch_info(a)->bits == 32 || a == ARCH_X32;
}

static void put_rule(struct buf *b, enum arch arch, const struct test_rule *r)
{
	for (unsigned i = 0; i < r->n; i++) {
		const struct test_arg *a = &r->arg[i];
		buf_puts(b, i ? " and " : "");
		if (a->masked || looks_at_32_bits(arch))
			buf_printf(b, "(reg arg%u & %#" PRIx64 ") == %#" PRIx64, a->index,
				   a->masked ? a->mask : UINT32_MAX, a->value);
		else
			buf_printf(b, "reg arg%u == %#" PRIx64, a->index, a->value);
	}
}

static void put_policy(struct buf *b, const struct profile *p)
{
	buf_printf(b,
		   "policy test { arch %s; default errno EPERM; unknown errno EPERM; "
		   "foreign kill-thread;\n",
		   arch_info(p->arch)->name);
	for (unsigned i = 0; i < p->n; i++) {
		const struct test_call *c = &p->call[i];
		for (unsigned k = 0; k < (c->n ? c->n : 1); k++) {
			if (c->err)
				buf_printf(b, "errno %u ", c->err);
			else
				buf_puts(b, "allow ");
			buf_puts(b, c->sys->name);
			if (c->n) {
				buf_putc(b, '(');
				put_rule(b, p->arch, &c->rule[k]);
				buf_putc(b, ')');
			}
			buf_puts(b, ";\n");
		}
	}
	buf_puts(b, "}\n");
}

static struct cbpf our_program(struct arena *a, const struct profile *p)
{
	BUF_AUTO text = { 0 };
	struct loaded l = { .arena = a, .sources = sources_new(a) };
	struct resolve_options opt = { 0 };
	struct cbpf_options gen = { .family = arch_family(p->arch, ARCH_BIT(p->arch)) };
	struct cbpf out = { 0 };

	put_policy(&text, p);
	l.diags = diags_new(a, l.sources);
	struct source *src = source_add(l.sources, "<test>", (struct str){ text.p, text.n });
	l.policies = policy_resolve(a, pale_parse_source(a, src, l.diags), &opt, l.diags);
	if (l.diags->errors || cbpf_generate(a, l.policies->list.v[0], &gen, &out, l.diags)) {
		print_diags(&l);
		fputs(text.p, stderr);
		exit(2);
	}
	return out;
}

/* ---- as libseccomp's ---- */

static void add_rules(scmp_filter_ctx ctx, const struct test_call *c)
{
	uint32_t action = c->err ? SCMP_ACT_ERRNO(c->err) : SCMP_ACT_ALLOW;

	for (unsigned k = 0; k < (c->n ? c->n : 1); k++) {
		struct scmp_arg_cmp cmp[ARGS_MAX];
		for (unsigned i = 0; c->n && i < c->rule[k].n; i++) {
			const struct test_arg *a = &c->rule[k].arg[i];
			cmp[i] = a->masked ? (struct scmp_arg_cmp){ a->index, SCMP_CMP_MASKED_EQ,
								    a->mask, a->value } :
					     (struct scmp_arg_cmp){ a->index, SCMP_CMP_EQ, a->value,
								    0 };
		}
		int err = seccomp_rule_add_array(ctx, action,
						 seccomp_syscall_resolve_name(c->sys->name),
						 c->n ? c->rule[k].n : 0, cmp);
		if (err && err != -EEXIST) { /* the same rule by chance */
			fprintf(stderr, "libseccomp refuses a rule on %s: %d\n", c->sys->name, err);
			exit(2);
		}
	}
}

static bool is_answer(uint32_t k)
{
	return k == SCMP_ACT_ALLOW || k == SCMP_ACT_KILL_THREAD ||
	       k >> 16 == SCMP_ACT_ERRNO(0) >> 16;
}

/*
 * The export is in the byte order of its machine, but for the `ret`s that libseccomp 2.5.4 puts
 * in where a jump would be too long: those stay in this machine's.
 */
static void to_host_order(struct cbpf *prog)
{
	for (size_t i = 0; i < prog->n; i++) {
		struct sock_filter *f = &prog->insns[i];
		f->code = bswap_16(f->code);
		f->k = bswap_32(f->k);
		if (BPF_CLASS(f->code) == BPF_RET && !is_answer(f->k) && is_answer(bswap_32(f->k)))
			f->k = bswap_32(f->k);
	}
}

static struct cbpf their_program(struct arena *a, const struct profile *p)
{
	static FILE *file;
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(1));
	struct cbpf out = { .big_endian = arch_info(p->arch)->big_endian };

	if (token(p->arch) != seccomp_arch_native() &&
	    (seccomp_arch_remove(ctx, seccomp_arch_native()) ||
	     seccomp_arch_add(ctx, token(p->arch))))
		exit(SKIPPED);
	for (unsigned i = 0; i < p->n; i++)
		add_rules(ctx, &p->call[i]);
	if (!file)
		file = tmpfile();
	if (!file || ftruncate(fileno(file), 0) || lseek(fileno(file), 0, SEEK_SET) ||
	    seccomp_export_bpf(ctx, fileno(file)))
		exit(2);
	seccomp_release(ctx);
	size_t size = (size_t)lseek(fileno(file), 0, SEEK_CUR);
	out.insns = arena_alloc(a, size);
	out.n = size / sizeof(*out.insns);
	if (pread(fileno(file), out.insns, size, 0) != (ssize_t)size)
		exit(2);
	if (out.big_endian)
		to_host_order(&out);
	return out;
}

/* ---- both on the same calls ---- */

static void compare(struct profile *p, const struct cbpf *x, const struct cbpf *y,
		    const struct call *c, struct totals *t)
{
	uint32_t ours = cbpf_run(x, c, NULL), theirs = cbpf_run(y, c, NULL);

	t->calls++;
	t->answers[ours == SCMP_ACT_ALLOW ? 0 : ours == SCMP_ACT_KILL_THREAD ? 2 : 1]++;
	if (ours == theirs || t->differences++ >= 5)
		return;
	printf("%s: arch %#x nr %u args %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64
	       " %#" PRIx64 " %#" PRIx64 ": pale %#x, libseccomp %#x\n",
	       arch_info(p->arch)->name, c->audit_arch, c->nr, c->args[0], c->args[1], c->args[2],
	       c->args[3], c->args[4], c->args[5], ours, theirs);
}

static uint64_t near_value(struct profile *p, const struct test_arg *a)
{
	uint64_t r = random_next(&p->random);

	switch (r % 5) {
	case 0: return a->value ^ UINT64_C(1) << (r >> 8) % 64;
	case 1: return a->value | (r >> 8 & ~a->mask);
	case 2: return r >> 8;
	default: return a->value;
	}
}

/* Calls that meet this rule or miss it by little. */
static void compare_rule(struct profile *p, const struct cbpf *x, const struct cbpf *y,
			 struct call c, const struct test_rule *r, struct totals *t)
{
	for (unsigned n = 0; n < 24; n++) {
		for (unsigned i = 0; i < 6; i++)
			c.args[i] = random_next(&p->random) >> random_next(&p->random) % 64;
		for (unsigned i = 0; i < r->n; i++)
			c.args[r->arg[i].index] = near_value(p, &r->arg[i]);
		compare(p, x, y, &c, t);
	}
}

static void compare_all(struct profile *p, const struct cbpf *x, const struct cbpf *y,
			struct totals *t)
{
	const struct arch_info *info = arch_info(p->arch);
	struct call c = { .audit_arch = info->audit };
	const uint32_t far[] = { info->nr_base + 8000, 0x3fffffff, 0x40000000, 0x400001ff,
				 0x7fffffff,           0x80000000, 0xfffffffe };

	for (uint32_t nr = 0; (nr = syscall_next(p->arch, nr)) != UINT32_MAX; nr++)
		for (uint32_t d = 0; d < 3; d++) {
			c.nr = info->nr_base + nr + d - 1;
			if (c.nr != UINT32_MAX)
				compare(p, x, y, &c, t);
		}
	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		c.nr = far[i];
		compare(p, x, y, &c, t);
	}
	for (unsigned i = 0; i < p->n; i++) {
		c.nr = info->nr_base + (uint32_t)p->call[i].sys->nr[p->arch];
		for (unsigned k = 0; k < p->call[i].n; k++)
			compare_rule(p, x, y, c, &p->call[i].rule[k], t);
		t->rules += p->call[i].n ? p->call[i].n : 1;
	}
	for (int a = 0; a < ARCH_NR; a++) {
		c.audit_arch = arch_info((enum arch)a)->audit;
		c.nr = info->nr_base + (uint32_t)p->call[0].sys->nr[p->arch];
		if (c.audit_arch != info->audit)
			compare(p, x, y, &c, t);
	}
}

int main(int argc, char **argv)
{
	static struct profile profile;
	struct profile *p = &profile;
	struct totals t = { 0 };
	uint64_t count = 200;
	int o, a;

	while ((o = getopt(argc, argv, "n:s:")) != -1) {
		if (o == 'n')
			count = strtoull(optarg, NULL, 0);
		else if (o == 's')
			p->random = strtoull(optarg, NULL, 0);
		else
			return 2;
	}
	a = optind < argc ? arch_find(str_c(argv[optind])) : -1;
	if (a < 0)
		return 2;
	p->arch = (enum arch)a;
	if (seccomp_syscall_resolve_name_arch(token(p->arch), "read") < 0)
		return SKIPPED;
	while (t.profiles < count) {
		struct arena *arena = arena_new(NULL);
		random_profile(p);
		if (p->n) {
			struct cbpf x = our_program(arena, p), y = their_program(arena, p);
			compare_all(p, &x, &y, &t);
			t.profiles++;
			t.ours += x.n;
			t.theirs += y.n;
		}
		arena_free(arena);
	}
	printf("%s: %" PRIu64 " profiles of %" PRIu64 " rules, %" PRIu64
	       " instructions (libseccomp %" PRIu64 "); %" PRIu64 " calls: %" PRIu64
	       " allowed, %" PRIu64 " refused, %" PRIu64 " killed; %" PRIu64 " differences\n",
	       arch_info(p->arch)->name, t.profiles, t.rules, t.ours, t.theirs, t.calls,
	       t.answers[0], t.answers[1], t.answers[2], t.differences);
	return t.differences != 0;
}
