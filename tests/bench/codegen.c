/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codegen FILE [TRACE [ours]]: one policy (x86_64, no capabilities, kernel 6.18) compiled by us and by
 * libseccomp, linear and as a tree, in one run. A tab-separated line each: generator,
 * instructions, average and most executed over known calls with zero arguments, average on the
 * trace, the same two averages over calls that the kernel's cache does not answer, milliseconds to generate, and with the proof (libseccomp has none), microseconds to attach (median of 15).
 * libseccomp is given the same decisions as disjoint masked comparisons (what JSON can say; fewer
 * rules with ranges would make its filters shorter); its program is run on
 * the same calls, and differing verdicts are counted in the last column.
 */
#include <errno.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/prove.h"
#include "compiler/decision/decision.h"
#include "tests/bench/policy.h"

static double now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* ---- libseccomp ---- */

struct filling {
	scmp_filter_ctx ctx;
	struct verdict dflt;
	uint32_t nr;
	int err;
};

static bool add_cube(void *context, const struct dd_cube *c)
{
	struct filling *f = context;
	struct scmp_arg_cmp args[6];
	unsigned n = 0;

	if (verdict_eq(c->verdict, f->dflt))
		return true;
	for (unsigned i = 0; i < 6; i++)
		if (c->mask[i])
			args[n++] = (struct scmp_arg_cmp){ i, SCMP_CMP_MASKED_EQ, c->mask[i],
							   c->value[i] };
	int err = seccomp_rule_add_array(f->ctx, verdict_to_ret(c->verdict), (int)f->nr, n, args);
	if (err && !f->err)
		f->err = err;
	return true;
}

static void add_rules(struct filling *f, const struct policy *p, const struct decision *d)
{
	vec_each(&d->ranges[ARCH_X86_64], r)
		for (f->nr = r->first; f->nr <= r->last && f->nr < 1024; f->nr++)
			if (policy_knows(p, ARCH_X86_64, f->nr))
				dd_cubes(d->dd, r->node, add_cube, f);
}

static bool build_theirs(struct loaded *l, const struct policy *p, const struct decision *d,
			 uint32_t optimize, struct cbpf *out)
{
	struct filling f = { .dflt = p->unknown[ARCH_X86_64] };
	int fd = memfd_create("bpf", 0);

	f.ctx = seccomp_init(verdict_to_ret(p->unknown[ARCH_X86_64]));
	if (!f.ctx || fd < 0)
		exit(3);
	seccomp_attr_set(f.ctx, SCMP_FLTATR_CTL_OPTIMIZE, optimize);
	seccomp_attr_set(f.ctx, SCMP_FLTATR_ACT_BADARCH, verdict_to_ret(p->foreign));
	add_rules(&f, p, d);
	bool fine = !f.err && !seccomp_export_bpf(f.ctx, fd);
	off_t size = lseek(fd, 0, SEEK_END);
	out->n = (size_t)size / sizeof(*out->insns);
	out->insns = ARENA_ARRAY(l->arena, struct sock_filter, out->n + 1);
	fine = fine && pread(fd, out->insns, (size_t)size, 0) == size &&
	       !cbpf_check(out->insns, out->n, NULL);
	close(fd);
	seccomp_release(f.ctx);
	return fine;
}

/* ---- figures ---- */

static int compare_double(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return a < b ? -1 : a > b;
}

static double attach_time(const struct cbpf *prog)
{
	double *t = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct sock_fprog f = { .len = (unsigned short)prog->n, .filter = prog->insns };

	for (int i = 0; i < 15; i++) {
		pid_t pid = fork();
		if (pid == 0) {
			prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
			double from = now_us();
			long err = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f);
			t[i] = err ? -1 : now_us() - from;
			__builtin_trap(); /* the filter may not let us exit */
		}
		waitpid(pid, NULL, 0);
	}
	qsort(t, 15, sizeof(*t), compare_double);
	double median = t[7];
	munmap(t, 4096);
	return median;
}

struct mean {
	double calls, steps, traced, traced_steps;
};

static void add_call(struct mean *m, unsigned steps, uint64_t traced)
{
	m->calls++;
	m->steps += steps;
	m->traced += (double)traced;
	m->traced_steps += (double)traced * steps;
}

static double ratio(double x, double of)
{
	return of > 0 ? x / of : 0;
}

static void tell(const char *name, const struct policy *p, const struct cbpf *prog,
		 const uint64_t *trace, double generate, double ms)
{
	struct mean all = { 0 }, uncached = { 0 };
	unsigned most = 0, differ = 0;

	for (uint32_t nr = 0; nr < 1024; nr++) {
		struct call c = { .audit_arch = arch_info(ARCH_X86_64)->audit, .nr = nr };
		unsigned steps;
		uint32_t ret = cbpf_run(prog, &c, &steps);
		differ += ret != verdict_to_ret(policy_eval(p, &c, NULL));
		if (!policy_knows(p, ARCH_X86_64, nr))
			continue;
		most = steps > most ? steps : most;
		add_call(&all, steps, trace ? trace[nr] : 0);
		if (!cbpf_const_allow(prog, c.audit_arch, nr))
			add_call(&uncached, steps, trace ? trace[nr] : 0);
	}
	printf("%s\t%zu\t%.2f\t%u\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t%u\n", name, prog->n,
	       ratio(all.steps, all.calls), most, ratio(all.traced_steps, all.traced),
	       ratio(uncached.steps, uncached.calls), ratio(uncached.traced_steps, uncached.traced),
	       generate, ms, attach_time(prog), differ);
}

/* Medians: *generate of the code alone, returned with the proof that every compile makes. */
static double build_ours(struct loaded *l, const struct policy *p, const struct cbpf_weights *w,
			 struct cbpf *prog, double *generate)
{
	struct cbpf_options opt = { .family = "x86_64", .weights = w };
	double alone[7], ms[7];

	for (size_t i = 0; i < ARRAY_SIZE(ms); i++) {
		struct arena *work =
			arena_new(NULL); /* a compile begins without memory of others */
		struct cbpf_stack stack; /* what compile makes: several where one is too long */
		struct cbpf_proof proof;
		double from = now_us();
		bool failed = cbpf_generate_stack(work, p, &opt, &stack, l->diags);
		alone[i] = (now_us() - from) / 1e3;
		failed =
			failed || cbpf_prove(work, p, stack.v, stack.n, "x86_64", &proof, l->diags);
		ms[i] = (now_us() - from) / 1e3;
		/* Independent of the proof; it takes one program. */
		if (failed || (stack.n == 1 && cbpf_verify(p, stack.v, "x86_64", NULL, NULL))) {
			print_diags(l);
			exit(1);
		}
		*prog = stack.v[0];
		prog->insns = arena_dup(l->arena, prog->insns, prog->n * sizeof(*prog->insns));
		arena_free(work);
	}
	qsort(alone, ARRAY_SIZE(alone), sizeof(*alone), compare_double);
	qsort(ms, ARRAY_SIZE(ms), sizeof(*ms), compare_double);
	*generate = alone[ARRAY_SIZE(alone) / 2];
	return ms[ARRAY_SIZE(ms) / 2];
}

/* In a child with ten seconds: some rule sets take libseccomp minutes. */
static void compare_theirs(struct loaded *l, const struct policy *p, const struct decision *d,
			   const char *name, uint32_t optimize, const uint64_t *trace)
{
	struct cbpf prog;
	int status;

	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		alarm(10);
		double from = now_us();
		if (!build_theirs(l, p, d, optimize, &prog))
			_exit(1);
		double ms = (now_us() - from) / 1e3;
		alarm(0);
		tell(name, p, &prog, trace, ms, ms);
		fflush(stdout);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		printf("%s\t-\t-\t-\t-\t-\t-\t-\t-\t-\t-\n", name);
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "libseccomp linear", "libseccomp tree" };
	struct cbpf prog;

	if (argc < 2)
		return 2;
	struct loaded l = load_bench(argv[1], KERNEL_VERSION_OF(6, 18));
	const struct policy *p = l.policies->list.v[0];
	uint64_t *trace = argc > 2 && *argv[2] ? load_trace(argv[2]) : NULL;
	struct cbpf_weights w = { ARCH_X86_64, trace, 1024 };

	double generate, ms = build_ours(&l, p, NULL, &prog, &generate);
	tell("pale (proved)", p, &prog, trace, generate, ms);
	if (trace) {
		ms = build_ours(&l, p, &w, &prog, &generate);
		tell("pale --weights", p, &prog, trace, generate, ms);
	}
	struct decision *d = decision_build(l.arena, p, l.diags);
	for (uint32_t i = 0; d && argc < 4 && i < 2; i++)
		compare_theirs(&l, p, d, names[i], i + 1, trace);
	free(trace);
	arena_free(l.arena);
	return 0;
}
