/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/explained.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/decision/compare.h"
#include "compiler/file/strace.h"
#include "compiler/tell/decided.h"
#include "grammar/parse.h"

enum matching { MATCHES_NEVER, MATCHES_MAYBE, MATCHES_ALWAYS };

/* ---- calls ---- */

/* The arguments that were given, as a condition on the whole registers. */
static const struct cond *given_cond(struct arena *a, const struct written_call *w)
{
	const struct cond *all = NULL;

	for (uint8_t i = 0; i < 6; i++) {
		if (!(w->given >> i & 1))
			continue;
		struct cond *c = ARENA_NEW(a, struct cond);
		c->kind = COND_CMP;
		c->cmp = (struct cmp){ .arg = i,
				       .width = 64,
				       .op = CMP_EQ,
				       .mask = UINT64_MAX,
				       .value = w->call.args[i] };
		if (all) {
			struct cond *both = ARENA_NEW(a, struct cond);
			*both = (struct cond){ .kind = COND_AND, .left = all, .right = c };
			all = both;
		} else {
			all = c;
		}
	}
	return all;
}

static enum matching match_rule(struct arena *a, const struct call_rule *r,
				const struct cond *given)
{
	uint64_t args[6];

	if (!r->cond)
		return MATCHES_ALWAYS;
	if (cond_overlap(given, r->cond, args) == 0)
		return MATCHES_NEVER;
	struct cond *not = ARENA_NEW(a, struct cond);
	*not = (struct cond){ .kind = COND_NOT, .left = r->cond };
	/* Too hard to tell counts as "may": nothing is claimed that was not shown. */
	return cond_overlap(given, not, args) == 0 ? MATCHES_ALWAYS : MATCHES_MAYBE;
}

struct part { /* architectures, and the lines for them */
	struct str on, rules;
};

struct explaining {
	struct session *s;
	const struct policy *p;
	const struct oci_disputes *disputes;
	struct environment env; /* as the options say it */
	bool json;              /* rules are quoted without their conditions */
	struct dd *dd;          /* NULL: no rule has a condition on the environment */
	struct buf *out;        /* the part at hand */
	VEC(struct part) parts;
};

/* The environments in which a rule holds, of those in which its calls can be made. */
static dd_node env_of(struct explaining *e, const struct call_rule *r)
{
	return r->env ? dd_and(e->dd, dd_env(e->dd, r->env), environment_possible(e->dd, r->arch)) :
			DD_TRUE;
}

/* ", with CAP_SYS_ADMIN"; nothing where it holds in all. */
static void put_env(struct explaining *e, const struct call_rule *r)
{
	BUF_AUTO words = { 0 };

	if (!r->env)
		return;
	words_environment(e->dd, env_of(e, r), r->arch, &words);
	if (words.n)
		buf_printf(e->out, ", %.*s", (int)words.n, words.p);
}

/* "  if persona == 8": a JSON entry's place shows its name alone. */
static void put_condition(struct explaining *e, const struct call_rule *r)
{
	BUF_AUTO words = { 0 };

	if (!e->json || !r->cond)
		return;
	words_comparisons(r->cond, r->arch, r->sys, &words);
	buf_printf(e->out, "  if %s", words.p ? words.p : "");
}

static const char *role_of(enum matching m, bool open, const struct call_rule *r,
			   const struct call_rule *winner)
{
	if (m == MATCHES_NEVER)
		return "no match";
	if (winner)
		return verdict_eq(winner->verdict, r->verdict) ? "agrees" : "outranked";
	return m == MATCHES_MAYBE ? "if it matches" : open ? "if so" : "decides";
}

static void put_rules(struct explaining *e, enum arch arch, const struct written_call *w)
{
	struct session *s = e->s;
	const struct policy *p = e->p;
	struct buf *out = e->out;
	const struct cond *given = given_cond(s->arena, w);
	struct decision_why why = { .by = policy_knows(p, arch, w->call.nr) ? BY_DEFAULT :
									      BY_UNKNOWN,
				    .arch = arch };
	struct verdict rest = why.by == BY_DEFAULT ? p->dflt[arch] : p->unknown[arch];
	dd_node all = e->dd ? environment_possible(e->dd, arch) : DD_TRUE, met = DD_FALSE;
	const struct call_rule *winner = NULL;
	bool maybe = false;
	size_t i, end;

	/* Sorted by verdict: the first that always matches decides unless one before it does. */
	policy_calls_of(p, arch, w->call.nr, &i, &end);
	for (; i < end; i++) {
		const struct call_rule *r = &p->calls.v[i];
		dd_node env = env_of(e, r);
		bool open = r->env && env != all;
		enum matching m = env == DD_FALSE ? MATCHES_NEVER : match_rule(s->arena, r, given);
		buf_printf(out, "  %-13s  ", role_of(m, open, r, winner));
		if (!winner && m == MATCHES_ALWAYS && !open)
			winner = r;
		if (open && m == MATCHES_ALWAYS)
			met = dd_or(e->dd, met, env);
		maybe |= m == MATCHES_MAYBE || (m == MATCHES_ALWAYS && open);
		verdict_print(out, r->verdict);
		put_env(e, r);
		put_condition(e, r);
		buf_puts(out, "  ");
		put_rule(out, s->sources, r->origin);
		buf_putc(out, '\n');
	}
	if (winner || (maybe && met == all)) /* nothing is left */
		return;
	buf_printf(out, "  %-13s  ", maybe ? "otherwise" : "decides");
	verdict_print(out, rest);
	buf_puts(out, "  ");
	put_decided(out, s->sources, p, &why);
	buf_putc(out, '\n');
}

/* Calls that several of the entries match. */
static void put_disputes(struct explaining *e, enum arch a, const struct written_call *w)
{
	uint32_t audit = arch_info(a)->audit;
	struct oci_disputed d;
	size_t at = 0;

	while (oci_disputed_next(e->disputes, &e->env, audit, w->call.nr, &at, &d)) {
		struct call c = { .audit_arch = audit, .nr = w->call.nr };
		memcpy(c.args, w->given ? w->call.args : d.args, sizeof(c.args));
		if (!oci_disputed_at(e->disputes, &e->env, &c, &d))
			continue;
		buf_printf(e->out, "  %-13s  ", "disputed");
		oci_print_call(e->out, audit, c.nr, c.args);
		buf_puts(e->out, ": ");
		put_place(e->out, e->s->sources, d.first);
		buf_puts(e->out, " says ");
		verdict_print(e->out, d.first_says);
		buf_puts(e->out, ", ");
		put_place(e->out, e->s->sources, d.second);
		buf_puts(e->out, " ");
		verdict_print(e->out, d.second_says);
		put_dispute(e->out, e->disputes, &e->env, &c);
		buf_putc(e->out, '\n');
		if (w->given)
			return;
	}
}

/* Does anything that speaks of the call refuse it, or nothing keep the rest from it? */
static bool may_be_refused(const struct policy *p, enum arch a, uint32_t nr)
{
	struct verdict rest = policy_knows(p, a, nr) ? p->dflt[a] : p->unknown[a];
	bool refuses = false, covered = false;
	size_t i, end;

	policy_calls_of(p, a, nr, &i, &end);
	for (; i < end; i++) {
		refuses |= verdict_refuses(p->calls.v[i].verdict);
		covered |= !p->calls.v[i].cond && !p->calls.v[i].env;
	}
	return refuses || (!covered && verdict_refuses(rest));
}

static void put_logged(struct explaining *e, enum arch a, const struct written_call *w)
{
	if (!e->p->log_refusals || !may_be_refused(e->p, a, w->call.nr))
		return;
	buf_printf(e->out, "  %-13s  what is refused  ", "logged");
	put_header_line(e->out, e->s->sources, e->p, AST_HEADER_LOG);
	buf_putc(e->out, '\n');
}

static void put_decisions(struct explaining *e, enum arch a, const struct written_call *w)
{
	put_rules(e, a, w);
	put_logged(e, a, w);
	put_disputes(e, a, w);
}

static void put_foreign(struct explaining *e)
{
	buf_printf(e->out, "  %-13s  ", "decides");
	verdict_print(e->out, e->p->foreign);
	buf_puts(e->out, "  ");
	put_header(e->out, e->s->sources, e->p, AST_HEADER_FOREIGN, "foreign", e->p->foreign);
	buf_putc(e->out, '\n');
}

static void put_open(struct explaining *e)
{
	buf_printf(e->out, "  %-13s  ALLOW  ", "decides");
	put_unfiltered(e->out, e->s->sources, e->p);
	buf_putc(e->out, '\n');
}

/* Architectures with the same lines share one heading. */
static void add_part(struct explaining *e, const char *on, struct str rules)
{
	struct arena *a = e->s->arena;
	struct part part = { str_c(arena_strdup(a, on)), rules };

	vec_each(&e->parts, old)
		if (str_eq(old->rules, rules)) {
			old->on = str_c(arena_printf(a, PRISTR ", %s", STRARG(old->on), on));
			return;
		}
	part.rules.p = arena_dup(a, rules.p, rules.n);
	vec_push(a, &e->parts, part);
}

static int explain_on(struct explaining *e, const struct ast_call_args *c, enum arch a,
		      const char *on)
{
	struct written_call w;
	BUF_AUTO rules = { 0 };

	if (policy_call_read(e->s->arena, c, a, &w, e->s->diags) < 0)
		return -1;
	e->out = &rules;
	if (!(e->p->layers & LAYER_SECCOMP))
		put_open(e);
	else if (e->p->arches & ARCH_BIT(a))
		put_decisions(e, a, &w);
	else
		put_foreign(e);
	add_part(e, on, (struct str){ rules.p, rules.n });
	return 0;
}

/* Each of the parts that answers for the architecture; where none does it is foreign to all. */
static int explain_parts(struct explaining *e, const struct decide *d,
			 const struct ast_call_args *c, enum arch a)
{
	const char *on = arch_info(a)->name;
	unsigned answering = 0;

	vec_each(&d->parts, part)
		answering += (part->policy->arches & ARCH_BIT(a)) != 0;
	e->p = d->parts.v[0].policy;
	if (!answering)
		return explain_on(e, c, a, on);
	vec_each(&d->parts, part) {
		if (!(part->policy->arches & ARCH_BIT(a)))
			continue;
		e->p = part->policy;
		e->disputes = part->disputes;
		if (d->parts.n > 1) {
			e->env.host_known = true;
			e->env.host = part->machine;
		}
		if (explain_on(e, c, a,
			       answering == 1 ? on :
						arena_printf(e->s->arena, "%s (host %s)", on,
							     arch_info(part->machine)->name)) < 0)
			return -1;
	}
	return 0;
}

int explain_call(struct session *s, const struct decide *d, const struct environment *env,
		 const char *text, int only, struct buf *out)
{
	struct explaining e = {
		.s = s, .dd = d->dd, .env = *env, .json = d->in.format == INPUT_JSON
	};
	struct ast_call_args *c = strace_parse(s, text);
	const struct syscall_info *sys;
	unsigned shown = 0;

	if (!c)
		return -1;
	sys = c->by_number ? NULL : syscall_by_name(c->name.text);
	for (int a = 0; a < ARCH_NR; a++) {
		if (only >= 0 ? a != only : !(d->arches & ARCH_BIT(a)))
			continue;
		/* Where the call does not exist there is nothing to say, unless it was asked for. */
		if (only < 0 && sys && sys->nr[a] < 0)
			continue;
		shown++;
		if (explain_parts(&e, d, c, (enum arch)a) < 0)
			return -1;
	}
	vec_each(&e.parts, part)
		buf_printf(out, "%s on " PRISTR "\n" PRISTR, str_safe(s->arena, text),
			   STRARG(part->on), STRARG(part->rules));
	if (!shown) { /* says what is wrong with the name, or where it exists */
		struct written_call w;
		for (int a = 0; a < ARCH_NR && !s->diags->errors; a++)
			if (d->arches & ARCH_BIT(a))
				policy_call_read(s->arena, c, (enum arch)a, &w, s->diags);
		return -1;
	}
	return 0;
}

/* ---- paths ---- */

/* Some of the permissions that somebody has in all: a lone 'w' would say that it appends as well. */
static void put_given(struct buf *out, unsigned some, unsigned all)
{
	aa_perms_put(out, some & PERM_W ? some & ~(unsigned)PERM_A : some);
	if (some & PERM_W && !(all & PERM_A))
		buf_puts(out, " (w without append)");
}

void put_in_all(struct buf *out, const char *label, unsigned other, unsigned owner)
{
	unsigned both = owner & other;

	buf_printf(out, "  %-13s  ", label);
	put_given(out, both, both);
	if (!both)
		buf_puts(out, "nothing");
	if (owner & ~other) {
		buf_puts(out, "; to its owner also ");
		put_given(out, owner & ~other, owner);
	}
	if (other & ~owner) {
		buf_puts(out, "; to others also ");
		put_given(out, other & ~owner, other);
	}
}
