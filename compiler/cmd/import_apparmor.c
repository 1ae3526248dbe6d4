/* SPDX-License-Identifier: Apache-2.0 */
/* pale import of an AppArmor file: one profile, written, read again, and compared with itself. */
#include "compiler/cmd/import_apparmor.h"

#include "compiler/apparmor/needs.h"
#include "compiler/apparmor/to_policy.h"
#include "compiler/file/raise.h"
#include "grammar/ast_build.h"
#include "grammar/parse.h"
#include "grammar/print.h"

struct import {
	struct session *s;
	const struct apparmor_reading *reading;
	const struct apparmor_target *target; /* that is named; NULL: none */
	const struct aa_policy *policy;
	struct aa_means_pool *pool;
	struct aa_asking profile, written, named; /* written: for no target; named: for that one */
	const char *name;
};

static struct span head_of(const struct import *im)
{
	return im->profile.profile->stmt->head;
}

/* A policy has no children. */
static bool tell_children(struct session *s, const struct options *o, const struct aa_profile *p)
{
	bool asked = o->at[OPT_PROFILE].given;
	struct diag *d;

	vec_each(&p->children, child) {
		if ((*child)->reach != AA_REACH_LIVE)
			continue;
		d = diag_add(s->diags, asked ? DIAG_PL399 : DIAG_PL397, (*child)->stmt->head,
			     "a policy holds no children or hats, and '%s' is one",
			     str_safe_of(s->arena, (*child)->name));
		diag_help(s->diags, d,
			  asked ? "import it as a policy of its own; the files by which programs "
				  "change to children are left out, too" :
				  "name one profile with --profile: what is in it is left out");
		return asked;
	}
	return true;
}

/* For children the parser adds rules, w without a among them, which no policy says. */
static const struct aa_profile *without_children(struct arena *a, const struct aa_profile *p)
{
	struct aa_profile *alone = ARENA_NEW(a, struct aa_profile);

	*alone = *p;
	alone->children.n = 0;
	return alone;
}

/* The text means nothing to the user yet: its line is quoted. */
static void tell_refused(struct import *im, const struct diags *own)
{
	vec_each(&own->list, d) {
		BUF_AUTO line = { 0 };
		if ((*d)->severity != SEVERITY_ERROR)
			continue;
		buf_safe(&line, span_text(own->sources, (*d)->span));
		diag_help(
			im->s->diags,
			diag_add(im->s->diags, DIAG_PL397, head_of(im),
				 "the policy would be refused, for '%s': %s", line.p ? line.p : "",
				 (*d)->text),
			(*d)->id == DIAG_PL390 && !(im->target && im->target->kernel) ?
				"name the kernel too, as what it lacks does not count there, or a "
				"newer release: --target apparmor=4.1,kernel=6.12" :
				"take it out of the profile, and import what is left");
		return;
	}
}

/* As it is compiled for nobody by name and, where a target is named, for that one. */
static bool ask_again(struct import *im, const struct policy *p, struct diags *own)
{
	struct aa_asked asked = im->reading->asked;

	asked.target = NULL;
	if (!aa_asking_policy(im->s->arena, im->pool, p, &asked, own, &im->written))
		return false;
	im->named = im->written;
	asked.target = im->target;
	return !im->target || aa_asking_policy(im->s->arena, im->pool, p, &asked, own, &im->named);
}

/* NULL: told. */
static const struct policy *read_again(struct import *im, const struct buf *text)
{
	struct arena *a = im->s->arena;
	struct diags *own = diags_new(a, im->s->sources);
	const struct resolve_options opt = { .foreign = true };
	struct str copy = { arena_dup(a, text->p, text->n), text->n };
	struct source *src = source_add(im->s->sources, "<policy>", copy);
	struct ast_file *file = pale_parse_source(a, src, own);
	struct policies *all = own->errors ? NULL : policy_resolve(a, file, &opt, own);

	if (!own->errors && ask_again(im, all->list.v[0], own))
		return all->list.v[0];
	tell_refused(im, own);
	return NULL;
}

static const struct policy *write_policy(struct import *im, const struct aa_whole *whole,
					 struct buf *text)
{
	struct ast_file *file =
		aa_to_policy(im->s->arena, im->policy, &im->profile, im->name, whole, im->s->diags);

	if (!file)
		return NULL;
	text->n = 0;
	ast_print(text, file);
	return read_again(im, text);
}

/*
 * Those that rules of their own say whole. Sockets of unix are network's where they are not
 * mediated for themselves.
 */
static unsigned said_whole(unsigned classes)
{
	return classes & ~(1u << AA_CLASS_NETWORK | 1u << AA_CLASS_SIGNAL | 1u << AA_CLASS_UNIX);
}

/* What is denied whole may ask for an abi that has more mediated, which is allowed whole then. */
static const struct policy *make(struct import *im, struct buf *text)
{
	const struct policy *p;
	struct aa_whole whole = { 0 };

	for (;;) {
		p = write_policy(im, &whole, text);
		if (!p)
			return NULL;
		unsigned x = im->profile.target.mediated, y = im->written.target.mediated,
			 z = im->named.target.mediated;
		struct aa_whole more = { whole.deny | said_whole(x & ~(y & z)),
					 whole.allow | said_whole((y | z) & ~x) };
		if (more.deny == whole.deny && more.allow == whole.allow)
			break;
		whole = more;
	}
	if (!aa_means_same(im->s->arena, &im->profile, &im->named, im->s->diags))
		return NULL;
	if (im->target && !aa_means_same(im->s->arena, &im->profile, &im->written, im->s->diags))
		return NULL;
	return p;
}

static const char *name_of(struct session *s, const struct options *o, struct str label)
{
	const char *text = str_dup(s->arena, label);

	if (o->at[OPT_NAME].given)
		return o->at[OPT_NAME].text;
	return policy_name_is_legal(text) ? text : ast_policy_name(s->arena, text);
}

/* What is compiled names an abi by what the policy says. */
static void tell_abi(const struct import *im, const struct policy *p)
{
	struct str abi = im->policy->abi ? im->policy->abi->text : STR("");
	const char *own = apparmor_abi(p, im->target);
	struct diag *d;

	if (str_is(aa_include_name(abi, true), own))
		return;
	d = diag_add(im->s->diags, DIAG_PL399, head_of(im),
		     "the policy is compiled with <%s>, which the profile does not name", own);
	diag_help(im->s->diags, d,
		  "they are the same under a kernel that has all features; --features FILE asks "
		  "for another");
}

static void tell_name(const struct import *im)
{
	BUF_AUTO label = { 0 };
	struct diag *d;

	if (str_is(im->profile.profile->label, im->name))
		return;
	buf_safe(&label, im->profile.profile->label);
	d = diag_add(im->s->diags, DIAG_PL399, head_of(im),
		     "the profile '%s' is called '%s' as a policy", label.p, im->name);
	diag_help(im->s->diags, d, "who names it by its label has to name the new one");
}

int import_apparmor(struct session *s, const struct options *o)
{
	struct apparmor_reading reading;
	struct apparmor_opened file;
	struct import im = { .s = s, .reading = &reading };
	BUF_AUTO text = { 0 };

	if (!apparmor_options_fit(o, ASKS_APPARMOR))
		return EXIT_USAGE;
	int status = apparmor_reading_open(s, o, &o->at[OPT_TARGET_RELEASE], &reading);
	if (!status)
		status = apparmor_read(s, &reading, o->operands[0], &file);
	const struct aa_profile *p =
		status ? NULL : apparmor_choose(s, o->at[OPT_PROFILE].text, &file);
	if (!p || !tell_children(s, o, p)) {
		session_report(s);
		return status ? status : EXIT_FOUND;
	}
	im.target = reading.asked.target;
	im.policy = file.policy;
	im.pool = aa_means_pool_new(s->arena);
	im.name = name_of(s, o, p->label);
	bool read = aa_asking_open(s->arena, im.pool, file.policy, without_children(s->arena, p),
				   file.again, &im.profile);
	if (!read)
		diags_take(s->diags, file.again);
	const struct policy *written = read ? make(&im, &text) : NULL;
	if (!written) {
		session_report(s);
		return EXIT_FOUND;
	}
	tell_name(&im);
	tell_abi(&im, written);
	session_report(s);
	return write_output(o->at[OPT_OUTPUT].text, &text, 0644) < 0 ? EXIT_SYSTEM : EXIT_OK;
}
