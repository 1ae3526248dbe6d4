/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile or a policy lets through: one root in one manager, and the questions to it. */
#include "compiler/lint/facts.h"

#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/compare.h"
#include "compiler/decision/parts.h"
#include "compiler/lint/questions.h"
#include "compiler/oci/runtime/model.h"

/* What the runtime's library is taken to be: it knows every name that the table knows. */
enum { NEWEST_LIBSECCOMP = OCI_VERSION(2, 6, 1), NEWEST_RUNC = OCI_VERSION(1, 2, 0) };

struct fact_engine {
	struct arena *arena;
	struct dd *dd;
	struct call_parts root;
	struct call_parts sure;   /* claim: allowed or logged, and nobody disputes it */
	struct call_parts maybe;  /* claim: that, or entries disagree, or somebody is asked */
	struct call_parts stub;   /* claim: runc's ENOSYS, above all that the profile names */
	struct call_parts errnos; /* claim: surely refused with an errno; made when it is asked */
	bool has_errnos;
	struct {
		struct span span; /* of the first rule */
		unsigned named;
		size_t rules;
	} * calls;                   /* by index of syscall_at() */
	struct questions *questions; /* of the run */
};

/* ---- calls ---- */

static unsigned arches_with(const struct syscall_info *s, unsigned arches)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (s->nr[a] < 0)
			arches &= ~ARCH_BIT(a);
	return arches;
}

unsigned facts_has(const struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));

	return s ? arches_with(s, f->arches) : 0;
}

struct span facts_span(const struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	size_t i = s ? call_index(s) : 0;

	return s && f->engine->calls[i].named ? f->engine->calls[i].span : f->dflt_span;
}

unsigned facts_named(const struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));

	return s ? f->engine->calls[call_index(s)].named : 0;
}

bool facts_refuses(const struct facts *f)
{
	return f->has_default && verdict_refuses(f->dflt);
}

/* Architectures that the call has, of those on which parts say so. */
typedef unsigned parts_fn(struct call_parts *p, const struct syscall_info *s);

static unsigned where(struct facts *f, const char *call, struct call_parts *parts, parts_fn *fn)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	unsigned found = s && !f->undecided ? fn(parts, s) : 0;

	f->undecided |= parts->lost;
	return f->undecided ? 0 : found;
}

static dd_node part_at(struct facts *f, struct call_parts *parts, const struct syscall_info *s,
		       enum arch a)
{
	dd_node n = parts_at(parts, s, a);

	f->undecided |= n == DD_NONE;
	return f->undecided ? DD_NONE : n;
}

unsigned facts_some(struct facts *f, const char *call)
{
	return where(f, call, &f->engine->sure, parts_any);
}

unsigned facts_always(struct facts *f, const char *call)
{
	return where(f, call, &f->engine->sure, parts_all);
}

unsigned facts_tested(struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	struct call_parts *sure = &f->engine->sure;
	unsigned some = where(f, call, sure, parts_any) & ~where(f, call, sure, parts_all);
	unsigned tested = 0;

	for (unsigned a = 0; some && a < ARCH_NR; a++) {
		if (!(some & ARCH_BIT(a)))
			continue;
		uint32_t fields = dd_fields(f->engine->dd, part_at(f, sure, s, (enum arch)a));
		tested |= fields & ((1u << DD_IP) - 1) ? ARCH_BIT(a) : 0;
	}
	return tested;
}

unsigned facts_refused(struct facts *f, const char *call)
{
	unsigned open = where(f, call, &f->engine->maybe, parts_any);

	return f->undecided ? 0 : facts_has(f, call) & ~open;
}

unsigned facts_refused_by_rule(struct facts *f, const char *call)
{
	unsigned named = facts_named(f, call);

	return named ? named & facts_refused(f, call) : 0;
}

unsigned facts_stubbed(struct facts *f, const char *call)
{
	return where(f, call, &f->engine->stub, parts_all);
}

static struct verdict enosys_of(enum arch a)
{
	uint64_t value = 38;

	constant_find("errno", STR("ENOSYS"), a, &value); /* 89 on mips */
	return (struct verdict){ VERDICT_ERRNO, (uint16_t)value };
}

struct verdict facts_refusal(struct facts *f, const char *call, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	struct verdict enosys = enosys_of(a);
	struct dd *d = f->engine->dd;
	struct dd_point p;

	BUG_ON(!s || s->nr[a] < 0);
	dd_node n = part_at(f, &f->engine->root, s, a), sure = part_at(f, &f->engine->sure, s, a);
	if (n == DD_NONE || sure == DD_NONE)
		return enosys;
	dd_node other = dd_and(d, dd_not(d, sure),
			       dd_not(d, dd_compare(d, n, dd_terminal(d, enosys), verdict_eq)));
	f->undecided |= other == DD_NONE;
	return dd_witness(d, other, &p) ? dd_eval_at(d, n, &p) : enosys;
}

unsigned facts_loud(struct facts *f, const char *call, unsigned arches)
{
	unsigned refused = facts_refused(f, call) & arches;

	for (unsigned a = 0; a < ARCH_NR; a++) {
		if (!(refused & ARCH_BIT(a)))
			continue;
		struct verdict v = facts_refusal(f, call, (enum arch)a);
		if (!verdict_refuses(v) || (v.kind == VERDICT_ERRNO &&
					    (!v.data || verdict_eq(v, enosys_of((enum arch)a)))))
			refused &= ~ARCH_BIT(a);
	}
	return refused;
}

/* ---- questions ---- */

struct str facts_call(const char *question)
{
	return question_call(question);
}

/* "CAP_BPF|CAP_SYS_ADMIN|kernel 4.8" as a claim: one of them is there. */
static dd_node gates_claim(struct dd *d, const char *gates)
{
	dd_node any = DD_FALSE;

	while (*gates) {
		struct str word = { gates, strcspn(gates, "|") };
		struct env_cond c = { .kind = ENV_KERNEL };
		if (str_starts(word, "kernel ")) {
			unsigned major = 0, minor = 0;
			BUG_ON(sscanf(word.p, "kernel %u.%u", &major, &minor) != 2);
			c.version = KERNEL_VERSION_OF(major, minor);
		} else {
			int cap = capability_find(word);
			BUG_ON(cap < 0);
			c = (struct env_cond){ .kind = ENV_CAP, .cap = (unsigned)cap };
		}
		any = dd_or(d, any, dd_env(d, &c));
		gates += word.n + (gates[word.n] == '|');
	}
	return any;
}

/* What is asked on one architecture, most often the same as on the last. */
struct asked {
	dd_node part, claim, plain; /* of the claim what needs no capability */
	uint8_t like;
};

/* Takes one architecture's claim into the answer; what needs no capability comes first. */
static void take_claim(struct facts *f, struct fact_answer *w, const struct question *q,
		       enum arch a, const struct asked *now)
{
	struct dd *d = f->engine->dd;
	dd_node claim = now->claim, plain = now->plain;
	bool with_caps = plain == DD_FALSE;

	f->undecided |= claim == DD_NONE || plain == DD_NONE;
	if (f->undecided || claim == DD_FALSE || (w->some && with_caps && !w->with_caps))
		return;
	if (w->some && w->with_caps && !with_caps)
		w->some = 0;
	if (!w->some) {
		dd_witness(d, with_caps ? claim : plain, &w->witness);
		w->witness.at[DD_CALL] = DD_CALL_OF(
			arch_info(a)->audit, (uint32_t)q->sys->nr[a] + arch_info(a)->nr_base);
		w->arch = a;
		w->with_caps = with_caps;
		w->fields = dd_fields(d, claim);
	}
	w->some |= ARCH_BIT(a);
}

/* `parts`: the claim that is asked about; calls that the question means and the gates leave. */
static struct fact_answer ask(struct facts *f, struct call_parts *parts, const char *text,
			      const char *gates)
{
	struct dd *d = f->engine->dd;
	struct fact_answer w = { 0 };
	struct asked now = { .part = DD_NONE };
	dd_node open = DD_NONE;

	if (!syscall_by_name(facts_call(text)))
		return w;
	const struct question *q = question_find(f->engine->questions, text);
	for (unsigned a = 0; a < ARCH_NR && !f->undecided; a++) {
		if (!(q->on & f->arches & ARCH_BIT(a)))
			continue;
		dd_node n = part_at(f, parts, q->sys, (enum arch)a);
		w.known |= ARCH_BIT(a);
		w.always |= n == DD_TRUE ? ARCH_BIT(a) : 0;
		if (n == DD_FALSE)
			continue;
		if (open == DD_NONE)
			open = dd_not(d, gates_claim(d, gates));
		if (n != now.part || q->like[a] != now.like) {
			now = (struct asked){ .part = n, .like = q->like[a] };
			now.claim = dd_and(d, dd_and(d, n, open), dd_cond(d, q->cond[a]));
			now.plain = dd_fix(d, now.claim, DD_CAPS, UINT64_MAX, 0);
		}
		take_claim(f, &w, q, (enum arch)a, &now);
	}
	return f->undecided ? (struct fact_answer){ 0 } : w;
}

struct fact_answer facts_ask(struct facts *f, const char *question, const char *gates)
{
	return ask(f, &f->engine->sure, question, gates);
}

static bool answers_errno(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_ERRNO && v.data;
}

/* What entries dispute is nobody's certainty. */
static void set_errnos(struct facts *f)
{
	struct fact_engine *e = f->engine;
	struct dd *d = e->dd;
	dd_node refused, disputed;

	refused = dd_compare(d, e->root.root, dd_terminal(d, f->dflt), answers_errno);
	disputed = dd_and(d, e->maybe.root, dd_not(d, e->sure.root));
	e->errnos = parts_of(e->arena, d, dd_and(d, refused, dd_not(d, disputed)), f->arches);
	e->has_errnos = true;
}

struct fact_answer facts_ask_errno(struct facts *f, const char *question)
{
	if (!f->engine->has_errnos)
		set_errnos(f);
	return ask(f, &f->engine->errnos, question, "");
}

unsigned facts_carried_past(struct facts *f, const struct syscall_info *s, unsigned on,
			    const char **mux)
{
	unsigned found = 0, selector;
	const char *name;

	for (unsigned a = 0; on && a < ARCH_NR; a++) {
		bool inside = f->arches & ARCH_BIT(a) && s->nr[a] < 0;
		if ((!(on & ARCH_BIT(a)) && !inside) ||
		    multiplexed_by(s, (enum arch)a, &name, &selector))
			continue;
		*mux = name;
		const char *one = arena_printf(f->engine->arena, "%s(call == %u)", name, selector);
		found |= ARCH_BIT(a) & facts_ask(f, one, "").some;
	}
	return found;
}

unsigned facts_clone3_past(struct facts *f)
{
	return facts_tested(f, "clone") & facts_some(f, "clone3") &
	       facts_ask(f, "clone3", "CAP_SYS_ADMIN").some;
}

const char *facts_witness(struct facts *f, const struct fact_answer *w)
{
	struct dd *d = f->engine->dd;
	BUF_AUTO out = { 0 };

	if (w->with_caps) {
		dd_node caps = DD_TRUE;
		for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
			if (w->witness.at[DD_CAPS] >> cap & 1)
				caps = dd_and(d, caps, dd_bit(d, DD_CAPS, cap));
		words_environment(d, caps, w->arch, &out);
		buf_putc(&out, ' ');
	}
	words_call(&out, &w->witness, w->fields);
	return arena_strdup(f->engine->arena, out.p ? out.p : "");
}

/* ---- reading ---- */

static bool permits(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_ALLOW || v.kind == VERDICT_LOG;
}

/* Whether these pass is somebody else's to say, who listens or traces. */
static bool is_asked(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_NOTIFY || v.kind == VERDICT_TRACE;
}

static struct facts *facts_new(struct arena *a, struct questions *questions)
{
	struct facts *f = ARENA_NEW(a, struct facts);

	f->engine = ARENA_NEW(a, struct fact_engine);
	f->engine->arena = a;
	f->engine->questions = questions ? questions : questions_new(a);
	f->engine->dd = dd_new(a, FACTS_NODES);
	f->engine->calls = ARENA_ARRAY(a, __typeof__(*f->engine->calls), syscall_count());
	return f;
}

static void set_root(struct facts *f, dd_node root, dd_node disputed, dd_node stub)
{
	struct fact_engine *e = f->engine;
	dd_node open = dd_compare(e->dd, root, root, permits);
	dd_node asked = dd_or(e->dd, disputed, dd_compare(e->dd, root, root, is_asked));

	e->root = parts_of(e->arena, e->dd, root, f->arches);
	e->stub = parts_of(e->arena, e->dd, stub, f->arches);
	e->sure =
		parts_of(e->arena, e->dd, dd_and(e->dd, open, dd_not(e->dd, disputed)), f->arches);
	e->maybe = parts_of(e->arena, e->dd, dd_or(e->dd, open, asked), f->arches);
	f->undecided = e->sure.lost || e->maybe.lost || e->stub.lost;
}

static void name_call(struct facts *f, const struct syscall_info *s, unsigned arches,
		      struct span span)
{
	size_t i = call_index(s);

	if (!f->engine->calls[i].named)
		f->engine->calls[i].span = span;
	f->engine->calls[i].named |= arches_with(s, arches);
}

static void name_calls(struct facts *f, const struct oci_profile *p)
{
	vec_each(&p->rules, r) {
		const struct syscall_info *s = syscall_by_name(r->handed);
		if (s)
			name_call(f, s, p->arches, r->span);
	}
}

/* Entries of one call are compared with each other; false: too many of them. */
static bool count_rules(struct facts *f, const struct oci_profile *p)
{
	size_t pairs = 0;

	vec_each(&p->rules, r) {
		const struct syscall_info *s = syscall_by_name(r->name);
		size_t n = s ? ++f->engine->calls[call_index(s)].rules : 0;
		if (n > f->ncostly) {
			f->ncostly = n;
			f->costly = s->name;
		}
		pairs += n;
	}
	return pairs <= FACTS_PAIRS;
}

struct facts *facts_of_profile(struct arena *a, struct questions *questions,
			       const struct json *root, const struct oci_runtime *named)
{
	const struct oci_read_options read = { .every_host = true,
					       .docker = true,
					       .runtime = named };
	const struct oci_runtime newest = { .kind = OCI_RUNC,
					    .version = NEWEST_RUNC,
					    .libseccomp = NEWEST_LIBSECCOMP };
	struct oci_profile *p = ARENA_NEW(a, struct oci_profile);
	struct facts *f = facts_new(a, questions);
	struct oci_model m;

	/* What is malformed is told by others; what could be read is asked here. */
	oci_parse(a, root, &read, p);
	const struct json *calls = oci_member(oci_profile_object(root), "syscalls");
	if (!p->arches || (calls && calls->kind != JSON_ARRAY && calls->kind != JSON_NULL))
		return NULL;
	f->json = true;
	f->arches = p->arches;
	f->arches_written = p->arches_written;
	f->has_default = p->has_default;
	f->dflt = f->unknown = p->dflt;
	f->dflt_span = p->dflt_span;
	name_calls(f, p);
	if (!count_rules(f, p) || p->unusable) {
		set_root(f, DD_NONE, DD_FALSE, DD_FALSE);
		return f;
	}
	enum arch host = parts_host((enum arch)__builtin_ctz(p->arches), p->arches);
	oci_model_build(a, f->engine->dd, p, named ? named : &newest, host, &m);
	set_root(f, m.reading, m.undefined, m.stub);
	return f;
}

static struct span rule_span(const struct call_rule *r)
{
	return r->origin->use.source != SOURCE_NONE ? r->origin->use : r->origin->span;
}

struct facts *facts_of_policy(struct arena *a, struct questions *questions, const struct policy *p,
			      struct diags *ds)
{
	struct facts *f = facts_new(a, questions);
	struct decision *d = decision_build_in(a, f->engine->dd, p, diags_new(a, ds->sources));

	if (!p->arches)
		return NULL;
	enum arch first = (enum arch)__builtin_ctz(p->arches);
	f->arches = p->arches;
	f->arches_written = true;
	f->has_default = true;
	f->dflt = p->dflt[first];
	f->unknown = p->unknown[first];
	f->dflt_span = p->span;
	vec_each(&p->calls, r) {
		if (!r->sys)
			continue;
		name_call(f, r->sys, ARCH_BIT(r->arch), rule_span(r));
		size_t n = ++f->engine->calls[call_index(r->sys)].rules;
		f->costly = n > f->ncostly ? r->sys->name : f->costly;
		f->ncostly = n > f->ncostly ? n : f->ncostly;
	}
	set_root(f, d ? decision_root(d, p->arches) : DD_NONE, DD_FALSE, DD_FALSE);
	return f;
}
