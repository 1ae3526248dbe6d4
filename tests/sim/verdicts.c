/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verdicts CALLS FILE...: the kernel's answers to real calls, read back without executing them,
 * against policy_eval().
 *
 * First way, the program as it is: an older filter answers every call with a marker errno,
 * which beats ALLOW, LOG, TRACE and NOTIFY; among equals the newer filter wins, so our ERRNO
 * comes through with its number, TRAP as a signal with its data, KILL as a death (a child each).
 * Second way, every verdict told apart: a copy of the program in which the n-th different
 * return value is ERRNO(2000 + n).
 *
 * Calls: x86_64 with garbage above 32 bits of the number, x32 numbers, i386 through int 0x80,
 * number -1, whole 64-bit registers as arguments.
 */
#include <inttypes.h>

#include "compiler/base/bug.h"
#include "tests/sim/kernel.h"

enum { COPY = 2000, DEATHS_MAX = 40 };

struct totals {
	size_t policies, calls, i386, x32, skips, deaths, traps, errnos, passed, differences;
};

static void tell(struct totals *t, const struct policy *p, const struct call *c, struct reading r,
		 struct verdict want)
{
	BUF_AUTO b = { 0 };

	if (t->differences++ >= 10)
		return;
	verdict_print(&b, want);
	printf(PRISTR ": arch %#x nr %u args %#" PRIx64 " %#" PRIx64 " %#" PRIx64 " %#" PRIx64
		      " %#" PRIx64 " %#" PRIx64 ": kernel %d/%d, policy %s\n",
	       STRARG(p->name), c->audit_arch, c->nr, c->args[0], c->args[1], c->args[2],
	       c->args[3], c->args[4], c->args[5], r.kind, r.value, b.p);
}

/* uretprobe and uprobe: newer kernels let them pass every filter (seccomp_uprobe_exception()). */
static bool is_excepted(const struct call *c)
{
	return c->audit_arch == AUDIT_X86_64 && (c->nr == 335 || c->nr == 336);
}

static void fill(struct batch *b, struct sampler *s, size_t n, struct totals *t)
{
	b->n = b->done = 0;
	while (b->n < n) {
		struct call c = sampler_next(s);
		uint64_t r = random_next(&s->random);
		c.audit_arch = r % 3 ? AUDIT_X86_64 : AUDIT_I386;
		if (is_excepted(&c))
			continue;
		b->calls[b->n] = c;
		b->rax_high[b->n++] = r & 4 ? (uint32_t)(r >> 32) : 0;
		t->i386 += c.audit_arch == AUDIT_I386;
		t->x32 += c.audit_arch == AUDIT_X86_64 && c.nr >= 0x40000000 && c.nr != UINT32_MAX;
		t->skips += c.nr == UINT32_MAX;
	}
}

/* ---- the program as it is ---- */

static bool as_expected(struct reading r, struct verdict want)
{
	switch (want.kind) {
	case VERDICT_KILL_PROCESS:
	case VERDICT_KILL_THREAD: return r.kind == READ_DEATH;
	case VERDICT_TRAP: return r.kind == READ_TRAP && r.value == want.data;
	case VERDICT_ERRNO: return r.kind == READ_ERRNO && r.value == want.data;
	case VERDICT_NOTIFY:
	case VERDICT_TRACE:
	case VERDICT_LOG:
	case VERDICT_ALLOW: return r.kind == READ_ERRNO && r.value == MARKER;
	case VERDICT_NR: break;
	}
	BUG("verdict");
}

static void check_plain(const struct policy *p, const struct cbpf *prog, struct batch *b,
			struct totals *t)
{
	size_t deaths = 0, kept = 0;

	/* A death costs a child: some of them are enough. */
	for (size_t i = 0; i < b->n; i++) {
		struct verdict v = policy_eval(p, &b->calls[i], NULL);
		if (v.kind <= VERDICT_KILL_THREAD && ++deaths > DEATHS_MAX)
			continue;
		b->calls[kept] = b->calls[i];
		b->rax_high[kept++] = b->rax_high[i];
	}
	b->n = kept;
	b->done = 0;
	while (!run_child(b, &marker, prog)) {
		if (b->done >= b->n)
			break;
		b->done++; /* this one killed it: it says READ_DEATH; go on behind it */
	}
	if (b->attach) {
		printf(PRISTR ": not attached: %s\n", STRARG(p->name), strerror(b->attach));
		exit(1);
	}
	for (size_t i = 0; i < b->n; i++) {
		struct verdict want = policy_eval(p, &b->calls[i], NULL);
		struct reading r = b->readings[i];
		t->calls++;
		t->deaths += r.kind == READ_DEATH;
		t->traps += r.kind == READ_TRAP;
		t->errnos += r.kind == READ_ERRNO && r.value != MARKER;
		t->passed += r.kind == READ_ERRNO && r.value == MARKER;
		if (!as_expected(r, want))
			tell(t, p, &b->calls[i], r, want);
	}
}

/* ---- the copy ---- */

static int code_of(const uint32_t *rets, size_t n, uint32_t ret)
{
	for (size_t i = 0; i < n; i++)
		if (rets[i] == ret)
			return COPY + (int)i;
	return -1; /* a verdict that the program does not have */
}

static struct cbpf copy_of(struct arena *a, const struct cbpf *prog, uint32_t *rets, size_t *n)
{
	struct cbpf copy = *prog;

	*n = 0;
	copy.insns = arena_dup(a, prog->insns, prog->n * sizeof(*prog->insns));
	for (size_t i = 0; i < copy.n; i++) {
		struct sock_filter *f = &copy.insns[i];
		if (f->code != (BPF_RET | BPF_K))
			continue;
		if (code_of(rets, *n, f->k) < 0)
			rets[(*n)++] = f->k;
		f->k = SECCOMP_RET_ERRNO | (uint32_t)code_of(rets, *n, f->k);
	}
	return copy;
}

static void check_copy(struct arena *a, const struct policy *p, const struct cbpf *prog,
		       struct batch *b, struct totals *t)
{
	uint32_t rets[CBPF_MAX];
	size_t n;
	struct cbpf copy = copy_of(a, prog, rets, &n);

	b->done = 0;
	if (!run_child(b, &copy, NULL) || b->attach) {
		printf(PRISTR ": the copy killed a call, or was not attached\n", STRARG(p->name));
		exit(1);
	}
	for (size_t i = 0; i < b->n; i++) {
		struct verdict want = policy_eval(p, &b->calls[i], NULL);
		struct reading r = b->readings[i];
		t->calls++;
		if (r.kind != READ_ERRNO || r.value != code_of(rets, n, verdict_to_ret(want)))
			tell(t, p, &b->calls[i], r, want);
	}
}

static void check_policy(struct loaded *l, const struct policy *p, size_t n, struct batch *b,
			 struct totals *t)
{
	struct cbpf_options opt = { .family = "x86_64" };
	struct cbpf prog;
	struct sampler s;

	if (cbpf_generate(l->arena, p, &opt, &prog, l->diags)) {
		print_diags(l);
		exit(2);
	}
	t->policies++;
	sampler_init(&s, l->arena, p, t->policies);
	fill(b, &s, n, t);
	check_copy(l->arena, p, &prog, b, t);
	fill(b, &s, n, t);
	check_plain(p, &prog, b, t);
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };
	struct batch *b = batch_new();
	size_t n = argc > 2 ? strtoul(argv[1], NULL, 10) : 0;

	if (n == 0 || argc < 3)
		return 2;
#ifndef __x86_64__
	return 77;
#endif
	n = n / (size_t)(argc - 2) / 2 + 1;
	for (int i = 2; i < argc; i++) {
		struct loaded l = load_policies(argv[i]);
		vec_each(&l.policies->list, p)
			check_policy(&l, *p, n < 4096 ? n : 4096, b, &t);
		arena_free(l.arena);
	}
	printf("%zu policies, %zu calls (%zu i386, %zu x32, %zu of number -1): %zu deaths, %zu "
	       "traps, "
	       "%zu errnos, %zu let pass; %zu differences\n",
	       t.policies, t.calls, t.i386, t.x32, t.skips, t.deaths, t.traps, t.errnos, t.passed,
	       t.differences);
	return t.differences != 0;
}
