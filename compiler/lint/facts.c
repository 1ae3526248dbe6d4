/* SPDX-License-Identifier: Apache-2.0 */
/* What a profile or a policy lets through: one root in one manager, and the questions to it. */
#include "compiler/lint/facts.h"

#include <stdio.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/compare.h"
#include "compiler/lint/parts.h"
#include "compiler/lint/questions.h"
#include "compiler/oci/runtime/model.h"

/* What the runtime's library is taken to be: it knows every name that the table knows. */
enum { NEWEST_LIBSECCOMP = OCI_VERSION(2, 6, 1), NEWEST_RUNC = OCI_VERSION(1, 2, 0) };

struct fact_engine {
	struct arena *arena;
	struct dd *dd;
	struct part_store *store;
	struct call_parts parts;
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
	return arches & s->on;
}

static unsigned has(const struct facts *f, const struct syscall_info *s)
{
	return s ? arches_with(s, f->arches) : 0;
}

unsigned facts_has(const struct facts *f, const char *call)
{
	return has(f, syscall_by_name(str_c(call)));
}

struct span facts_span(const struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	size_t i = s ? syscall_index(s) : 0;

	return s && f->engine->calls[i].named ? f->engine->calls[i].span : f->dflt_span;
}

unsigned facts_named(const struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));

	return s ? f->engine->calls[syscall_index(s)].named : 0;
}

bool facts_refuses(const struct facts *f)
{
	return f->has_default && verdict_refuses(f->dflt);
}

/* Where what holds of the call; of none that there is not. */
static struct call_sums sums_at(struct facts *f, const struct syscall_info *s)
{
	f->undecided |= f->engine->parts.lost;
	return s && !f->undecided ? f->engine->parts.sums[syscall_index(s)] :
				    (struct call_sums){ 0 };
}

static struct call_sums sums_of(struct facts *f, const char *call)
{
	return sums_at(f, syscall_by_name(str_c(call)));
}

/* NULL: undecided. */
static struct call_part *part_at(struct facts *f, const struct syscall_info *s, enum arch a)
{
	f->undecided |= f->engine->parts.lost;
	return f->undecided ? NULL : parts_at(&f->engine->parts, s, a);
}

unsigned facts_some(struct facts *f, const char *call)
{
	return sums_of(f, call).some;
}

unsigned facts_always(struct facts *f, const char *call)
{
	return sums_of(f, call).always;
}

unsigned facts_tested(struct facts *f, const char *call)
{
	return sums_of(f, call).tested;
}

static unsigned refused(struct facts *f, const struct syscall_info *s)
{
	unsigned open = sums_at(f, s).maybe;

	return f->undecided ? 0 : has(f, s) & ~open;
}

unsigned facts_refused(struct facts *f, const char *call)
{
	return refused(f, syscall_by_name(str_c(call)));
}

unsigned facts_refused_by_rule(struct facts *f, const char *call)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	unsigned named = s ? f->engine->calls[syscall_index(s)].named : 0;

	return named ? named & refused(f, s) : 0;
}

bool facts_refuses_by_rule(struct facts *f, const char *but)
{
	const struct syscall_info *left_out = syscall_by_name(str_c(but));

	f->undecided |= f->engine->parts.lost;
	for (size_t i = 0; i < syscall_count() && !f->undecided; i++)
		if (f->engine->calls[i].named & ~f->engine->parts.sums[i].maybe &&
		    syscall_at(i) != left_out)
			return true;
	return false;
}

unsigned facts_stubbed(struct facts *f, const char *call)
{
	return sums_of(f, call).stubbed;
}

struct verdict facts_refusal(struct facts *f, const char *call, enum arch a)
{
	const struct syscall_info *s = syscall_by_name(str_c(call));
	struct verdict enosys = questions_enosys(f->engine->questions, a);
	struct dd *d = f->engine->dd;
	struct dd_point p;

	BUG_ON(!s || s->nr[a] < 0);
	const struct call_part *part = part_at(f, s, a);
	if (!part)
		return enosys;
	dd_node said = dd_compare(d, part->root, dd_terminal(d, enosys), verdict_eq);
	dd_node other = dd_and(d, dd_not(d, part->sure), dd_not(d, said));
	f->undecided |= other == DD_NONE;
	return dd_witness(d, other, &p) ? dd_eval_at(d, part->root, &p) : enosys;
}

unsigned facts_loud(struct facts *f, const char *call, unsigned arches)
{
	unsigned refused = facts_refused(f, call) & arches;

	for (unsigned a = 0; a < ARCH_NR; a++) {
		if (!(refused & ARCH_BIT(a)))
			continue;
		struct verdict v = facts_refusal(f, call, (enum arch)a);
		struct verdict enosys = questions_enosys(f->engine->questions, (enum arch)a);
		if (!verdict_refuses(v) ||
		    (v.kind == VERDICT_ERRNO && (!v.data || verdict_eq(v, enosys))))
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

static bool answers_errno(struct verdict v, struct verdict unused)
{
	(void)unused;
	return v.kind == VERDICT_ERRNO && v.data;
}

/* What entries dispute is nobody's certainty. */
static dd_node errnos_of(struct facts *f, struct call_part *part)
{
	struct dd *d = f->engine->dd;

	if (!part->has_errnos) {
		dd_node disputed = dd_and(d, part->maybe, dd_not(d, part->sure));

		part->errnos =
			dd_and(d, dd_compare(d, part->root, dd_terminal(d, f->dflt), answers_errno),
			       dd_not(d, disputed));
		part->has_errnos = true;
	}
	return part->errnos;
}

/* What a part leaves of the question, open: where the gates are not; DD_NONE: not made yet. */
static struct asked ask_part(struct facts *f, const struct question *q, enum arch a, dd_node part,
			     const char *gates, dd_node *open)
{
	struct dd *d = f->engine->dd;
	struct asked now = { .part = part, .like = q->like[a], .gates = gates };

	if (*open == DD_NONE)
		*open = dd_not(d, gates_claim(d, gates));
	now.claim = dd_and(d, dd_and(d, part, *open), dd_cond(d, q->cond[a]));
	now.plain = dd_fix(d, now.claim, DD_CAPS, UINT64_MAX, 0);
	now.epoch = f->engine->store->epoch;
	return now;
}

/* The same, asked of the run's store once: profiles have most parts in common. */
static struct asked ask_once(struct facts *f, struct question *q, enum arch a, dd_node part,
			     const char *gates, dd_node *open)
{
	bool kept = f->engine->store == questions_store(f->engine->questions);
	struct asked *made = &q->made[q->like[a]], now;

	if (kept && made->epoch == f->engine->store->epoch && made->part == part &&
	    made->gates == gates)
		return *made;
	now = ask_part(f, q, a, part, gates, open);
	if (kept && now.claim != DD_NONE && now.plain != DD_NONE)
		*made = now;
	return now;
}

/* errnos: not what passes is asked about; calls that the question means and the gates leave. */
static struct fact_answer ask(struct facts *f, bool errnos, const char *text, const char *gates)
{
	struct fact_answer w = { 0 };
	struct asked now = { .part = DD_NONE };
	dd_node open = DD_NONE;

	if (!syscall_by_name(facts_call(text)))
		return w;
	struct question *q = question_find(f->engine->questions, text);
	for (unsigned a = 0; a < ARCH_NR && !f->undecided; a++) {
		if (!(q->on & f->arches & ARCH_BIT(a)))
			continue;
		struct call_part *part = part_at(f, q->sys, (enum arch)a);
		dd_node n = !part ? DD_NONE : errnos ? errnos_of(f, part) : part->sure;
		f->undecided |= n == DD_NONE;
		w.known |= ARCH_BIT(a);
		w.always |= n == DD_TRUE ? ARCH_BIT(a) : 0;
		if (n == DD_FALSE)
			continue;
		if (n != now.part || q->like[a] != now.like)
			now = ask_once(f, q, (enum arch)a, n, gates, &open);
		take_claim(f, &w, q, (enum arch)a, &now);
	}
	return f->undecided ? (struct fact_answer){ 0 } : w;
}

struct fact_answer facts_ask(struct facts *f, const char *question, const char *gates)
{
	return ask(f, false, question, gates);
}

struct fact_answer facts_ask_errno(struct facts *f, const char *question)
{
	return ask(f, true, question, "");
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

/* store: NULL: one of its own. */
static struct facts *facts_new(struct arena *a, struct questions *questions,
			       struct part_store *store)
{
	struct facts *f = ARENA_NEW(a, struct facts);

	f->engine = ARENA_NEW(a, struct fact_engine);
	f->engine->arena = a;
	f->engine->questions = questions ? questions : questions_new(a);
	f->engine->store = store ? store : part_store_new(a);
	part_store_take(f->engine->store, FACTS_NODES);
	f->engine->dd = f->engine->store->dd;
	f->engine->calls = ARENA_ARRAY(a, __typeof__(*f->engine->calls), syscall_count());
	return f;
}

static void name_call(struct facts *f, const struct syscall_info *s, unsigned arches,
		      struct span span)
{
	size_t i = syscall_index(s);

	if (!f->engine->calls[i].named)
		f->engine->calls[i].span = span;
	f->engine->calls[i].named |= arches_with(s, arches);
}

static void name_calls(struct facts *f, const struct oci_profile *p)
{
	vec_each(&p->rules, r) {
		const struct syscall_info *s =
			r->handed.p == r->name.p ? r->sys : syscall_by_name(r->handed);
		if (s)
			name_call(f, s, p->arches, r->span);
	}
}

/* Entries of one call are compared with each other; false: too many of them. */
static bool count_rules(struct facts *f, const struct oci_profile *p)
{
	size_t pairs = 0;

	vec_each(&p->rules, r) {
		size_t n = ++f->engine->calls[syscall_index(r->sys)].rules;
		if (n > f->ncostly) {
			f->ncostly = n;
			f->costly = r->sys->name;
		}
		pairs += n;
	}
	return pairs <= FACTS_PAIRS;
}

struct facts *facts_of_profile(struct arena *a, struct questions *questions,
			       const struct oci_profile *p, const struct oci_runtime *named)
{
	const struct oci_runtime newest = { .kind = OCI_RUNC,
					    .version = NEWEST_RUNC,
					    .libseccomp = NEWEST_LIBSECCOMP };
	struct facts *f = facts_new(a, questions, questions ? questions_store(questions) : NULL);
	struct oci_calls loaded;

	/* What is malformed is told by others; what could be read is asked here. */
	const struct json *calls = oci_member(p->json, "syscalls");
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
		f->engine->parts.lost = f->undecided = true;
		return f;
	}
	enum arch host = parts_host((enum arch)__builtin_ctz(p->arches), p->arches);
	oci_model_calls(a, f->engine->dd, p, named ? named : &newest, host, &loaded);
	parts_of_calls(a, f->engine->store, &loaded, f->arches, &f->engine->parts);
	f->undecided = f->engine->parts.lost;
	return f;
}

static struct span rule_span(const struct call_rule *r)
{
	return r->origin->use.source != SOURCE_NONE ? r->origin->use : r->origin->span;
}

struct facts *facts_of_policy(struct arena *a, struct questions *questions, const struct policy *p,
			      struct diags *ds)
{
	struct facts *f = facts_new(a, questions, NULL);
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
		size_t n = ++f->engine->calls[syscall_index(r->sys)].rules;
		f->costly = n > f->ncostly ? r->sys->name : f->costly;
		f->ncostly = n > f->ncostly ? n : f->ncostly;
	}
	parts_of_root(a, f->engine->store, d ? decision_root(d, p->arches) : DD_NONE, f->arches,
		      &f->engine->parts);
	f->undecided = f->engine->parts.lost;
	return f;
}

/* What met its budget has left things there that mean nothing. */
void facts_end(struct facts *f)
{
	if (f && !f->undecided)
		part_store_give_back(f->engine->store);
}
