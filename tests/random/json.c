/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json [-b] [-n COUNT] [-s SEED] [-i INDEX] [-p PLANT]: COUNT random policies of the kind that JSON can say,
 * written as Docker or OCI JSON for runc or crun. What is written is read again, as a profile
 * that somebody else wrote, in two environments; it must be the policy there: equal decisions for
 * every number of every architecture that the machine runs, and equal answers of the two
 * evaluators at both sides' constants. -b: libseccomp builds the filters as well, which
 * oci_write() then lifts and proves equal.
 * -p: with that bug planted in the encoding (PALE_PLANT builds): the proof must refuse the JSON.
 * -i: that one alone, printed. Prints what was refused, and why; 0 when nothing differs.
 */
#include <inttypes.h>
#include <malloc.h>
#include <stdlib.h>
#include <time.h>

#include "compiler/decision/decision.h"
#include "compiler/oci/runtime/runtime.h"
#include "compiler/oci/write/write.h"
#include "grammar/parse.h"
#include "tests/random/errors.h"
#include "tests/random/generate.h"
#include "tests/random/which.h"

enum { NODES = 1 << 21, VALUES_MAX = 48, CORNERS = 12 };

struct totals {
	uint64_t policies, written, refused, budget, invalid, bytes, readings, points, wrong,
		different;
	unsigned plant;
	uint64_t ids[DIAG_NR], conditional, arches[ARCH_NR], runc;
};

struct subject {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
	struct gen random;
	uint64_t index;
	struct oci_write_options opt;
	bool print;
	struct totals *t;
};

/* ---- one environment ---- */

struct corners {
	uint64_t v[6][VALUES_MAX];
	unsigned n[6];
};

static void add_corners(struct gen *g, struct corners *k, const struct cond *c)
{
	if (!c)
		return;
	if (c->kind != COND_CMP) {
		add_corners(g, k, c->left);
		add_corners(g, k, c->right);
		return;
	}
	uint64_t v = c->cmp.value, m = c->cmp.mask;
	const uint64_t all[] = { v,
				 v - 1,
				 v + 1,
				 v | (~m & gen_next(g)),
				 v ^ (m & -m),
				 v ^ UINT64_C(1) << gen_below(g, 64),
				 v ^ UINT64_C(1) << 32 };
	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		unsigned at = k->n[c->cmp.arg]++;
		k->v[c->cmp.arg][at < VALUES_MAX ? at : gen_below(g, VALUES_MAX)] = all[i];
	}
}

static void tell(struct subject *s, const char *what, const struct call *c, uint32_t x, uint32_t y)
{
	if (s->t->wrong + s->t->different > 10)
		return;
	printf("policy %" PRIu64 ", %s: arch %#x nr %u args", s->index, what, c->audit_arch, c->nr);
	for (unsigned i = 0; i < 6; i++)
		printf(" %#" PRIx64, c->args[i]);
	printf(": policy %#x, JSON %#x\n", x, y);
}

static void check_corners(struct subject *s, const struct policy *p, const struct policy *q,
			  enum arch a, uint32_t nr)
{
	struct corners k = { .n = { 0 } };
	struct call c = { .audit_arch = arch_info(a)->audit, .nr = nr };
	size_t first, end;

	policy_calls_of(p, a, nr, &first, &end);
	for (size_t i = first; i < end; i++)
		add_corners(&s->random, &k, p->calls.v[i].cond);
	policy_calls_of(q, a, nr, &first, &end);
	for (size_t i = first; i < end; i++)
		add_corners(&s->random, &k, q->calls.v[i].cond);
	for (unsigned n = 0; n < CORNERS; n++) {
		for (unsigned i = 0; i < 6; i++) {
			unsigned have = k.n[i] < VALUES_MAX ? k.n[i] : VALUES_MAX;
			c.args[i] =
				have ? k.v[i][gen_below(&s->random, have)] : gen_next(&s->random);
			if (arch_info(a)->bits == 32) /* the kernel's registers end there */
				c.args[i] = (uint32_t)c.args[i];
		}
		uint32_t x = verdict_to_ret(policy_eval(p, &c, NULL));
		uint32_t y = verdict_to_ret(policy_eval(q, &c, NULL));
		s->t->points++;
		if (x == y)
			continue;
		s->t->wrong++;
		tell(s, "evaluated", &c, x, y);
	}
}

static dd_node claimed(struct dd *d, dd_node n, enum arch a)
{
	static const uint64_t high = UINT64_C(0xffffffff) << 32, zeros[6];
	const uint64_t mask[6] = { high, high, high, high, high, high };

	return arch_info(a)->bits == 32 ? dd_restrict(d, n, mask, zeros) : n;
}

/* All numbers: where a range of either begins. Both cover the architecture's numbers. */
static void compare_arch(struct subject *s, const struct policy *p, const struct policy *q,
			 const struct decision *x, const struct decision *y, enum arch a)
{
	struct dd *d = x->dd;
	size_t i = 0, k = 0;

	while (i < x->ranges[a].n && k < y->ranges[a].n) {
		const struct decision_range *r = &x->ranges[a].v[i], *o = &y->ranges[a].v[k];
		uint32_t nr = r->first > o->first ? r->first : o->first;
		dd_node want = claimed(d, r->node, a), got = claimed(d, o->node, a);
		struct dd_point at;
		if (want == DD_NONE || got == DD_NONE || dd_differ_at(d, want, got, &at)) {
			struct call c = { arch_info(a)->audit, nr, { 0 } };
			memcpy(c.args, at.at, sizeof(c.args));
			s->t->different++;
			tell(s, "decided", &c, verdict_to_ret(dd_eval_at(d, want, &at)),
			     verdict_to_ret(dd_eval_at(d, got, &at)));
		}
		if (!dd_is_terminal(d, r->node, NULL) || !dd_is_terminal(d, o->node, NULL) ||
		    gen_chance(&s->random, 5))
			check_corners(s, p, q, a, nr);
		uint32_t rl = r->last, ol = o->last;
		i += rl <= ol;
		k += ol <= rl;
	}
}

static struct policy *read_text(struct subject *s, struct str text, const struct environment *env)
{
	/* One that knows all words: runc 1.1 starts on no machine that lists RISCV64. */
	struct oci_runtime newest = { .kind = OCI_RUNC,
				      .version = OCI_VERSION(255, 0, 0),
				      .libseccomp = OCI_VERSION(255, 0, 0) };
	struct oci_read_options opt = {
		.host_known = true, .host = env->host, .runtime = &newest, .unasked = true
	};
	struct resolve_options resolve = { .env = *env, .foreign = true };
	struct diags *ds = diags_new(s->arena, s->sources);
	struct source *src = source_add(s->sources, "written", text);
	struct json *root = json_parse(s->arena, src, ds);
	struct ast_file *file =
		root && !ds->errors ? oci_read(s->arena, root, src, &opt, NULL, ds) : NULL;
	struct policies *all = file ? policy_resolve(s->arena, file, &resolve, ds) : NULL;

	if (!all || ds->errors || all->list.n != 1) {
		if (s->print)
			print_errors(ds);
		return NULL;
	}
	return all->list.v[0];
}

static void check_reading(struct subject *s, struct ast_file *file, struct str text, enum arch host)
{
	static const uint16_t kernels[] = { 0x300, 0x407, 0x408, 0x509, 0x50a, 0x612, 0xffff };
	struct environment env = { .caps_known = true,
				   .caps = gen_next(&s->random) & gen_next(&s->random),
				   .kernel_known = true,
				   .kernel = kernels[gen_below(&s->random, ARRAY_SIZE(kernels))],
				   .host_known = true,
				   .host = host };
	struct resolve_options opt = { .env = env };
	struct diags *ds = diags_new(s->arena, s->sources);
	struct policies *all = policy_resolve(s->arena, file, &opt, ds);
	struct policy *q = read_text(s, text, &env);
	struct dd *d = dd_new(s->arena, NODES);

	s->t->readings++;
	if (ds->errors || !q) {
		printf("policy %" PRIu64 ": %s cannot be read again\n", s->index,
		       q ? "it" : "its JSON");
		s->t->different++;
		return;
	}
	const struct policy *p = all->list.v[0];
	struct decision *x = decision_build_in(s->arena, d, p, ds);
	struct decision *y = decision_build_in(s->arena, d, q, ds);
	if (!x || !y) {
		printf("policy %" PRIu64 ": not decided\n", s->index);
		s->t->different++;
		return;
	}
	for (int a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) && env_runs(host, (enum arch)a))
			compare_arch(s, p, q, x, y, (enum arch)a);
}

/* ---- one policy ---- */

static void count_refusal(struct subject *s, bool invalid)
{
	enum diag_id id = first_error(s->diags);

	if (s->print)
		print_errors(s->diags);
	s->t->ids[id]++;
	if (invalid)
		s->t->invalid++;
	else if (id == DIAG_PL228 || id == DIAG_PL220 || id == DIAG_PL290)
		s->t->budget++;
	else
		s->t->refused++;
}

static void check_policy(struct subject *s, struct ast_file *file)
{
	bool docker = s->opt.dialect == OCI_DIALECT_DOCKER;
	struct resolve_options opt = { .keep_when = docker };
	struct policies *all = policy_resolve(s->arena, file, &opt, s->diags);
	BUF_AUTO json = { 0 };

	if (s->diags->errors) {
		count_refusal(s, true);
		return;
	}
	const struct policy *p = all->list.v[0];
	if (oci_write(s->arena, p, &s->opt, &json, s->diags)) {
		count_refusal(s, false);
		return;
	}
	if (s->print)
		fputs(json.p, stdout);
	s->t->written++;
	s->t->bytes += json.n;
	s->t->conditional += p->conditional;
	for (unsigned k = 0; k < 2; k++) {
		unsigned hosts = env_all(p->arches).hosts;
		/* The OCI list is one for all machines; Docker's rows are one a machine. */
		check_reading(s, file, (struct str){ json.p, json.n },
			      gen_arch_of(&s->random, hosts));
	}
	for (int a = 0; a < ARCH_NR; a++)
		s->t->arches[a] += p->arches >> a & 1;
}

static void check_one(uint64_t seed, uint64_t index, bool built, bool print, struct buf *text,
		      struct totals *t)
{
	struct subject s = { .arena = arena_new(NULL),
			     .random = { .random = ~(seed ^ index) },
			     .index = index,
			     .print = print,
			     .t = t };
	bool runc = gen_chance(&s.random, 60), docker = gen_chance(&s.random, 50);
	const char *runtime = runc ? "runc-1.1+libseccomp-2.6.1" : "crun-1.8+libseccomp-2.6.1";

	s.sources = sources_new(s.arena);
	s.diags = diags_new(s.arena, s.sources);
	s.opt.dialect = docker ? OCI_DIALECT_DOCKER : OCI_DIALECT_OCI;
	s.opt.unbuilt = !built;
	s.opt.plant = t->plant;
	BUG_ON(oci_runtime_parse(str_c(runtime), -1, &s.opt.runtime));
	gen_policy((seed << 40) + index,
		   GEN_JSON | (runc ? GEN_STUB : 0) | (docker ? GEN_ENVIRONMENT : GEN_LIST), text);
	if (print)
		fputs(text->p, stdout);
	struct source *src = source_add(s.sources, "random", (struct str){ text->p, text->n });
	t->policies++;
	t->runc += runc;
	check_policy(&s, pale_parse_source(s.arena, src, s.diags));
	arena_free(s.arena);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void print_totals(const struct totals *t, double seconds)
{
	uint64_t asked = t->policies - t->invalid;

	printf("%" PRIu64 " policies (%" PRIu64 " for runc), %.0f a second: %" PRIu64
	       " written (%" PRIu64 " with when), %" PRIu64
	       " bytes; refused %.2f %%, out of budget %.2f %%; %" PRIu64 " readings, %" PRIu64
	       " points, %" PRIu64 " wrong, %" PRIu64 " differences\n",
	       t->policies, t->runc, (double)t->policies / seconds, t->written, t->conditional,
	       t->bytes, 100.0 * (double)t->refused / (double)asked,
	       100.0 * (double)t->budget / (double)asked, t->readings, t->points, t->wrong,
	       t->different);
	printf("why not:");
	for (int i = 0; i < DIAG_NR; i++)
		if (t->ids[i])
			printf(" %s %s %" PRIu64, diag_info((enum diag_id)i)->id,
			       diag_info((enum diag_id)i)->slug, t->ids[i]);
	printf("\narchitectures:");
	for (int a = 0; a < ARCH_NR; a++)
		printf(" %s %" PRIu64, arch_info((enum arch)a)->name, t->arches[a]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct totals t = { 0 };
	struct which w = { .n = 1000, .seed = 1, .only = UINT64_MAX };
	BUF_AUTO text = { 0 };

	if (!which_read(argc, argv, "bn:s:i:p:", &w))
		return 2;
	t.plant = w.plant;
	/* Memory goes from one policy to the next, not to the kernel and back. */
	mallopt(M_MMAP_THRESHOLD, 1 << 30);
	mallopt(M_TRIM_THRESHOLD, 1 << 30);
	double start = now();
	for (uint64_t i = which_first(&w); i < which_end(&w); i++)
		check_one(w.seed, i, w.other, i == w.only, &text, &t);
	print_totals(&t, now() - start);
	return t.different || t.wrong;
}
