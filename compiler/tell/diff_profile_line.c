/* SPDX-License-Identifier: Apache-2.0 */
/* What one answer of a profile is beside another, and its line. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff_profiles.h"

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
	if (sign)
		return sign_change(sign);
	return a->outcome == AA_REFUSED && a->quiet != b->quiet ? CHANGE_ERRNO : CHANGE_NR;
}

struct profile_said profile_said_of(const struct aa_verdict *v)
{
	struct profile_said said = {
		.outcome = v->outcome, .quiet = v->quiet, .exec = v->exec, .why = v->why
	};

	vec_each(&v->rules, r)
		if (!said.by && !said.added && r->role == AA_ROLE_DECIDES) {
			said.by = r->rule;
			said.added = !r->rule;
		}
	/* Rules that allow do not decide what is refused for another reason. */
	if (v->lacking && said.by && said.by->prefix.mode == AA_MODE_ALLOW && !v->why)
		said.by = NULL;
	return said;
}

const char *profile_answer(struct profiles *c, const struct profile_said *x)
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
	return buf_keep(c->arena, &text);
}

const char *profile_by(struct profiles *c, const struct profile_side *s,
		       const struct profile_said *x)
{
	BUF_AUTO text = { 0 };

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

static bool same_said(const struct profile_said *x, const struct profile_said *y)
{
	return x->outcome == y->outcome && x->quiet == y->quiet && x->by == y->by &&
	       x->added == y->added && x->why == y->why && x->exec.exec == y->exec.exec &&
	       x->exec.unsafe == y->exec.unsafe && str_eq(x->exec.target, y->exec.target);
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
