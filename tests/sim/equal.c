/* SPDX-License-Identifier: Apache-2.0 */
/*
 * equal [-n CALLS] FILE...: every policy of every file, every machine family: the generated
 * program against policy_eval() on CALLS random and boundary calls in all, and its own
 * verification. Prints one line; 0 when nothing differs.
 * -p: one planted bug after the other (PALE_PLANT builds); 0 when cbpf_verify() catches each
 * in at least one of the policies.
 */
#include <inttypes.h>

#include "compiler/base/bug.h"
#include "tests/random/which.h"
#include "tests/sim/load.h"

struct totals {
	size_t policies, programs, insns, differences, unverified;
	uint64_t calls, steps, points;
};

static bool in_family(const struct policy *p, uint32_t audit, const char *family)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (arch_info((enum arch)a)->audit == audit)
			return !strcmp(arch_family((enum arch)a, p->arches), family);
	return true; /* foreign to all */
}

static void tell(const struct policy *p, const struct call *c, uint32_t got, uint32_t want)
{
	printf(PRISTR ": arch %#x nr %u args", STRARG(p->name), c->audit_arch, c->nr);
	for (unsigned i = 0; i < 6; i++)
		printf(" %#" PRIx64, c->args[i]);
	printf(": program %#x, policy %#x\n", got, want);
}

static void compare(const struct policy *p, const struct cbpf *prog, const char *family,
		    struct sampler *s, uint64_t n, struct totals *t)
{
	while (n--) {
		struct call c = sampler_next(s);
		unsigned steps;
		/* Another family's calls are foreign to this program, though not to the policy. */
		if (!in_family(p, c.audit_arch, family))
			c.audit_arch = 0x40000009;
		uint32_t got = cbpf_run(prog, &c, &steps);
		uint32_t want = verdict_to_ret(policy_eval(p, &c, NULL));
		t->calls++;
		t->steps += steps;
		if (got != want && t->differences++ < 10)
			tell(p, &c, got, want);
	}
}

static void check_family(struct loaded *l, const struct policy *p, const char *family, uint64_t n,
			 struct totals *t)
{
	struct cbpf_options opt = { .family = family };
	struct cbpf prog;
	struct sampler s;
	struct call witness;
	uint64_t points;
	size_t at;

	if (cbpf_generate(l->arena, p, &opt, &prog, l->diags)) {
		print_diags(l);
		exit(2);
	}
	const char *why = cbpf_check(prog.insns, prog.n, &at);
	if (why) {
		printf(PRISTR ": instruction %zu: %s\n", STRARG(p->name), at, why);
		exit(1);
	}
	if (cbpf_verify(p, &prog, family, &witness, &points)) {
		tell(p, &witness, cbpf_run(&prog, &witness, NULL), 0);
		t->unverified++;
	}
	t->points += points;
	t->programs++;
	t->insns += prog.n;
	sampler_init(&s, l->arena, p, t->programs);
	compare(p, &prog, family, &s, n, t);
}

static size_t count_programs(const char *path)
{
	struct loaded l = load_policies(path);
	const char *families[ARCH_NR];
	size_t n = 0;

	vec_each(&l.policies->list, p)
		n += cbpf_families(*p, families);
	arena_free(l.arena);
	return n;
}

static int check_all(char **files, uint64_t calls)
{
	struct totals t = { 0 };
	size_t programs = 0;

	for (char **f = files; *f; f++)
		programs += count_programs(*f);
	for (char **f = files; *f; f++) {
		struct loaded l = load_policies(*f);
		vec_each(&l.policies->list, p) {
			const char *families[ARCH_NR];
			unsigned n = cbpf_families(*p, families);
			t.policies++;
			for (unsigned i = 0; i < n; i++)
				check_family(&l, *p, families[i], calls / programs + 1, &t);
		}
		arena_free(l.arena);
	}
	printf("%zu policies, %zu programs of %zu instructions; %" PRIu64
	       " calls, %.2f executed each; "
	       "%zu differences, %zu not verified (%" PRIu64 " points)\n",
	       t.policies, t.programs, t.insns, t.calls, (double)t.steps / (double)t.calls,
	       t.differences, t.unverified, t.points);
	return t.differences || t.unverified;
}

/* Does verification catch this planted bug in this policy? */
static bool is_caught(struct loaded *l, const struct policy *p, unsigned plant)
{
	struct cbpf_options opt = { .family = "x86_64", .plant = plant };
	struct call witness;
	struct cbpf prog;

	if (cbpf_generate(l->arena, p, &opt, &prog, l->diags))
		return false;
	return cbpf_check(prog.insns, prog.n, NULL) ||
	       cbpf_verify(p, &prog, "x86_64", &witness, NULL);
}

static int check_plants(char **files, unsigned plants)
{
	unsigned caught_all = 0;

	for (unsigned plant = 0; plant <= plants; plant++) {
		size_t caught = 0, n = 0;
		for (char **f = files; *f; f++) {
			struct loaded l = load_policies(*f);
			vec_each(&l.policies->list, p) {
				caught += is_caught(&l, *p, plant);
				n++;
			}
			arena_free(l.arena);
		}
		printf("plant %u: caught in %zu of %zu\n", plant, caught, n);
		if (plant ? caught > 0 : caught == 0)
			caught_all++;
	}
	return caught_all == plants + 1 ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct which w = { .n = 10000000 };

	if (!which_read(argc, argv, "n:p:", &w))
		return 2;
	if (optind == argc)
		return 2;
	return w.plant ? check_plants(argv + optind, w.plant) : check_all(argv + optind, w.n);
}
