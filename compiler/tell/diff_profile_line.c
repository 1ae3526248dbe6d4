/* SPDX-License-Identifier: Apache-2.0 */
/* What one answer of a profile is beside another, and its line. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/tell/diff_rules.h"

enum { SHOWN_MAX = 200 }; /* lines of a comparison */

/* ---- lines ---- */

void profile_add(struct profiles *c, struct diff_resource r)
{
	const char **texts[] = { &r.about, &r.path,   &r.a,      &r.b,      &r.by_a,
				 &r.by_b,  &r.reason, &r.access, &r.profile };

	if (!r.profile)
		r.profile = c->name;
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		if (!*texts[i])
			*texts[i] = "";
	r.about = str_safe(c->arena, r.about);
	r.reason = str_safe(c->arena, r.reason);
	r.a = str_safe(c->arena, r.a);
	r.b = str_safe(c->arena, r.b);
	c->out->has[r.change] = true;
	if (r.change != CHANGE_UNDECIDED && c->shown++ >= SHOWN_MAX)
		c->untold++;
	else
		vec_push(c->arena, &c->out->resources, r);
}

bool profile_is_full(const struct profiles *c)
{
	return c->shown >= SHOWN_MAX;
}

void profile_note_unnamed(struct profiles *c, const char *kind, size_t n)
{
	vec_push(c->arena, &c->out->notes,
		 arena_printf(c->arena, "%s: %zu more rules that only one side has may be why%s%s",
			      kind, n, *c->name ? ", in " : "", c->name));
}

void profile_not_decided(struct profiles *c, enum resource_kind kind, const char *reason)
{
	profile_add(c, (struct diff_resource){ .change = CHANGE_UNDECIDED,
					       .kind = kind,
					       .about = diff_kinds[kind],
					       .reason = reason });
}

bool profile_same_label(const struct profiles *c, struct str a, struct str b)
{
	if (str_eq(a, b))
		return true;
	if (!c->from.n || a.n < c->from.n || memcmp(a.p, c->from.p, c->from.n) ||
	    b.n != a.n - c->from.n + c->to.n || memcmp(b.p, c->to.p, c->to.n))
		return false;
	struct str rest = { a.p + c->from.n, a.n - c->from.n };
	return (!rest.n || rest.p[0] == '/') && str_eq(rest, (struct str){ b.p + c->to.n, rest.n });
}

/* ---- answers ---- */

/* What runs where the profile that is looked for is not there, and how free that is. */
static const struct {
	enum aa_exec lookup; /* PX, CX; of the others themselves */
	int fallback;        /* 0: nothing, refused; 1: the same profile; 2: unconfined */
} transitions[AA_EXEC_NR] = {
	[AA_EXEC_IX] = { AA_EXEC_IX, 0 },  [AA_EXEC_PX] = { AA_EXEC_PX, 0 },
	[AA_EXEC_PIX] = { AA_EXEC_PX, 1 }, [AA_EXEC_PUX] = { AA_EXEC_PX, 2 },
	[AA_EXEC_CX] = { AA_EXEC_CX, 0 },  [AA_EXEC_CIX] = { AA_EXEC_CX, 1 },
	[AA_EXEC_CUX] = { AA_EXEC_CX, 2 }, [AA_EXEC_UX] = { AA_EXEC_UX, 0 },
};

static bool passes_environment(const struct aa_transition *t)
{
	return t->unsafe || t->exec == AA_EXEC_IX;
}

static enum change sign_change(int sign)
{
	return sign > 0 ? CHANGE_LOOSER : sign < 0 ? CHANGE_TIGHTER : CHANGE_NR;
}

/* Unconfined is the loosest; of one lookup, what else may run; all else has no order. */
static enum change confinement_change(const struct profiles *c, const struct aa_transition *a,
				      const struct aa_transition *b)
{
	bool same = profile_same_label(c, a->target, b->target);

	if (a->exec == b->exec && same)
		return CHANGE_NR;
	if (a->exec == AA_EXEC_UX || b->exec == AA_EXEC_UX)
		return b->exec == AA_EXEC_UX ? CHANGE_LOOSER : CHANGE_TIGHTER;
	if (!same || transitions[a->exec].lookup != transitions[b->exec].lookup)
		return CHANGE_INCOMPARABLE;
	return sign_change(transitions[b->exec].fallback - transitions[a->exec].fallback);
}

static enum change exec_change(const struct profiles *c, const struct aa_transition *a,
			       const struct aa_transition *b)
{
	enum change profile = confinement_change(c, a, b);
	enum change environment = sign_change(passes_environment(b) - passes_environment(a));

	if (environment == CHANGE_NR || environment == profile)
		return profile;
	return profile == CHANGE_NR ? environment : CHANGE_INCOMPARABLE;
}

enum change profile_change(const struct profiles *c, const struct profile_said *a,
			   const struct profile_said *b)
{
	/* The order of verdicts on calls: what passes without a record is looser. */
	static const int ranks[AA_OUTCOME_NR] = {
		[AA_KILLED] = 0,         [AA_REFUSED] = 1,         [AA_ASKS] = 2,
		[AA_ALLOWED_LOGGED] = 3, [AA_ALLOWED_AUDITED] = 4, [AA_ALLOWED] = 5,
	};
	int sign = ranks[b->outcome] - ranks[a->outcome];

	if (a->outcome == AA_VARIES || b->outcome == AA_VARIES)
		return CHANGE_UNDECIDED;
	if (a->exec.exec && b->exec.exec) {
		enum change exec = exec_change(c, &a->exec, &b->exec);
		if (exec != CHANGE_NR)
			return exec;
	}
	if (a->environment && b->environment && a->environment != b->environment) {
		int looser = b->environment == AA_ENVIRONMENT_UNSAFE ? 1 : -1;
		return sign * looser < 0 ? CHANGE_INCOMPARABLE : sign_change(looser);
	}
	if (sign)
		return sign_change(sign);
	return a->outcome == AA_REFUSED && a->quiet != b->quiet ? CHANGE_ERRNO : CHANGE_NR;
}

static bool is_also(const struct profile_said *said, const struct aa_rule *rule)
{
	bool known = !rule || rule == said->by;

	for (unsigned i = 0; i < said->also_n; i++)
		known |= said->also[i] == rule;
	return known;
}

static void note_agreeing(struct profile_said *said, const struct aa_verdict *v)
{
	said->also_n = said->also_more = 0;
	vec_each(&v->rules, r) {
		if (!said->by || r->role == AA_ROLE_OUTRANKED || is_also(said, r->rule))
			continue;
		if (said->also_n < PROFILE_ALSO_MAX)
			said->also[said->also_n++] = r->rule;
		else
			said->also_more++;
	}
}

bool profile_said_by(struct profile_said *said, const struct aa_verdict *v,
		     const struct aa_rule *rule)
{
	if (!said->by)
		return false;
	vec_each(&v->rules, r)
		if (r->rule == rule && r->role != AA_ROLE_OUTRANKED) {
			said->by = rule;
			note_agreeing(said, v);
			return true;
		}
	return false;
}

struct profile_said profile_said_of(const struct aa_verdict *v)
{
	struct profile_said said = {
		.outcome = v->outcome,
		.quiet = v->quiet,
		.exec = v->exec,
		.environment = v->environment,
		.why = v->why,
	};

	vec_each(&v->rules, r)
		if (!said.by && !said.added && r->role == AA_ROLE_DECIDES) {
			said.by = r->rule;
			said.added = !r->rule;
		}
	/* Rules that allow do not decide what is refused for another reason. */
	if (v->lacking && said.by && said.by->prefix.mode == AA_MODE_ALLOW && !v->why)
		said.by = NULL;
	note_agreeing(&said, v);
	return said;
}

/* "allowed (Px -> web//kid)" */
static const char *answer_text(struct profiles *c, const struct profile_said *x)
{
	BUF_AUTO text = { 0 };

	buf_puts(&text, access_outcome(x->outcome));
	if (x->quiet)
		buf_puts(&text, " without a record");
	if (x->exec.exec) {
		buf_puts(&text, " (");
		put_exec(&text, x->exec.exec, x->exec.unsafe, x->exec.target);
		buf_putc(&text, ')');
	}
	if (x->environment)
		buf_printf(&text, " (%s)", access_environment(x->environment));
	return buf_keep(c->arena, &text);
}

const char *profile_by(struct profiles *c, const struct profile_side *s,
		       const struct profile_said *x)
{
	BUF_AUTO text = { 0 };

	if (s->is_open) {
		put_uncounted(&text, c->session->sources, s->pale);
		return buf_keep(c->arena, &text);
	}
	if (x->by) {
		put_aa_rule(&text, c->session->sources, x->by);
	} else {
		put_place(&text, c->session->sources, s->q.profile->stmt->head);
		buf_puts(&text, x->added && x->outcome == AA_ALLOWED ?
					": a rule that the parser adds to it" :
					": no rule");
	}
	if (x->why)
		buf_printf(&text, "  (%s)", x->why);
	return buf_keep(c->arena, &text);
}

static struct diff_agreeing agreeing(struct profiles *c, const struct profile_said *x)
{
	const char **list = ARENA_ARRAY(c->arena, const char *, PROFILE_ALSO_MAX);

	for (unsigned i = 0; i < x->also_n; i++) {
		BUF_AUTO text = { 0 };
		put_aa_rule(&text, c->session->sources, x->also[i]);
		list[i] = buf_keep(c->arena, &text);
	}
	return (struct diff_agreeing){ list, x->also_n, x->also_more };
}

struct diff_resource profile_row(struct profiles *c, const struct profile_told *told)
{
	return (struct diff_resource){
		.change = told->change,
		.kind = told->kind,
		.a = answer_text(c, &told->a),
		.b = answer_text(c, &told->b),
		.by_a = profile_by(c, &c->a, &told->a),
		.by_b = profile_by(c, &c->b, &told->b),
		.also_a = agreeing(c, &told->a),
		.also_b = agreeing(c, &told->b),
	};
}

static bool same_answer(const struct profile_said *x, const struct profile_said *y)
{
	return x->outcome == y->outcome && x->quiet == y->quiet &&
	       x->environment == y->environment && x->exec.exec == y->exec.exec &&
	       x->exec.unsafe == y->exec.unsafe && str_eq(x->exec.target, y->exec.target);
}

static bool same_said(const struct profile_said *x, const struct profile_said *y)
{
	return same_answer(x, y) && x->by == y->by && x->added == y->added && x->why == y->why;
}

bool profile_is_named(const struct profiles *c, const struct profile_told *now)
{
	vec_each(&c->told, old) {
		const struct profile_said *said = c->naming_a ? &old->a : &old->b;

		if (old->kind == now->kind && same_answer(&old->a, &now->a) &&
		    same_answer(&old->b, &now->b) && (now->perms[0] & ~old->perms[0]) == 0 &&
		    (now->perms[1] & ~old->perms[1]) == 0 &&
		    (str_eq(old->where, now->where) || is_also(said, c->naming)))
			return true;
	}
	return false;
}

bool profile_same_told(const struct profile_told *x, const struct profile_told *y)
{
	return x->kind == y->kind && x->change == y->change && same_said(&x->a, &y->a) &&
	       same_said(&x->b, &y->b);
}

struct profile_told *profile_told_of(struct profiles *c, const struct profile_told *now)
{
	vec_each(&c->told, old)
		if (profile_same_told(old, now))
			return old;
	vec_push(c->arena, &c->told, *now);
	return &c->told.v[c->told.n - 1];
}

void put_head(struct buf *out, const struct sources *sources, const struct aa_profile *p)
{
	const struct aa_stmt *st = p->stmt;

	if (st->block.end)
		put_text(out, sources,
			 (struct span){ st->span.source, st->head.begin, st->block.begin });
	else
		put_text(out, sources, st->head);
}

bool profile_same_modes(const struct profiles *c)
{
	unsigned modes = AA_FLAG_MODES | AA_FLAG_AUDIT;

	return !((c->a.q.profile->header->flags ^ c->b.q.profile->header->flags) & modes);
}

/* ---- accesses ---- */

bool profile_read_access(struct profiles *c, const char *text, struct aa_access *out)
{
	struct diags *sink = diags_new(c->arena, c->session->sources);
	const struct source *src = source_add(c->session->sources, "<access>", str_c(text));

	return aa_access_read(c->arena, src, out, sink);
}

/* False: the rule that is being named has no part in it. */
static bool has_part(const struct profiles *c, const struct aa_verdict *a,
		     const struct aa_verdict *b, struct profile_told *told)
{
	if (!c->naming)
		return true;
	return c->naming_a ? profile_said_by(&told->a, a, c->naming) :
			     profile_said_by(&told->b, b, c->naming);
}

struct profile_told profile_ask_both(struct profiles *c, enum resource_kind kind,
				     const struct aa_access *access)
{
	struct aa_verdict a = aa_ask(&c->a.q, access, FILE_OTHER);
	struct aa_verdict b = aa_ask(&c->b.q, access, FILE_OTHER);
	struct profile_told now = { .kind = kind,
				    .a = profile_said_of(&a),
				    .b = profile_said_of(&b) };

	now.change = profile_change(c, &now.a, &now.b);
	if (now.change != CHANGE_UNDECIDED && !has_part(c, &a, &b, &now))
		now.change = CHANGE_NR;
	return now;
}
