/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_risk.h"

bool aa_risk_counts(const struct lint *l)
{
	unsigned open = AA_FLAG_COMPLAIN | AA_FLAG_UNCONFINED | AA_FLAG_DEFAULT_ALLOW;

	return !(l->aa->profile->header->flags & open);
}

struct span aa_risk_flags(const struct aa_profile *p)
{
	for (const struct aa_item *i = p->stmt->items; i; i = i->next)
		if (i->kind != AA_WORD && str_is(i->word.text, "flags"))
			return i->span;
	return p->stmt->head;
}

bool aa_risk_has(const struct lint *l, enum aa_class class)
{
	vec_each(&l->aa->q->rules, r)
		if ((*r)->class == class && (*r)->prefix.mode == AA_MODE_ALLOW)
			return true;
	return false;
}

const struct aa_rule *aa_risk_allowed(struct lint *l, const char *access)
{
	const struct aa_spoken *by;
	struct aa_verdict v;

	if (!aa_may_ask(l, access, &v))
		return NULL;
	by = aa_allows(&v) ? aa_decider(&v) : NULL;
	return by ? by->rule : NULL;
}

const struct aa_rule *aa_risk_allowed_of(struct lint *l, const char *access, enum aa_class class)
{
	struct aa_verdict v;

	if (!aa_may_ask(l, access, &v) || !aa_allows(&v))
		return NULL;
	vec_each(&v.rules, r)
		if (r->role != AA_ROLE_OUTRANKED && r->rule && r->rule->class == class)
			return r->rule;
	return aa_decider(&v) ? aa_decider(&v)->rule : NULL;
}

/* ---- messages ---- */

enum { ACCESSES_MAX = 3 }; /* that one names */

const char *aa_risk_list(struct lint *l, const struct aa_risks *risks)
{
	BUF_AUTO b = { 0 };
	size_t said = 0;

	for (unsigned s = 0; s < SEVERITY_NR; s++)
		vec_each(&risks->list, r) {
			if (r->severity != s || said++ >= ACCESSES_MAX)
				continue;
			buf_printf(&b, "%s'%s' is allowed%s%s", said > 1 ? "; " : "", r->access,
				   *r->does ? ": " : "", r->does);
		}
	if (said > ACCESSES_MAX)
		buf_printf(&b, "; and %zu more", said - ACCESSES_MAX);
	return buf_keep(l->arena, &b);
}

static enum severity gravest(const struct aa_risks *risks, enum severity least)
{
	vec_each(&risks->list, r)
		least = r->severity < least ? r->severity : least;
	return least;
}

struct diag *aa_risk_say(struct lint *l, enum diag_id id, const struct aa_use *use,
			 const struct aa_risks *risks, const char *text)
{
	enum severity severity =
		gravest(risks, risks->list.n ? SEVERITY_INFO : diag_info(id)->severity);
	struct aa_told *known = aa_told_of(l, id, use);
	struct diag *d = aa_tell(l, id, use, "%s", text);

	if (d)
		known = aa_told_of(l, id, use);
	else if (severity < known->diag->severity ||
		 (severity == known->diag->severity && risks->list.n > known->weight))
		aa_tell_instead(l, known, aa_place(use), text);
	else
		severity = known->diag->severity;
	if (known->weight < risks->list.n)
		known->weight = risks->list.n;
	diag_severity(l->ds, known->diag, severity);
	vec_each(&risks->list, r)
		diag_also(l->ds, known->diag, str_c(r->access));
	return d;
}

struct cause {
	const struct aa_use *use;
	struct aa_risks risks;
};

static struct cause *cause_of(struct cause *v, size_t n, const struct aa_stmt *stmt)
{
	for (size_t i = 0; i < n; i++)
		if (v[i].use->stmt == stmt)
			return &v[i];
	return NULL;
}

/* "cap sys_admin" */
static bool names_word(const struct aa_risks *risks, struct str word)
{
	vec_each(&risks->list, r)
		if (str_starts(str_c(r->access), "cap ") && str_is(word, r->access + 4))
			return true;
	return false;
}

/* Of `capability a b,` the words that are told of; of any other rule, or where none stays, all. */
static void cut_cause(struct lint *l, struct diag *d, const struct cause *c)
{
	const struct aa_item *first = c->use->stmt->items;
	size_t kept = 0, cut = 0;

	if (c->risks.narrower && first && !first->next &&
	    first->span.begin == c->use->stmt->span.begin) {
		aa_fix_lines(l, d, c->use, first->span, c->risks.narrower, FIX_TIGHTER);
		return;
	}
	if (!aa_item_is(first, "capability")) {
		aa_fix_cut(l, d, c->use, FIX_UNSAFE, FIX_TIGHTER);
		return;
	}
	for (const struct aa_item *i = first->next; i; i = i->next)
		if (names_word(&c->risks, i->word.text))
			cut++;
		else
			kept++;
	if (!kept || !cut) {
		aa_fix_cut(l, d, c->use, FIX_UNSAFE, FIX_TIGHTER);
		return;
	}
	for (const struct aa_item *i = first->next; i; i = i->next)
		if (names_word(&c->risks, i->word.text))
			aa_fix_cut_item(l, d, c->use, i, FIX_UNSAFE, FIX_TIGHTER);
}

void aa_risk_tell(struct lint *l, enum diag_id id, const struct aa_risks *risks, const char *help)
{
	VEC(struct cause) causes = { 0 };

	vec_each(&risks->list, r) {
		struct cause *c = cause_of(causes.v, causes.n, r->use->stmt);
		if (!c) {
			vec_push(l->arena, &causes,
				 ((struct cause){ .use = r->use,
						  .risks.narrower = risks->narrower }));
			c = &causes.v[causes.n - 1];
		}
		vec_push(l->arena, &c->risks.list, *r);
	}
	vec_each(&causes, c) {
		struct diag *d = aa_risk_say(l, id, c->use, &c->risks, aa_risk_list(l, &c->risks));
		if (!d)
			continue;
		diag_help(l->ds, d, "%s", help);
		if (id != DIAG_AP303) /* which of all the program needs is not known */
			cut_cause(l, d, c);
	}
}
