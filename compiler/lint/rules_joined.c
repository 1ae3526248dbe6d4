/* SPDX-License-Identifier: Apache-2.0 */
/* DP: AppArmor profiles that what starts containers names, beside the files that have them. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"
#include "compiler/lint/named.h"

/* ---- which there are ---- */

static bool takes(const struct aa_word *w, const char *what)
{
	for (; w; w = w->next)
		if (str_is(w->text, what))
			return true;
	return false;
}

static void add_profile(struct arena *a, const struct aa_stmt *s, struct lint_named *out)
{
	struct named_profile p = { 0 };

	for (const struct aa_item *i = s->items; i; i = i->next) {
		bool flags =
			i->kind == AA_LIST || (i->kind == AA_COND && str_is(i->word.text, "flags"));

		if (flags)
			p.complain = takes(i->values, "complain") || takes(i->values, "unconfined");
		if (i->kind == AA_WORD && !p.name.p &&
		    (i != s->items || !str_is(i->word.text, "profile")))
			p.name = str_c(str_dup(a, i->word.text));
	}
	if (!p.name.n || p.name.p[0] == '^')
		return;
	out->open |= memmem(p.name.p, p.name.n, "@{", 2) != NULL;
	vec_push(a, &out->list, p);
}

static void add_all(struct arena *a, const struct aa_stmt *s, struct lint_named *out)
{
	for (; s; s = s->next) {
		if (s->kind == AA_STMT_PROFILE)
			add_profile(a, s, out);
		out->open |= s->kind == AA_STMT_INCLUDE && !str_starts(s->word.text, "tunables/");
		if (s->kind == AA_STMT_IF) {
			add_all(a, s->body, out);
			add_all(a, s->otherwise, out);
		} else if (s->kind == AA_STMT_BLOCK) {
			add_all(a, s->body, out);
		}
	}
}

void lint_named_add(struct arena *a, const struct aa_file *file, const char *path,
		    struct lint_named *out)
{
	size_t before = out->list.n;

	add_all(a, file->stmts, out);
	for (; before < out->list.n; before++)
		out->list.v[before].path = path;
}

/* The profiles that stand in its policy; false: it has none, or it cannot be read. */
static bool read_written(struct arena *a, struct sources *sources, const struct deploy_apparmor *o,
			 struct lint_named *out)
{
	struct diags *own = diags_new(a, sources);

	*out = (struct lint_named){ 0 };
	if (!o->written)
		return false;
	add_all(a, aa_parse_source(a, source_add(sources, "policy", o->text), own)->stmts, out);
	return !own->errors && out->list.n;
}

const struct named_profile *lint_named_profile(const struct lint_named *all, struct str name)
{
	vec_each(&all->list, p)
		if (str_eq(p->name, name))
			return p;
	return NULL;
}

void lint_named_add_objects(struct arena *a, struct sources *sources, const struct deployment *d,
			    const char *path, struct lint_named *out)
{
	vec_each(&d->apparmor, it) {
		const struct deploy_apparmor *o = *it;
		struct named_profile p = { str_c(str_dup(a, o->name.text)), o->complain, NULL };
		const struct named_profile *written;
		struct lint_named all;

		if (o->disabled || !o->name.text.n)
			continue;
		if (read_written(a, sources, o, &all)) {
			written = lint_named_profile(&all, o->name.text);
			p.complain = written && written->complain;
		}
		vec_push(a, &out->list, p);
	}
	vec_each(&d->seccomp, o) {
		struct named_object n = { str_c(str_dup(a, o->name.text)),
					  str_c(str_dup(a, o->space.text)), path };

		vec_push(a, &out->seccomp, n);
	}
	vec_each(&d->containers, c)
		if (!(*c)->pod && (*c)->form == DEPLOY_KUBERNETES)
			vec_push(a, &out->images, str_c(str_dup(a, (*c)->image.text)));
}

RULE(DP620, "object-and-profile-differ", WARNING, DEPLOYMENT, dp_object_and_profile_differ,
     "an AppArmorProfile whose policy holds a profile of another name",
     "An AppArmorProfile of the security profiles operator has a profile's text in spec.policy, and no profile in it has the "
     "object's name. The operator's manual asks for the same one ('known limitations'): it is the object's name by which the operator looks for what "
     "it loaded, and by which pods are told to name it. Told where no profile's name has a variable in it, and no file is "
     "included that may have more.\n\n"
     "Way out: call the profile as metadata.name says.")
void dp_object_and_profile_differ(struct lint *l, enum diag_id id)
{
	vec_each(&l->deployment->apparmor, it) {
		const struct deploy_apparmor *o = *it;
		struct lint_named all;

		if (!o->name.text.n || !read_written(l->arena, l->ds->sources, o, &all) ||
		    all.open || lint_named_profile(&all, o->name.text))
			continue;
		diag_help(
			l->ds,
			diag_add(l->ds, id, o->name.span,
				 "the profile in this object's policy is called '%s', and not '%s'",
				 str_safe_of(l->arena, all.list.v[0].name),
				 str_safe_of(l->arena, o->name.text)),
			"give both the same name: the operator looks for the object's");
	}
}

/* ---- which are asked for ---- */

typedef void asked_fn(struct lint *l, enum diag_id id, struct deploy_text name, struct str who);

static void ask(struct lint *l, enum diag_id id, struct deploy_text name, struct str who,
		asked_fn *fn)
{
	/* What engines and runtimes load themselves. */
	static const char *const theirs[] = { "unconfined",      "docker-default",
					      "runtime/default", "cri-containerd.apparmor.d",
					      "crio-default",    "nerdctl-default",
					      "buildkit-default" };

	if (!name.text.n || memchr(name.text.p, '%', name.text.n) || name.text.p[0] == ':' ||
	    memmem(name.text.p, name.text.n, "//", 2) ||
	    str_starts(name.text, "containers-default"))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(theirs); i++)
		if (str_is(name.text, theirs[i]))
			return;
	fn(l, id, name, who);
}

static void each_asked(struct lint *l, enum diag_id id, asked_fn *fn)
{
	vec_each(&l->deployment->containers, it) {
		const struct deploy_container *c = *it;

		vec_each(&c->options, o) {
			struct deploy_text name = { o->value, o->span };
			if (str_is(o->key, "apparmor"))
				ask(l, id, name, c->name.text, fn);
		}
		if (str_is(c->apparmor.type.text, "Localhost"))
			ask(l, id, c->apparmor.local, c->name.text, fn);
	}
	vec_each(&l->deployment->settings, s) {
		struct deploy_text name = { s->value, s->span };

		if (s->over || !str_is(s->key, "AppArmorProfile"))
			continue;
		if (str_starts(name.text, "-"))
			name.text = (struct str){ name.text.p + 1, name.text.n - 1 };
		ask(l, id, name, STR("this unit"), fn);
	}
}

static void note_name(struct lint *l, enum diag_id id, struct deploy_text name, struct str who)
{
	(void)id, (void)name, (void)who;
	l->asks_apparmor = true;
}

bool lint_asks_apparmor(struct arena *a, const struct deployment *d)
{
	struct lint l = { .arena = a, .deployment = d };

	each_asked(&l, DIAG_DP618, note_name);
	return l.asks_apparmor || lint_asks_operator(d);
}

static void judge_there(struct lint *l, enum diag_id id, struct deploy_text name, struct str who)
{
	struct suggest near;
	struct diag *d;

	if (lint_named_profile(l->named, name.text))
		return;
	suggest_start(&near, name.text);
	vec_each(&l->named->list, p)
		suggest_offer(&near, p->name);
	d = diag_add(l->ds, id, name.span,
		     "none of the AppArmor profiles that are linted with it is '%s', which " PRISTR
		     " asks for",
		     str_safe_of(l->arena, name.text), STRARG(who));
	if (near.best.p)
		diag_help(l->ds, d, "did you mean '%s'?", str_safe_of(l->arena, near.best));
	else
		diag_help(l->ds, d,
			  "name the file that has it, too; where it is not loaded nothing starts");
}

RULE(DP618, "no-such-apparmor-profile", WARNING, DEPLOYMENT, dp_no_such_apparmor_profile,
     "an AppArmor profile that is named and in none of the files",
     "A container or a unit asks for an AppArmor profile by name, and of the AppArmor files that are linted in the "
     "same run none has it. A profile that is not loaded keeps the container from starting, in a pod the "
     "kubelet, and the unit fails (systemd.exec(5), unless '-' stands before the name). Told where at least one AppArmor profile is "
     "linted with it, none has a variable in its name, and no file is included that may have more; names that "
     "engines load themselves, as docker-default, are not looked for.\n\n"
     "Way out: spell it as the profile does; or name the file that has it, too.")
void dp_no_such_apparmor_profile(struct lint *l, enum diag_id id)
{
	if (l->named && l->named->list.n && !l->named->open)
		each_asked(l, id, judge_there);
}

static void judge_mode(struct lint *l, enum diag_id id, struct deploy_text name, struct str who)
{
	const struct named_profile *p = lint_named_profile(l->named, name.text);

	if (!p || !p->complain)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, name.span,
			   "'%s', the AppArmor profile of " PRISTR
			   ", is in complain mode or unconfined: what it does not allow passes",
			   str_safe_of(l->arena, name.text), STRARG(who)),
		  "without 'complain' and 'unconfined' in the profile's flags it is enforced");
}

RULE(DP619, "profile-complains", HIGH, DEPLOYMENT, dp_profile_complains,
     "an AppArmor profile that is named and not enforced",
     "A container or a unit asks for an AppArmor profile by name, and a file that is linted in the same run has it, with "
     "flags=(complain) or (unconfined): what its rules do not grant is allowed all the same, and with complain "
     "logged (apparmor.d(5)).\n\n"
     "Way out: take the flag away once nothing is logged any more.")
void dp_profile_complains(struct lint *l, enum diag_id id)
{
	if (l->named)
		each_asked(l, id, judge_mode);
}
