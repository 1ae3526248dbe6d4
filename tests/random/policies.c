/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policies [-n COUNT] [-s SEED] [-i INDEX] [-p PLANT]: COUNT random policies. For each machine
 * family of each: the generated program is one that the kernel attaches, and lifted back it is the
 * same diagram as the policy's decision: equal for every call, not for samples. That the decision
 * itself is right is shown at points, against policy_eval(), which shares no code with it, and
 * cbpf_run(): on every path of the diagrams (some hundreds of a policy), at the policy's own
 * constants, on both sides of every boundary between numbers.
 * A policy with `when` is taken a second time, in all environments at once: fixed to the first
 * reading's environment its diagram is that reading's, and at points in other environments it
 * answers what policy_eval_in() does.
 * -i: that one policy alone, printed. -p: with the generator's planted bug of that number (in a
 * build that has them). Prints what it saw; 0 when nothing differs.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "compiler/cbpf/lift.h"
#include "compiler/decision/dd.h"
#include "grammar/parse.h"
#include "tests/random/errors.h"
#include "tests/random/generate.h"
#include "tests/random/which.h"

enum {
	LIFT_BUDGET = 1 << 22,
	PATHS_ALL = 60,    /* a diagram with at most so many is walked whole */
	PATHS_SOME = 24,   /* of a larger one */
	LEAVES_MAX = 24,   /* diagrams looked at, of one architecture */
	NUMBERS_MAX = 60,  /* boundaries between numbers */
	CORNERS = 24,      /* calls made of the rules' constants, for one number */
	CORNERS_WHEN = 12, /* in other environments, for a number with `when` */
	PROGRESS = 25000,  /* policies between two lines about it */
	VALUES_MAX = 48,
};

struct totals {
	uint64_t policies, programs, insns, rules, refused, large, undecided, points, big;
	uint64_t different, unattached, wrong;
	uint64_t allowed, uncached; /* numbers always allowed; that the kernel cannot keep so */
	uint64_t conditional, environments; /* policies with `when`; points in their environments */
	uint64_t listed[ARCH_NR];           /* policies that list it */
	uint64_t kinds[VERDICT_NR];         /* of the points */
	uint64_t ids[DIAG_NR];
	uint64_t slowest; /* index of the policy that took longest */
	double longest;   /* seconds */
	unsigned plant;
};

struct subject { /* one program of one policy */
	const struct policy *p;
	const char *family;
	struct cbpf prog;
	struct dd *dd;
	dd_node root;
	struct gen random;
	struct totals *t;
	uint64_t index;
};

static void tell_call(const struct subject *s, const struct call *c)
{
	printf("policy %" PRIu64 ", %s: arch %#x nr %u args", s->index, s->family, c->audit_arch,
	       c->nr);
	for (unsigned i = 0; i < 6; i++)
		printf(" %#" PRIx64, c->args[i]);
}

/* ---- points ---- */

static bool in_family(const struct subject *s, uint32_t audit)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (s->p->arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == audit)
			return !strcmp(arch_family((enum arch)a, s->p->arches), s->family);
	return true; /* foreign to the whole policy */
}

static void check_point(struct subject *s, const struct call *c)
{
	uint32_t want, decided, ran;

	if (!in_family(s, c->audit_arch))
		return;
	want = verdict_to_ret(policy_eval(s->p, c, NULL));
	decided = ran = cbpf_run(&s->prog, c, NULL);
	/* The program was proved to be the decision: every fourth point looks at both. */
	if (s->t->points++ % 4 == 0) {
		struct dd_point p = { .at = { [DD_CALL] = DD_CALL_OF(c->audit_arch, c->nr) } };
		memcpy(p.at, c->args, sizeof(c->args));
		p.at[DD_IP] = gen_next(&s->random);
		decided = verdict_to_ret(dd_eval_at(s->dd, s->root, &p));
	}
	s->t->kinds[verdict_from_ret(want).kind]++;
	if (ran == want && decided == want)
		return;
	if (s->t->wrong++ < 10) {
		tell_call(s, c);
		printf(": policy %#x, decision %#x, program %#x\n", want, decided, ran);
	}
}

/* ---- on the paths of a diagram ---- */

struct on_path {
	struct subject *s;
	struct call call;
	size_t left;
};

/* What the path leaves open: chance; then each argument all zeros or all ones. */
static bool check_path(void *ctx, const struct dd_path *path)
{
	struct on_path *k = ctx;

	for (unsigned fill = 0; fill < 2; fill++) {
		for (unsigned i = 0; i < 6; i++) {
			uint64_t rest = gen_next(&k->s->random);
			if (fill) /* all zeros or all ones */
				rest = -(rest & 1);
			k->call.args[i] = path->value[i] | (rest & ~path->mask[i]);
		}
		check_point(k->s, &k->call);
	}
	return k->left-- > 1;
}

static bool count_path(void *ctx, const struct dd_path *path)
{
	(void)path;
	return --*(size_t *)ctx > 0;
}

/* One way down by chance. Where one side ends at once the other is mostly taken: a comparison
 * with a constant is a chain of such nodes, and its end is what matters. */
static void walk_path(struct subject *s, dd_node n, struct dd_path *path)
{
	memset(path, 0, sizeof(*path));
	while (!dd_is_terminal(s->dd, n, NULL)) {
		const struct node *k = &s->dd->nodes.v[n];
		bool low_ends = dd_is_terminal(s->dd, k->low, NULL);
		bool high_ends = dd_is_terminal(s->dd, k->high, NULL);
		unsigned percent = low_ends == high_ends ? 50 : low_ends ? 97 : 3;
		bool high = gen_chance(&s->random, percent);
		uint64_t bit = UINT64_C(1) << (63 - k->bit % 64);
		enum dd_field f = rank_field(k->bit / 64);
		path->mask[f] |= bit;
		path->value[f] |= high ? bit : 0;
		n = high ? k->high : k->low;
	}
	path->node = n;
}

static void check_paths(struct subject *s, uint32_t audit, uint32_t nr, dd_node n)
{
	struct on_path k = { s, { audit, nr, { 0 } }, PATHS_ALL };
	size_t left = PATHS_ALL;

	if (dd_paths(s->dd, n, UINT32_MAX, count_path, &left)) {
		dd_paths(s->dd, n, UINT32_MAX, check_path, &k);
		return;
	}
	for (unsigned i = 0; i < PATHS_SOME; i++) {
		struct dd_path path;
		walk_path(s, n, &path);
		check_path(&k, &path);
	}
}

/* ---- at the policy's constants ---- */

struct corners {
	uint64_t v[6][VALUES_MAX];
	unsigned n[6];
};

static void add_corner(struct gen *g, struct corners *k, unsigned arg, uint64_t v)
{
	unsigned at = k->n[arg]++;

	k->v[arg][at < VALUES_MAX ? at : gen_below(g, VALUES_MAX)] = v;
}

static void add_corners(struct gen *g, struct corners *k, const struct cond *c)
{
	if (!c)
		return;
	if (c->kind != COND_CMP) {
		add_corners(g, k, c->left);
		add_corners(g, k, c->right);
		return;
	}
	uint64_t v = c->cmp.value, m = c->cmp.mask, above = c->cmp.width == 64 ? 0 : gen_next(g);
	const uint64_t all[] = { v,
				 v - 1,
				 v + 1,
				 v | (~m & gen_next(g)),
				 v ^ (m & -m),
				 v ^ UINT64_C(1) << gen_below(g, 64),
				 (v & gen_ones(c->cmp.width)) | above << (c->cmp.width & 63),
				 v ^ UINT64_C(1) << 32,
				 v ^ UINT64_C(1) << (c->cmp.width - 1),
				 m & gen_next(g) };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		add_corner(g, k, c->cmp.arg, all[i]);
}

static void corners_of(struct gen *g, struct corners *k, const struct policy *p, enum arch a,
		       uint32_t nr)
{
	size_t first, end;

	memset(k->n, 0, sizeof(k->n));
	policy_calls_of(p, a, nr, &first, &end);
	for (size_t i = first; i < end; i++)
		add_corners(g, k, p->calls.v[i].cond);
}

static void take_corner(struct gen *g, const struct corners *k, struct call *c)
{
	for (unsigned i = 0; i < 6; i++) {
		unsigned have = k->n[i] < VALUES_MAX ? k->n[i] : VALUES_MAX;
		bool ours = have && !gen_chance(g, 5);
		c->args[i] = ours ? k->v[i][gen_below(g, have)] : gen_next(g);
	}
}

static void check_corners(struct subject *s, enum arch a, uint32_t nr)
{
	struct corners k;
	struct call c = { .audit_arch = arch_info(a)->audit, .nr = nr };

	corners_of(&s->random, &k, s->p, a, nr);
	for (unsigned n = 0; n < CORNERS; n++) {
		take_corner(&s->random, &k, &c);
		check_point(s, &c);
	}
}

/* ---- between numbers ---- */

struct numbers {
	struct subject *s;
	uint32_t audit;
	VEC(struct decision_range) list;
	struct arena *arena;
};

static bool take_numbers(void *ctx, uint32_t first, uint32_t last, dd_node n)
{
	struct numbers *k = ctx;

	vec_push(k->arena, &k->list, ((struct decision_range){ first, last, n }));
	return true;
}

static void check_number(struct subject *s, uint32_t audit, uint32_t nr)
{
	struct call c = { .audit_arch = audit, .nr = nr };

	for (unsigned i = 0; i < 6; i++)
		c.args[i] = gen_chance(&s->random, 50) ? gen_edge(&s->random, 64) :
							 gen_next(&s->random);
	check_point(s, &c);
}

static void check_edges(struct subject *s, uint32_t audit)
{
	static const uint32_t edges[] = { 0,          0x3fffffff, 0x40000000, 0x40000001,
					  0x400001ff, 0x40000200, 0x7fffffff, 0x80000000,
					  0xbfffffff, 0xc0000000, 0xfffffffe, 0xffffffff };

	for (size_t i = 0; i < ARRAY_SIZE(edges); i++)
		check_number(s, audit, edges[i]);
	for (unsigned i = 0; i < 8; i++)
		check_number(s, audit, (uint32_t)gen_next(&s->random) >> gen_below(&s->random, 32));
}

/* What is always allowed, the kernel must see to be so without arguments (SECCOMP_CACHE). */
static void check_cache(struct subject *s, uint32_t audit, uint32_t nr, dd_node n)
{
	struct verdict v;

	if (!dd_is_terminal(s->dd, n, &v) || v.kind != VERDICT_ALLOW)
		return;
	s->t->allowed++;
	if (cbpf_const_allow(&s->prog, audit, nr))
		return;
	s->t->uncached++;
}

static void check_token(struct subject *s, struct arena *a, uint32_t audit)
{
	struct numbers k = { .s = s, .audit = audit, .arena = a };
	unsigned leaves = 0;

	dd_numbers(s->dd, s->root, audit, 0, take_numbers, &k);
	size_t skip = k.list.n > NUMBERS_MAX ? k.list.n / NUMBERS_MAX : 1;
	for (size_t i = gen_below(&s->random, (unsigned)skip); i < k.list.n; i += skip) {
		check_number(s, audit, k.list.v[i].first);
		check_number(s, audit, k.list.v[i].last);
	}
	vec_each(&k.list, r) {
		check_cache(s, audit, r->first, r->node);
		check_cache(s, audit, r->last, r->node);
		if (dd_is_terminal(s->dd, r->node, NULL) || leaves >= LEAVES_MAX)
			continue;
		leaves++;
		check_paths(s, audit, r->first, r->node);
	}
	check_edges(s, audit);
}

static void check_points(struct subject *s, struct arena *a)
{
	const struct policy *p = s->p;
	unsigned done = 0;
	size_t end;

	for (int n = 0; n < ARCH_NR; n++) {
		const struct arch_info *info = arch_info((enum arch)n);
		bool told = false;
		if (!(p->arches & ARCH_BIT(n)) ||
		    strcmp(arch_family((enum arch)n, p->arches), s->family))
			continue;
		for (int o = 0; o < n; o++)
			told |= done & ARCH_BIT(o) && arch_info((enum arch)o)->audit == info->audit;
		done |= ARCH_BIT(n);
		if (!told)
			check_token(s, a, info->audit);
		check_edges(s, info->audit ^ UINT32_C(1) << gen_below(&s->random, 32));
	}
	check_edges(s, 0);
	check_edges(s, (uint32_t)gen_next(&s->random));
	for (size_t i = 0, looked = 0; i < p->calls.n && looked < 40; i = end) {
		const struct call_rule *r = &p->calls.v[i];
		bool conditional = false;
		for (end = i; end < p->calls.n && p->calls.v[end].arch == r->arch &&
			      p->calls.v[end].nr == r->nr;
		     end++)
			conditional |= p->calls.v[end].cond != NULL;
		if (!conditional || strcmp(arch_family(r->arch, p->arches), s->family))
			continue;
		check_corners(s, r->arch, r->nr);
		looked++;
	}
}

/* ---- one policy ---- */

static void tell_difference(struct subject *s, dd_node lifted)
{
	struct dd_point p;
	struct call c = { 0 };

	if (s->t->different++ >= 10)
		return;
	dd_differ_at(s->dd, s->root, lifted, &p);
	c.audit_arch = (uint32_t)(p.at[DD_CALL] >> 32);
	c.nr = (uint32_t)p.at[DD_CALL];
	memcpy(c.args, p.at, sizeof(c.args));
	tell_call(s, &c);
	printf(": decision %#x, lifted %#x, program %#x\n",
	       verdict_to_ret(dd_eval_at(s->dd, s->root, &p)),
	       verdict_to_ret(dd_eval_at(s->dd, lifted, &p)), cbpf_run(&s->prog, &c, NULL));
}

static unsigned family_arches(const struct policy *p, const char *family)
{
	unsigned arches = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) &&
		    !strcmp(arch_family((enum arch)a, p->arches), family))
			arches |= ARCH_BIT(a);
	return arches;
}

static void check_family(struct arena *a, struct subject *s, const struct decision *d,
			 struct diags *ds)
{
	struct cbpf_options opt = { .family = s->family, .plant = s->t->plant };
	size_t at;

	if (cbpf_generate(a, s->p, &opt, &s->prog, ds)) {
		s->t->large++;
		return;
	}
	s->t->programs++;
	s->t->insns += s->prog.n;
	s->t->big += s->prog.big_endian;
	const char *why = cbpf_check(s->prog.insns, s->prog.n, &at);
	if (why) {
		printf("policy %" PRIu64 ", %s: instruction %zu: %s\n", s->index, s->family, at,
		       why);
		s->t->unattached++;
		return;
	}
	s->root = decision_root(d, family_arches(s->p, s->family));
	dd_node lifted = cbpf_lift(s->dd, a, &s->prog);
	if (s->root == DD_NONE || lifted == DD_NONE) {
		printf("policy %" PRIu64 ", %s: not decided\n", s->index, s->family);
		s->t->undecided++;
		return;
	}
	if (lifted != s->root)
		tell_difference(s, lifted);
	check_points(s, a);
}

/* ---- in all environments ---- */

static unsigned run_there(enum arch host, unsigned arches)
{
	unsigned some = 0;

	for (int a = 0; a < ARCH_NR; a++)
		if (arches & ARCH_BIT(a) && env_runs(host, (enum arch)a))
			some |= ARCH_BIT(a);
	return some;
}

/* On a machine that makes calls of one of these architectures, at least. */
static struct environment random_environment(struct gen *g, unsigned arches)
{
	static const uint16_t kernels[] = { 0x300, 0x408, 0x509, 0x50a, 0x612, 0xffff };
	struct environment env = {
		.caps_known = true,
		.caps = gen_next(g) & gen_ones(CAPABILITY_NR),
		.kernel_known = true,
		.kernel = kernels[gen_below(g, ARRAY_SIZE(kernels))],
		.host_known = true,
	};

	if (gen_chance(g, 50))
		env.caps &= gen_next(g);
	if (gen_chance(g, 50))
		env.kernel = (uint16_t)(env.kernel + gen_below(g, 3) - 1);
	do
		env.host = (enum arch)gen_below(g, ARCH_NR);
	while (!run_there(env.host, arches));
	return env;
}

static struct dd_point point_in(const struct environment *env, const struct call *c)
{
	struct dd_point p = { .at = { [DD_CALL] = DD_CALL_OF(c->audit_arch, c->nr),
				      [DD_CAPS] = env->caps,
				      [DD_SYSTEM] = DD_SYSTEM_OF(env->kernel, env->host) } };

	memcpy(p.at, c->args, sizeof(c->args));
	return p;
}

static void check_there(struct subject *s, const struct policy *kept, dd_node root,
			const struct environment *env, const struct call *c)
{
	struct dd_point p = point_in(env, c);
	uint32_t want = verdict_to_ret(policy_eval_in(kept, env, c, NULL));
	uint32_t decided = verdict_to_ret(dd_eval_at(s->dd, root, &p));

	s->t->environments++;
	if (want == decided || s->t->wrong++ >= 10)
		return;
	s->family = "all environments";
	tell_call(s, c);
	printf(", caps %#" PRIx64 " kernel %#x host %s: policy %#x, decision %#x\n", env->caps,
	       env->kernel, arch_info(env->host)->name, want, decided);
}

/* A way down by chance, environment included; what it leaves open as `env` has it. */
static void check_way(struct subject *s, const struct policy *kept, dd_node root,
		      struct environment env, enum arch a, uint32_t nr)
{
	struct call c = { arch_info(a)->audit, nr, { 0 } };
	struct dd_point p = point_in(&env, &c);
	struct dd_path path;

	walk_path(s, dd_call(s->dd, root, c.audit_arch, nr), &path);
	for (unsigned f = 0; f < DD_FIELDS; f++) {
		uint64_t rest = f < 6 ? gen_next(&s->random) : p.at[f];
		p.at[f] = path.value[f] | (rest & ~path.mask[f]);
	}
	memcpy(c.args, p.at, sizeof(c.args));
	env.caps = p.at[DD_CAPS];
	env.kernel = (uint16_t)(p.at[DD_SYSTEM] >> 8);
	env.host = (enum arch)(p.at[DD_SYSTEM] & 0xff);
	if (env.host < ARCH_NR && env_runs(env.host, a)) /* no such machine: no answer */
		check_there(s, kept, root, &env, &c);
}

static void check_environments(struct subject *s, const struct policy *kept, dd_node root)
{
	struct corners k;
	size_t end;

	for (size_t i = 0; i < kept->calls.n; i = end) {
		enum arch a = kept->calls.v[i].arch;
		struct call c = { arch_info(a)->audit, kept->calls.v[i].nr, { 0 } };
		bool depends = false;
		for (end = i; end < kept->calls.n && kept->calls.v[end].arch == a &&
			      kept->calls.v[end].nr == c.nr;
		     end++)
			depends |= kept->calls.v[end].env != NULL;
		if (!depends)
			continue;
		corners_of(&s->random, &k, kept, a, c.nr);
		for (unsigned n = 0; n < CORNERS_WHEN; n++) {
			struct environment env = random_environment(&s->random, ARCH_BIT(a));
			take_corner(&s->random, &k, &c);
			check_there(s, kept, root, &env, &c);
			check_way(s, kept, root, env, a, c.nr);
		}
	}
}

/* d: the decision in this environment. */
static void check_kept(struct arena *a, struct subject *s, const struct policy *kept,
		       const struct decision *d, const struct environment *env, struct diags *ds)
{
	unsigned arches = run_there(env->host, kept->arches);
	struct decision *all = decision_build_in(a, s->dd, kept, ds);
	dd_node root = all ? decision_root(all, kept->arches) : DD_NONE;
	struct dd_point p;

	s->t->conditional++;
	s->t->undecided += root == DD_NONE;
	if (root == DD_NONE)
		return;
	dd_node here = dd_fix(s->dd, decision_root(all, arches), DD_CAPS, UINT64_MAX, env->caps);
	here = dd_fix(s->dd, here, DD_SYSTEM, UINT64_MAX, DD_SYSTEM_OF(env->kernel, env->host));
	if (here == DD_NONE) {
		s->t->undecided++;
		return;
	}
	if (dd_differ_at(s->dd, here, decision_root(d, arches), &p) && s->t->different++ < 10)
		printf("policy %" PRIu64 ": in its environment another decision, at call %#" PRIx64
		       "\n",
		       s->index, p.at[DD_CALL]);
	check_environments(s, kept, root);
}

/* ---- all of it ---- */

static const struct policy *resolve(struct arena *a, struct source *src,
				    const struct resolve_options *opt, struct diags *ds)
{
	return policy_resolve(a, pale_parse_source(a, src, ds), opt, ds)->list.v[0];
}

static void check_decided(struct arena *a, struct subject *s, const struct policy *kept,
			  const struct environment *env, struct diags *ds)
{
	const char *families[ARCH_NR];
	struct decision *d;
	unsigned n;

	s->dd = dd_new(a, LIFT_BUDGET);
	s->t->rules += s->p->calls.n;
	d = decision_build_in(a, s->dd, s->p, ds);
	s->t->undecided += !d;
	if (!d)
		return;
	n = cbpf_families(s->p, families);
	for (unsigned i = 0; i < n; i++) {
		s->family = families[i];
		check_family(a, s, d, ds);
	}
	for (int i = 0; i < ARCH_NR; i++)
		s->t->listed[i] += s->p->arches >> i & 1;
	if (kept)
		check_kept(a, s, kept, d, env, ds);
}

static void check_policy(uint64_t seed, uint64_t index, struct buf *text, bool print,
			 struct totals *t)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources), *open = diags_new(a, sources);
	struct subject s = { .t = t, .index = index, .random = { .random = seed ^ index } };
	struct resolve_options all = { .keep_when = true }, one = { .keep_when = false };

	gen_policy((seed << 40) + index, GEN_ALL, text);
	if (print)
		fputs(text->p, stdout);
	struct source *src = source_add(sources, "random", (struct str){ text->p, text->n });
	const struct policy *kept = resolve(a, src, &all, open);
	one.env = random_environment(&s.random, kept->arches);
	s.p = resolve(a, src, &one, ds);
	t->policies++;
	if (ds->errors) {
		if (print)
			print_errors(ds);
		t->refused++;
		t->ids[first_error(ds)]++;
		/* What is contradictory here is so in all environments together. */
		if (!open->errors && run_there(one.env.host, kept->arches) == kept->arches) {
			printf("policy %" PRIu64 ": refused only where it is\n", index);
			t->different++;
		}
	} else {
		check_decided(a, &s, kept->conditional && !open->errors ? kept : NULL, &one.env,
			      ds);
	}
	arena_free(a);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check_policies(uint64_t seed, uint64_t n, struct totals *t)
{
	BUF_AUTO text = { 0 };
	double begin = now();

	for (uint64_t i = 0; i < n; i++) {
		double start = now();
		check_policy(seed, i, &text, false, t);
		double took = now() - start;
		if ((i + 1) % PROGRESS == 0 && i + 1 < n) {
			printf("%" PRIu64 " policies, %.0f s: %" PRIu64 " differences\n", i + 1,
			       now() - begin,
			       t->different + t->wrong + t->unattached + t->undecided);
			fflush(stdout);
		}
		if (took > t->longest) {
			t->longest = took;
			t->slowest = i;
		}
	}
}

/* The last line is the figure. */
static void print_totals(const struct totals *t, double seconds)
{
	printf("slowest: policy %" PRIu64 ", %.0f ms; refused:", t->slowest, t->longest * 1e3);
	for (int i = 0; i < DIAG_NR; i++)
		if (t->ids[i])
			printf(" %s %" PRIu64, diag_info((enum diag_id)i)->id, t->ids[i]);
	printf("\npoints by verdict:");
	for (int i = 0; i < VERDICT_NR; i++)
		printf(" %" PRIu64, t->kinds[i]);
	printf("\npolicies by architecture:");
	for (int i = 0; i < ARCH_NR; i++)
		printf(" %s %" PRIu64, arch_info((enum arch)i)->name, t->listed[i]);
	printf("\n%" PRIu64 " policies of %" PRIu64 " rules, %" PRIu64 " programs of %" PRIu64
	       " instructions (%" PRIu64 " big-endian), %.0f policies/s; %" PRIu64
	       " refused by the language, %" PRIu64 " too large, %" PRIu64 " not decided; %" PRIu64
	       " with when, in %" PRIu64 " environments; %" PRIu64 " points, %" PRIu64
	       " wrong, %" PRIu64 " not attached, %" PRIu64 " differences; %" PRIu64
	       " always allowed, %" PRIu64 " not cacheable\n",
	       t->policies, t->rules, t->programs, t->insns, t->big, (double)t->policies / seconds,
	       t->refused, t->large, t->undecided, t->conditional, t->environments, t->points,
	       t->wrong, t->unattached, t->different, t->allowed, t->uncached);
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };
	struct which w = { .n = 1000, .seed = 1, .only = UINT64_MAX };

	if (!which_read(argc, argv, "n:s:i:p:", &w))
		return 2;
	t.plant = w.plant;
	/* Memory stays: otherwise each policy's pages come anew, and are cleared. */
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	mallopt(M_MMAP_THRESHOLD, 1 << 29);
	double start = now();
	if (w.only != UINT64_MAX) {
		BUF_AUTO text = { 0 };
		check_policy(w.seed, w.only, &text, true, &t);
	} else {
		check_policies(w.seed, w.n, &t);
	}
	print_totals(&t, now() - start);
	return t.different || t.wrong || t.unattached || t.undecided;
}
