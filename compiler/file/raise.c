/* SPDX-License-Identifier: Apache-2.0 */
/* Decision -> tree -> text -> tree -> policy -> decision: the first and the last are compared. */
#include "compiler/file/raise.h"

#include <string.h>

#include "compiler/decision/compare.h"
#include "compiler/decision/decompile.h"
#include "grammar/parse.h"
#include "grammar/print.h"

struct raising {
	struct session *s;
	struct dd *dd;
	const struct raise_options *o;
	dd_node root;
	const struct policy *policy; /* what was written, read again */
	dd_node written;
};

static const char *answer(struct raising *r, dd_node n, const struct dd_point *at)
{
	BUF_AUTO text = { 0 };

	verdict_print(&text, dd_eval_at(r->dd, n, at));
	return str_dup(r->s->arena, (struct str){ text.p, text.n });
}

static const char *witness(struct raising *r, const struct dd_point *at)
{
	BUF_AUTO text = { 0 };

	words_witness(&text, at);
	return str_dup(r->s->arena, (struct str){ text.p, text.n });
}

static void way_out(struct raising *r, struct diag *d)
{
	diag_help(r->s->diags, d, "--approximate writes a policy that is tighter there");
}

/* ---- what no policy says ---- */

static bool take_ip(struct raising *r)
{
	struct dd_point at;
	dd_node tight = decompile_tighten_ip(r->dd, r->root);

	if (tight == DD_NONE || !dd_differ_at(r->dd, r->root, tight, &at))
		return tight != DD_NONE;
	struct diag *d = diag_add(
		r->s->diags, r->o->approximate ? DIAG_PL281 : DIAG_PL279, r->o->span,
		"%s looks at where a call comes from, and a policy does not: %s is "
		"%s, from elsewhere it is %s",
		r->o->what, witness(r, &at), answer(r, r->root, &at), answer(r, tight, &at));
	if (!r->o->approximate)
		way_out(r, d);
	r->root = tight;
	return r->o->approximate;
}

/* Every policy allows number -1 (language.md, rule 7): told, and left out of the comparison. */
static void allow_skip(struct raising *r)
{
	dd_node allow = dd_terminal(r->dd, (struct verdict){ VERDICT_ALLOW, 0 });
	const char *arches = NULL, *verdict = NULL;

	for (unsigned a = 0; a < ARCH_NR; a++) {
		const struct arch_info *info = arch_info((enum arch)a);
		struct dd_point at = { { 0 } };
		if (!(r->policy->arches & ARCH_BIT(a)))
			continue;
		at.at[DD_CALL] = DD_CALL_OF(info->audit, UINT32_MAX);
		dd_node same =
			dd_choose(r->dd, dd_equal(r->dd, DD_CALL, UINT64_MAX, at.at[DD_CALL]),
				  allow, r->root);
		if (same == r->root)
			continue;
		arches = arches ? arena_printf(r->s->arena, "%s, %s", arches, info->name) :
				  info->name;
		verdict = verdict ? verdict : answer(r, r->root, &at);
		r->root = same;
	}
	if (arches)
		diag_add(r->s->diags, DIAG_PL280, r->o->span,
			 "number -1, which tracers set to skip a call: %s answers %s on %s, every "
			 "policy allows it",
			 r->o->what, verdict, arches);
}

/* Another errno is neither tighter nor the same. */
static bool is_looser(struct verdict written, struct verdict from)
{
	return written.kind > from.kind ||
	       (written.kind == from.kind && !verdict_eq(written, from));
}

static bool is_listed(const struct policy *p, uint32_t audit)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (p->arches & ARCH_BIT(a) && arch_info((enum arch)a)->audit == audit)
			return true;
	return false;
}

static const char *reason(const struct raising *r, const struct dd_point *at)
{
	if (!is_listed(r->policy, (uint32_t)(at->at[DD_CALL] >> 32)))
		return "a policy has one verdict for all architectures that it does not list";
	uint32_t nr = (uint32_t)at->at[DD_CALL];
	int a = arch_of_call((uint32_t)(at->at[DD_CALL] >> 32), &nr);
	if (a >= 0 && syscall_by_nr((enum arch)a, nr))
		return "a bug of pale, this can be said";
	return "a policy has one verdict for all numbers that no table knows, but for those it "
	       "names";
}

static dd_node with_token(struct raising *r, uint32_t audit)
{
	return dd_equal(r->dd, DD_CALL, UINT64_MAX << 32, DD_CALL_OF(audit, 0));
}

/* Does pale know every architecture that such a machine runs? Of others 32-bit ones are missing. */
static bool is_known_whole(const char *family)
{
	for (unsigned a = 0; a < ARCH_NR; a++)
		if (!strcmp(arch_info((enum arch)a)->family, family) &&
		    arch_info((enum arch)a)->bits == 32)
			return true;
	return false;
}

/* Architectures (AUDIT_ARCH_*) that machines of the listed ones run; all where that is not known. */
static dd_node run_here(struct raising *r)
{
	dd_node here = DD_FALSE;

	for (unsigned listed = r->policy->arches; listed; listed &= listed - 1) {
		const char *family = arch_info((enum arch)__builtin_ctz(listed))->family;
		if (!is_known_whole(family))
			return DD_TRUE;
		for (unsigned a = 0; a < ARCH_NR; a++) {
			const struct arch_info *info = arch_info((enum arch)a);
			if (!strcmp(info->family, family))
				here = dd_or(r->dd, here, with_token(r, info->audit));
		}
	}
	return here;
}

/*
 * Is it the same but for architectures that nobody runs there, and that the filter does not name?
 * Else *at becomes a call that can be made, where one differs.
 */
static bool differs_elsewhere_only(struct raising *r, struct dd_point *at)
{
	dd_node here = run_here(r), as_read = dd_choose(r->dd, here, r->root, r->written);

	if (here == DD_TRUE || as_read != r->written) {
		dd_differ_at(r->dd, as_read, r->written, at);
		return false;
	}
	dd_node there = dd_fix(r->dd, r->root, DD_CALL, UINT64_MAX << 32,
			       at->at[DD_CALL] & UINT64_MAX << 32);
	return there != DD_NONE && dd_choose(r->dd, here, there, r->root) == there;
}

static struct diag *tell_difference(struct raising *r, enum diag_id id, const struct dd_point *at)
{
	return diag_add(r->s->diags, id, r->o->span, "%s: %s answers %s to %s, the policy %s",
			id == DIAG_PL316 ? "no machine of the listed architectures runs this one" :
					   reason(r, at),
			r->o->what, answer(r, r->root, at), witness(r, at),
			answer(r, r->written, at));
}

/*
 * The comparison. False: told. What never runs may be tighter, where the filter itself says for
 * which machines it is.
 */
static bool compare(struct raising *r)
{
	struct dd_point at;
	struct diag *d;

	bool named = dd_names_architectures(r->dd, r->root);
	allow_skip(r);
	if (r->root == DD_NONE || r->written == DD_NONE)
		return false;
	if (!dd_differ_at(r->dd, r->root, r->written, &at))
		return true;
	bool tighter = dd_compare(r->dd, r->written, r->root, is_looser) == DD_FALSE;
	if (named && differs_elsewhere_only(r, &at) && tighter) {
		tell_difference(r, DIAG_PL316, &at);
		return true;
	}
	d = tell_difference(r, tighter && r->o->approximate ? DIAG_PL281 : DIAG_PL279, &at);
	if (!tighter)
		diag_help(r->s->diags, d,
			  "nor would a tighter one; 'pale sim' and 'pale explain' work on %s",
			  r->o->what);
	else if (!r->o->approximate)
		way_out(r, d);
	return tighter && r->o->approximate;
}

/* ---- there and back ---- */

static int not_decided(struct raising *r)
{
	struct diag *d = diag_add(r->s->diags, DIAG_PL295, r->o->span,
				  "what %s answers is not decided: it needs more than %d decision "
				  "nodes",
				  r->o->what, RAISE_BUDGET);

	diag_help(r->s->diags, d, "'pale sim' still answers for single calls");
	return EXIT_FOUND;
}

static bool write_policy(struct raising *r, struct buf *out)
{
	struct decompile_options opt = { .name = r->o->name,
					 .comment = r->o->comment,
					 .log_refusals = r->o->log_refusals,
					 .machine = r->o->machine,
					 .tighter = r->o->approximate };
	const char *why = NULL;
	struct ast_file *file = decision_decompile(r->dd, r->s->arena, r->root, &opt, &why);

	if (file) {
		ast_print(out, file);
		return true;
	}
	struct diag *d = diag_add(r->s->diags, DIAG_PL279, r->o->span, "%s", why);
	diag_help(r->s->diags, d, "'pale sim', 'pale explain' and 'pale diff' work on %s as it is",
		  r->o->what);
	return false;
}

/* Its notes are about the text, which nobody has seen yet: dropped unless it is refused. */
static bool read_policy(struct raising *r, const struct buf *text)
{
	struct session *s = r->s;
	struct diags *own = diags_new(s->arena, s->sources);
	struct source *src = source_add(s->sources, "<policy>", (struct str){ text->p, text->n });
	struct resolve_options opt = { 0 };
	struct ast_file *file = pale_parse_source(s->arena, src, own);
	struct policies *list = own->errors ? NULL : policy_resolve(s->arena, file, &opt, own);

	if (!own->errors) {
		r->policy = list->list.v[0];
		struct decision *d = decision_build_in(s->arena, r->dd, r->policy, own);
		r->written = d ? decision_root(d, r->policy->arches) : DD_NONE;
	}
	if (!own->errors)
		return true;
	diag_add(s->diags, DIAG_PL279, r->o->span,
		 "the policy that says what %s does is not one that pale accepts: it follows",
		 r->o->what);
	diags_take(s->diags, own);
	return false;
}

int raise_policy(struct session *s, struct dd *dd, dd_node root, const struct raise_options *o,
		 struct buf *out)
{
	struct raising r = { .s = s, .dd = dd, .o = o, .root = root };
	size_t start = out->n;

	if (root == DD_NONE)
		return not_decided(&r);
	bool ok = take_ip(&r) && write_policy(&r, out) && !out->failed && read_policy(&r, out) &&
		  compare(&r);
	if (!ok && (r.root == DD_NONE || r.written == DD_NONE) && !s->diags->errors)
		return not_decided(&r);
	if (!ok)
		out->n = start;
	return s->diags->errors || !ok ? EXIT_FOUND : EXIT_OK;
}

bool policy_name_is_legal(const char *name)
{
	size_t n = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

	return n && n <= 64 && !name[n] && (name[0] < '0' || name[0] > '9') && name[0] != '-';
}
