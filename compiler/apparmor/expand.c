/* SPDX-License-Identifier: Apache-2.0 */
/* The statements of a file and of what it includes, in the order in which the parser meets them. */
#include "compiler/apparmor/expand_parts.h"

/* ---- what stands where ---- */

static void misplaced(struct expanding *x, const struct aa_stmt *s, const struct scope *scope,
		      const char *what, const char *help)
{
	struct diag *d;
	const char *where = scope->profile ? "inside a profile" :
			    x->first       ? "behind the first profile" :
					     "outside of a profile";

	d = aax_tell(x, DIAG_PL354, s->head, scope->from, "%s %s", what, where);
	if (!scope->profile && x->first)
		diag_note(x->ds, d, x->first->head, "the first profile");
	diag_help(x->ds, d, "%s", help);
}

/* The preamble: what stands in front of the first profile, by includes too. */
static bool in_preamble(const struct expanding *x, const struct scope *scope)
{
	return !scope->profile && !x->first;
}

static void add_alias(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct aa_alias alias = { .way = scope->from };

	x->rd.from = scope->from;
	if (!in_preamble(x, scope))
		misplaced(x, s, scope, "an alias", "aliases stand in front of the first profile");
	else if (aa_alias_read(&x->rd, s, &alias))
		vec_push(x->arena, &x->p->aliases, alias);
}

static void take_rule(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	if (aa_item_is(s->items, "alias") || aa_item_is(s->items, "rewrite")) {
		add_alias(x, s, scope);
	} else if (aa_item_is(s->items, "abi")) {
		if (!scope->profile && x->first)
			misplaced(x, s, scope, "an abi",
				  "the abi stands in front of the first profile");
		else
			aax_abi(x, s, scope);
	} else if (scope->profile) {
		aax_add_rule(x, s, scope);
	} else {
		misplaced(x, s, scope, "a rule", "rules stand in braces: profile NAME { ... }");
	}
}

/* ---- blocks and branches ---- */

static void walk(struct expanding *x, const struct aa_stmt *list, const struct scope *scope);

static void take_block(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct block block = { .outer = scope->block, .stmt = s };
	struct level level = { 0 };
	struct scope inner = *scope;

	if (!scope->profile) {
		misplaced(x, s, scope, "a block", "blocks of rules stand in a profile");
		return;
	}
	x->rd.from = scope->from;
	if (!aa_prefix_read(&x->rd, s, &block.words))
		return;
	if (block.words.mode == AA_MODE_DENY && x->p->target.release < AA_RELEASE_4_0) {
		struct diag *d = aax_tell(x, DIAG_PL337, s->head, scope->from,
					  "AppArmor 3.0 denies no blocks");
		diag_help(x->ds, d, "write it in front of each rule");
		return;
	}
	inner.block = &block;
	inner.level = &level;
	inner.group = s;
	inner.in_if = false;
	walk(x, s->body, &inner);
}

/* parser_policy.c, merge_policy of 3.0.8: the branch's table of networks is not there. */
static void tell_crash(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct diag *d;

	d = aax_tell(x, DIAG_PL357, s->head, scope->from,
		     "AppArmor 3.0's parser crashes on a branch without network rules behind a "
		     "network rule");
	diag_help(x->ds, d, "write the network rules below the conditions");
}

static void take_branch(struct expanding *x, const struct aa_stmt *s, bool holds,
			const struct scope *scope)
{
	struct level level = { 0 };
	struct scope inner = *scope;

	inner.level = &level;
	if (holds) {
		inner.if_network = (!scope->in_if || scope->if_network) && scope->level->network;
		inner.in_if = true;
	} else {
		inner.group = s;
		inner.cut = scope->block;
		if (inner.reach == AA_REACH_LIVE)
			inner.reach = AA_REACH_FALSE;
	}
	walk(x, s->body, &inner);
	if (holds && scope->level->network && !level.network &&
	    x->p->target.release == AA_RELEASE_3_0)
		tell_crash(x, s, scope);
}

/* Every condition is decided, also those behind one that holds: what is wrong is wrong. */
static void take_if(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct scope rest = *scope;
	bool taken = false;

	if (!scope->profile) {
		misplaced(x, s, scope, "a condition", "conditions stand in a profile");
		return;
	}
	for (; s && s->kind == AA_STMT_IF; s = s->otherwise) {
		bool holds = aax_decide_if(x, s->expr, scope->from);
		take_branch(x, s, holds && !taken, &rest);
		taken |= holds;
	}
	if (s)
		take_branch(x, s, !taken, &rest);
}

/* ---- the walk ---- */

static void take_setting(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	if (!in_preamble(x, scope))
		misplaced(x, s, scope, "a variable is set",
			  "variables are set in front of the first profile");
	else if (s->kind == AA_STMT_VAR)
		aax_set_variable(x, s, scope->from);
	else
		aax_set_boolean(x, s, scope->from);
}

static void walk(struct expanding *x, const struct aa_stmt *list, const struct scope *scope)
{
	for (const struct aa_stmt *s = list; s && !x->stopped; s = s->next) {
		if (x->ds->errors >= x->ds->cap) {
			x->stopped = true; /* what comes later may declare what is missed by then */
			return;
		}
		switch (s->kind) {
		case AA_STMT_RULE: take_rule(x, s, scope); break;
		case AA_STMT_BLOCK: take_block(x, s, scope); break;
		case AA_STMT_PROFILE: aax_add_profile(x, s, scope); break;
		case AA_STMT_IF: take_if(x, s, scope); break;
		case AA_STMT_VAR:
		case AA_STMT_BOOL: take_setting(x, s, scope); break;
		case AA_STMT_INCLUDE: aax_follow(x, s, scope); break;
		case AA_STMT_NR: break;
		}
	}
}

/* ---- entry ---- */

static void hand_over_variables(struct expanding *x)
{
	struct glob_variables *out = &x->p->variables;

	vec_each(&x->vars.list, v) {
		struct glob_variable one = { .name = (*v)->name };
		if ((*v)->boolean || (*v)->own || (*v)->gone)
			continue;
		/* What was opened before it was added to stays what it was. */
		if ((*v)->frozen)
			one.values.v = (*v)->opened.v, one.values.n = (*v)->opened.n;
		else
			one.values.v = (*v)->values.v, one.values.n = (*v)->values.n;
		vec_push(x->arena, &out->list, one);
	}
}

bool aa_asked_alike(const struct aa_asked *a, const struct aa_asked *b)
{
	bool kernels = a->kernel && b->kernel ? str_eq(a->kernel->text, b->kernel->text) :
						!a->kernel == !b->kernel;

	return kernels && a->release == b->release && !a->target == !b->target;
}

struct aa_policy *aa_expand(struct arena *a, struct aa_library *lib, const struct aa_file *file,
			    const struct aa_asked *asked, struct diags *ds)
{
	struct expanding x = {
		.arena = a,
		.lib = lib,
		.ds = ds,
		.kernel = asked->kernel,
		.walk = walk,
		.rd = { .arena = a, .diags = ds, .target = { .release = asked->release } },
	};
	struct aa_seen seen = { 0 };
	struct level level = { 0 };
	struct scope scope = { .seen = &seen, .level = &level };

	x.p = ARENA_NEW(a, struct aa_policy);
	x.p->target.release = asked->release;
	x.vars.arena = a;
	x.vars.turn = 1;
	x.vars.strict = asked->release >= AA_RELEASE_5_0;
	x.flat = file->source ? file->source->text.n : 0;
	aax_tell_joints(&x, file, NULL);
	walk(&x, file->stmts, &scope);
	x.p->target.addresses = aa_features_addresses(x.p->features, x.kernel);
	x.p->target.unstacked = !aa_features_stack(x.p->features, x.kernel);
	x.p->target.ownerless = asked->release >= AA_RELEASE_4_1 &&
				asked->release < AA_RELEASE_4_1_8 &&
				aa_features_owner_flag(x.kernel);
	x.p->target.mediated = aa_features_classes(asked->release, x.p->features, x.kernel);
	x.p->target.compiled = aa_features_compiled(asked->release, x.p->features, x.kernel);
	aax_finish(&x);
	hand_over_variables(&x);
	return x.p;
}
