/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: their class, and what they begin with, with the blocks around them (parser_yacc.y, rules). */
#include "compiler/apparmor/expand_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- what is kept ---- */

/* Those that the parser keeps in one list, which alone outlives a block. */
static bool is_entry(enum aa_class class)
{
	return class == AA_CLASS_FILE || class == AA_CLASS_CHANGE_PROFILE;
}

/* What a branch that holds gives to the rules around it (parser_policy.c, merge_policy). */
static bool outlives_if(const struct expanding *x, enum aa_class class, const struct scope *scope)
{
	enum aa_release release = x->p->target.release;

	if (is_entry(class) || class == AA_CLASS_CAPABILITY)
		return true;
	if (release == AA_RELEASE_3_0 && class == AA_CLASS_NETWORK)
		return scope->if_network;
	return release >= AA_RELEASE_4_1 && class != AA_CLASS_RLIMIT;
}

/* ---- blocks around a rule ---- */

/* The parser tells `allow` from nothing said (parser_yacc.y, opt_rule_mode). */
enum said { SAID_NOTHING, SAID_ALLOW, SAID_DENY, SAID_PROMPT };

static enum said said(const struct aa_prefix *p)
{
	return p->mode == AA_MODE_DENY   ? SAID_DENY :
	       p->mode == AA_MODE_PROMPT ? SAID_PROMPT :
	       p->mode_said              ? SAID_ALLOW :
					   SAID_NOTHING;
}

/* A file rule as the parser keeps it; of a deny, `audit` is what is kept from the log. */
struct entry {
	enum said mode;
	bool audit;
	bool mine, others; /* whom it speaks of */
	bool varies;       /* whether it denies, from block to block */
	bool implied;      /* 4.1.8: `audit` is but what a deny brings */
	unsigned blocks;   /* 1 << the mode behind each block */
	int priority;
};

static void restrict_owner(struct entry *e, enum aa_owner owner)
{
	e->others = e->others && owner != AA_OWNER_ONLY;
	e->mine = e->mine && owner != AA_OWNER_OTHER;
}

/* parser_misc.c, entry_add_prefix, of 4.0 and later: what stands outside takes the mode's place. */
static void apply(struct entry *e, const struct aa_prefix *w)
{
	e->mode = said(w);
	e->priority = w->priority;
	restrict_owner(e, w->owner);
	if (w->audit != (said(w) == SAID_DENY))
		e->audit = true;
}

/*
 * parser_misc.c, generic_add_prefix of 4.1.8 (5.0.2 is older): what is said stays, unless what stands
 * outside says another mode, and then it is refused. An `audit deny` inside a deny is a plain deny.
 */
static bool apply_4_1_8(struct entry *e, const struct aa_prefix *w)
{
	bool forced = w->audit || (e->audit && !e->implied);

	restrict_owner(e, w->owner);
	if (said(w) != SAID_NOTHING && e->mode != SAID_NOTHING && said(w) != e->mode)
		return false;
	if (said(w) != SAID_NOTHING)
		e->mode = said(w);
	if (w->priority)
		e->priority = w->priority;
	if (e->mode == SAID_DENY && forced)
		e->audit = e->implied = false;
	else if (said(w) == SAID_DENY)
		e->audit = e->implied = true;
	else
		e->audit |= w->audit;
	return true;
}

/* parser_yacc.y of 3.0.8 */
static void apply_old(struct entry *e, const struct aa_prefix *w)
{
	restrict_owner(e, w->owner);
	if (w->audit != (e->mode == SAID_DENY))
		e->audit = true;
}

static enum aa_mode mode_of(enum said mode)
{
	return mode == SAID_DENY   ? AA_MODE_DENY :
	       mode == SAID_PROMPT ? AA_MODE_PROMPT :
				     AA_MODE_ALLOW;
}

static void tell_changed(struct expanding *x, const struct aa_stmt *s, const struct aa_prefix *own,
			 const struct entry *e, const struct scope *scope)
{
	const struct block *outer = scope->block;
	struct diag *d;

	if (own->mode != mode_of(e->mode) && own->mode != AA_MODE_ALLOW) {
		d = aax_tell(x, DIAG_PL361, s->head, scope->from,
			     "the block takes '%s' from this rule, which then %s",
			     own->mode == AA_MODE_DENY ? "deny" : "prompt",
			     e->mode == SAID_DENY   ? "denies" :
			     e->mode == SAID_PROMPT ? "prompts" :
						      "allows");
		diag_note(x->ds, d, outer->stmt->head, "the parser has this block's words instead");
		diag_help(x->ds, d, "write the rule outside of the block");
	} else if (own->priority && e->priority != own->priority) {
		d = aax_tell(x, DIAG_PL360, s->prefix->span, scope->from,
			     "a priority inside a block has no effect");
		diag_help(x->ds, d, "write the rule outside of the block");
	}
	if (e->mine || e->others)
		return;
	d = aax_tell(x, DIAG_PL360, s->head, scope->from,
		     "this rule speaks of nobody: of the owner only, and of others only");
	diag_note(x->ds, d, outer->stmt->head, "in this block");
}

static void tell_modes(struct expanding *x, const struct aa_stmt *s, const struct block *b,
		       const struct scope *scope)
{
	struct diag *d = aax_tell(x, DIAG_PL337, s->head, scope->from,
				  "this rule, or a block around it, says another mode than the "
				  "block around that");

	diag_note(x->ds, d, b->stmt->head, "this block");
	diag_help(x->ds, d, "write the rule outside of the block");
}

/* Of a branch that does not hold nothing reaches the blocks around the branch. */
static struct entry combine(struct expanding *x, const struct aa_stmt *s,
			    const struct aa_prefix *own, const struct scope *scope)
{
	enum aa_release release = x->p->target.release;
	bool strict = release == AA_RELEASE_4_1_8;
	struct entry e = { .mode = said(own), .mine = true, .others = true };

	if (strict)
		apply_4_1_8(&e, own);
	else
		apply(&e, own);
	for (const struct block *b = scope->block; b && b != scope->cut; b = b->outer) {
		bool denied = e.mode == SAID_DENY;
		if (strict && !apply_4_1_8(&e, &b->words)) {
			tell_modes(x, s, b, scope);
			break;
		}
		if (release < AA_RELEASE_4_0)
			apply_old(&e, &b->words);
		else if (!strict)
			apply(&e, &b->words);
		e.varies |= denied != (e.mode == SAID_DENY);
		e.blocks |= 1u << mode_of(e.mode);
	}
	return e;
}

/* Whom a file belongs to is nothing to change_profile: its permission is one of both halves. */
static struct aa_prefix prefix_of(const struct aa_prefix *own, const struct entry *e,
				  enum aa_class class)
{
	struct aa_prefix p = { .priority = e->priority,
			       .mode = mode_of(e->mode),
			       .own = own->mode,
			       .audit = e->mode == SAID_DENY ? !e->audit : e->audit,
			       .mode_said = e->mode == SAID_ALLOW };

	/* The parser looks at 'x' after each block: one of them says the other. */
	if (e->varies)
		p.own = p.mode == AA_MODE_DENY ? AA_MODE_ALLOW : AA_MODE_DENY;
	p.owner = (e->mine && e->others) || class == AA_CLASS_CHANGE_PROFILE ? AA_OWNER_ANY :
		  e->mine                                                    ? AA_OWNER_ONLY :
									       AA_OWNER_OTHER;
	return p;
}

/* ---- rules ---- */

static void tell_lost(struct expanding *x, const struct aa_stmt *s, const struct scope *scope,
		      bool in_block)
{
	struct diag *d = aax_tell(x, DIAG_PL360, s->head, scope->from,
				  in_block ? "AppArmor's parser drops this rule: of a block it "
					     "keeps file rules only" :
					     "AppArmor's parser drops this rule: of a branch it "
					     "does not keep it");

	if (in_block)
		diag_note(x->ds, d, scope->block->stmt->head, "the block");
	diag_help(x->ds, d,
		  in_block ? "write it outside of the block" : "write it outside of the condition");
}

void aax_add_rule(struct expanding *x, const struct aa_stmt *s, const struct scope *scope)
{
	struct aa_use use = { .stmt = s, .reach = scope->reach, .from = scope->from };
	struct aa_prefix own = { 0 };
	struct entry e;
	bool live = scope->reach == AA_REACH_LIVE;

	x->rd.from = scope->from;
	if (!aa_prefix_read(&x->rd, s, &own))
		return;
	use.class = aa_class_of(&x->rd, s->items);
	if (use.class == AA_CLASS_NETWORK)
		scope->level->network = true;
	e = combine(x, s, &own, scope);
	use.prefix = prefix_of(&own, &e, use.class);
	use.blocks = e.blocks;
	if (live && scope->block && !is_entry(use.class)) {
		tell_lost(x, s, scope, true);
		use.reach = AA_REACH_LOST;
	} else if (live && scope->in_if && !outlives_if(x, use.class, scope)) {
		tell_lost(x, s, scope, false);
		use.reach = AA_REACH_LOST;
	} else if (live && scope->block) {
		tell_changed(x, s, &own, &e, scope);
		if (!e.mine && !e.others && use.class != AA_CLASS_CHANGE_PROFILE)
			use.reach = AA_REACH_LOST;
	}
	vec_push(x->arena, &scope->profile->uses, use);
}
