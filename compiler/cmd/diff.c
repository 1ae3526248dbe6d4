/* SPDX-License-Identifier: Apache-2.0 */
/* pale diff: where two filters answer differently, whatever they are written in. */
#include <string.h>

#include "compiler/apparmor/needs.h"
#include "compiler/tell/decided.h"
#include "compiler/tell/diff.h"
#include "compiler/tell/diff_profiles.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/file/kind.h"

enum fail_on { FAIL_ANY, FAIL_LOOSER, FAIL_TIGHTER, FAIL_NONE }; /* in the order of options.def */

typedef void put_fn(struct buf *out, struct arena *a, const struct diff *d);

struct diff_options {
	struct decide_options a, b;
	struct resolve_options resolve;
	put_fn *put;
	enum fail_on fail_on;
	unsigned only;                      /* architectures; 0: all */
	unsigned layers;                    /* LAYER_* */
	struct apparmor_reading reading[2]; /* A's and B's */
	bool apparmor[2];                   /* the file is AppArmor's */
};

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct diff_options *out)
{
	static put_fn *const formats[] = { diff_text, diff_json, diff_markdown };
	const struct option_value *layers = &o->at[OPT_LAYERS];

	*out = (struct diff_options){
		.put = formats[o->at[OPT_DIFF_FORMAT].word],
		.fail_on = (enum fail_on)o->at[OPT_FAIL_ON].word,
		.layers = layers->given ? layers->words : LAYER_SECCOMP | LAYER_APPARMOR,
		.a.policy = o->at[OPT_POLICY_A].text,
		.b.policy = o->at[OPT_POLICY_B].text,
	};
	if (environment_options(o, &out->resolve))
		return EXIT_USAGE;
	/* --arch is about what is compared: a side that lists more stays as it is. */
	out->only = out->resolve.arches;
	out->resolve.arches = 0;
	out->a.only = out->b.only = out->only;
	int rc = runtime_given(s, o, &out->a.runtime);
	out->b.runtime = out->a.runtime;
	if (rc >= 0)
		return rc;
	return o->n == 2 ? -1 : usage_error(o->command, "two files, please: A and B");
}

static int load(struct session *s, struct dd *dd, const char *path, struct decide_options *o,
		const struct resolve_options *resolve, struct decide *out)
{
	o->resolve = *resolve;
	int status = decide_load(s, dd, path, o, out);

	/* What reading it is worth a note for is check's and import's to tell. */
	if (!status)
		s->diags->list.n = 0;
	return status;
}

static int exit_status(const struct diff *d, enum fail_on level)
{
	bool looser = d->has[CHANGE_LOOSER] || d->has[CHANGE_INCOMPARABLE];
	bool tighter = d->has[CHANGE_TIGHTER] || d->has[CHANGE_INCOMPARABLE];

	switch (level) {
	case FAIL_ANY: return d->differs || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_LOOSER: return looser || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_TIGHTER: return tighter || d->open ? EXIT_FOUND : EXIT_OK;
	case FAIL_NONE: break;
	}
	return EXIT_OK;
}

/* Whom a side is read for, where that is said: "AppArmor 3.0, Linux 6.1". */
static const char *for_whom(struct session *s, const struct diff_options *o, unsigned n)
{
	const struct apparmor_target *t = o->reading[n].asked.target;

	if (!t)
		return NULL;
	const char *release = arena_printf(s->arena, "AppArmor %s", aa_release_name(t->release));
	return t->kernel ? arena_printf(s->arena, "%s, Linux %u.%u", release, t->kernel >> 8,
					t->kernel & 0xff) :
			   release;
}

static int diff(struct session *s, struct diff_options *o, const char *path_a, const char *path_b)
{
	struct dd *dd = dd_new(s->arena, DECIDE_BUDGET);
	struct decide a, b;
	BUF_AUTO out = { 0 };
	int status = load(s, dd, path_a, &o->a, &o->resolve, &a);

	if (!status)
		status = load(s, dd, path_b, &o->b, &o->resolve, &b);
	if (status)
		return status;
	struct diff d = { .a_for = for_whom(s, o, 0), .b_for = for_whom(s, o, 1) };
	struct diff_asked asked = { .layers = o->layers,
				    .only = o->only,
				    .env = &o->resolve.env,
				    .apparmor = { o->reading[0].asked, o->reading[1].asked } };
	diff_decided_files(s, dd, &a, &b, &asked, &d);
	o->put(&out, s->arena, &d);
	return write_output(NULL, &out, 0) ? EXIT_SYSTEM : exit_status(&d, o->fail_on);
}

/* ---- AppArmor ---- */

struct apparmor_side {
	const struct decide *shown;
	struct diff_profiles_side rules;
	const char *silent; /* why nothing is compared; NULL: it is */
};

/* What AppArmor is compiled of a policy, where its conditions leave nothing of that open. */
static void take_policy(const struct apparmor_reading *r, const struct decide *d,
			struct apparmor_side *out)
{
	const struct policy *p = d->in.format == INPUT_PALE ? d->parts.v[0].policy : NULL;
	const struct policy *open = p ? p->left_out : NULL;

	out->shown = d;
	out->rules.pale = p;
	out->rules.asked = r->asked;
	if (!p)
		out->silent = "a JSON profile or BPF program says nothing of what an AppArmor file "
			      "is about";
	else if (!(p->layers & LAYER_APPARMOR))
		out->silent = "the policy does not count on AppArmor: its 'layers' line says so";
	else if (open && (open->files.n || open->caps.n || open->networks.n || open->signals.n ||
			  open->limits.n || open->others.n))
		out->silent = "rules stand under a condition that is open; --caps, --kernel and "
			      "--host say which environment is meant";
}

static int load_profiles(struct session *s, const struct options *o,
			 const struct apparmor_reading *r, unsigned n,
			 struct diff_profiles_side *out)
{
	const char *own = o->at[n ? OPT_PROFILE_B : OPT_PROFILE_A].text;
	const char *name = own ? own : o->at[OPT_PROFILE].text;
	struct apparmor_opened file;
	int status = apparmor_read(s, r, o->operands[n], &file);

	if (status)
		return status;
	out->policy = file.policy;
	out->asked = r->asked;
	out->only = name ? apparmor_choose(s, name, &file) : NULL;
	return name && !out->only ? EXIT_FOUND : EXIT_OK;
}

static struct decide *show_apparmor(struct session *s, const char *path)
{
	struct decide *d = ARENA_NEW(s->arena, struct decide);

	d->name = strcmp(path, "-") ? path : "<stdin>";
	d->shown = str_safe(s->arena, d->name);
	d->kind = "AppArmor file";
	return d;
}

static int load_side(struct session *s, const struct options *o, struct diff_options *opt,
		     unsigned n, struct apparmor_side *out)
{
	const struct apparmor_reading *r = &opt->reading[n];
	const char *path = o->operands[n];
	struct decide *d = ARENA_NEW(s->arena, struct decide);

	*out = (struct apparmor_side){ .silent = NULL };
	if (opt->apparmor[n]) {
		out->shown = show_apparmor(s, path);
		return load_profiles(s, o, r, n, &out->rules);
	}
	int status = load(s, dd_new(s->arena, DECIDE_BUDGET), path, n ? &opt->b : &opt->a,
			  &opt->resolve, d);
	if (!status)
		take_policy(r, d, out);
	return status;
}

static void tell_silent(struct session *s, struct diff *d, const char *reason)
{
	struct diff_resource r = { .change = CHANGE_UNDECIDED,
				   .kind = RESOURCE_PROFILE,
				   .about = diff_kinds[RESOURCE_PROFILE],
				   .profile = "",
				   .path = "",
				   .access = "",
				   .a = "",
				   .b = "",
				   .by_a = "",
				   .by_b = "",
				   .reason = reason };

	d->has[r.change] = true;
	vec_push(s->arena, &d->resources, r);
}

static int diff_apparmor(struct session *s, const struct options *o, struct diff_options *opt)
{
	struct apparmor_side sides[2];
	BUF_AUTO out = { 0 };
	int status = EXIT_OK;

	for (unsigned i = 0; i < 2 && !status; i++)
		status = load_side(s, o, opt, i, &sides[i]);
	if (status)
		return status;
	const char *silent = sides[0].silent ? sides[0].silent : sides[1].silent;
	struct diff d = { .a = sides[0].shown,
			  .b = sides[1].shown,
			  .a_for = for_whom(s, opt, 0),
			  .b_for = for_whom(s, opt, 1),
			  .layers = LAYER_APPARMOR,
			  .compare = ARENA_NEW(s->arena, struct compare) };
	if (sides[0].rules.pale || sides[1].rules.pale)
		vec_push(s->arena, &d.notes,
			 "not compared: system calls, of which an AppArmor file says nothing");
	if (silent)
		tell_silent(s, &d, silent);
	else if (!diff_profiles(s, &d, &sides[0].rules, &sides[1].rules))
		return EXIT_FOUND;
	diff_sum_up(&d);
	opt->put(&out, s->arena, &d);
	return write_output(NULL, &out, 0) ? EXIT_SYSTEM : exit_status(&d, opt->fail_on);
}

static bool is_policy(struct session *s, const char *path)
{
	struct source *src;

	return !source_load(s->sources, path, &src) && kind_of(src->text)->format == INPUT_PALE;
}

/* Options of policies are for the side that is one. */
static bool options_fit(struct session *s, const struct options *o, bool a, bool b)
{
	enum asks_what what = ASKS_CALLS;

	if (a != b)
		return true;
	if (a)
		what = ASKS_APPARMOR;
	else if (is_policy(s, o->operands[0]) || is_policy(s, o->operands[1]))
		what = ASKS_CALLS | ASKS_POLICY;
	return apparmor_options_fit(o, what);
}

/* One library is read for both. */
static int open_readings(struct session *s, const struct options *o, struct diff_options *d)
{
	static const enum option_id own[] = { OPT_TARGET_A, OPT_TARGET_B };

	for (unsigned i = 0; i < 2; i++) {
		const struct option_value *v = &o->at[own[i]];
		int status = apparmor_reading_open(s, o, v->given ? v : &o->at[OPT_TARGET_RELEASE],
						   &d->reading[i]);

		if (status)
			return status;
		d->reading[i].checks.library = d->reading[0].checks.library;
	}
	return EXIT_OK;
}

/* Blanks and comments alone are an AppArmor file without a profile beside one that holds some, too. */
static bool is_apparmor(struct session *s, const struct options *o, unsigned n, bool beside)
{
	const char *path = o->operands[n];
	struct source *src;

	return apparmor_asked(s, o, path) ||
	       (beside && !source_load(s->sources, path, &src) && kind_is_blank(src->text));
}

static int diff_files(struct session *s, const struct options *o, struct diff_options *d)
{
	bool a = is_apparmor(s, o, 0, false), b = is_apparmor(s, o, 1, false);

	a = is_apparmor(s, o, 0, b);
	b = is_apparmor(s, o, 1, a);
	d->apparmor[0] = a;
	d->apparmor[1] = b;

	if (!options_fit(s, o, a, b))
		return EXIT_USAGE;
	int status = open_readings(s, o, d);
	if (status)
		return status;
	if (!a && !b)
		return diff(s, d, o->operands[0], o->operands[1]);
	if (!(d->layers & LAYER_APPARMOR))
		return usage_error(o->command,
				   "--layers seccomp leaves nothing to compare of AppArmor files");
	return diff_apparmor(s, o, d);
}

int cmd_diff(int argc, char **argv)
{
	struct diff_options d;
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = read_options(&s, &o, &d);
	if (status < 0)
		status = diff_files(&s, &o, &d);
	return session_end(&s, status);
}
