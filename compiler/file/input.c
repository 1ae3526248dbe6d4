/* SPDX-License-Identifier: Apache-2.0 */
/* Reading what a command works on, whatever the format. */
#include <errno.h>
#include <string.h>

#include "compiler/file/kind.h"
#include "compiler/file/unit.h"
#include "compiler/oci/runtime/runtime.h"
#include "grammar/parse.h"

int input_unreadable(struct session *s, const char *path, int err)
{
	struct diag *d;

	if (err == -EISDIR) {
		d = diag_add(s->diags, DIAG_PL001, NO_SPAN, "'%s' is a directory, not a file",
			     path);
		diag_help(s->diags, d, "name a file in it");
	} else if (err == -EFBIG) {
		diag_add(s->diags, DIAG_PL001, NO_SPAN, "'%s' is larger than %u MiB", path,
			 SOURCE_MAX >> 20);
	} else {
		diag_add(s->diags, diag_is_shortage(err) ? DIAG_PL020 : DIAG_PL006, NO_SPAN,
			 "cannot read '%s': %s", path, strerror(-err));
		return EXIT_SYSTEM;
	}
	return EXIT_FOUND;
}

struct diag *input_tell_empty(struct session *s, const struct source *src)
{
	struct diag *d = diag_add(s->diags, DIAG_PL001, (struct span){ src->id, 0, 0 },
				  "there is no policy and no set in it");

	diag_help(s->diags, d, "write 'policy NAME { ... }'; pale learn proposes one");
	return d;
}

/* By other commands. */
static bool is_read_elsewhere(const struct file_kind *kind)
{
	return kind == kind_apparmor || kind == kind_compose || kind == kind_kubernetes ||
	       kind_holds_profile(kind);
}

enum input_format input_recognise(struct session *s, const struct source *src)
{
	const struct file_kind *kind = kind_of(src->text);

	if (kind->format == INPUT_OTHER)
		input_tell_other(s, src, kind);
	return kind->format;
}

void input_tell_other(struct session *s, const struct source *src, const struct file_kind *kind)
{
	struct diag *d;

	if (kind->binary) /* its first line is nothing to show */
		d = diag_add(s->diags, DIAG_PL021, NO_SPAN,
			     "'%s': this looks like %s, which pale does not read", src->name,
			     kind->what);
	else
		d = diag_add(s->diags, DIAG_PL021, (struct span){ src->id, 0, 0 },
			     "this looks like %s, which %s does not read", kind->what,
			     is_read_elsewhere(kind) ? "this command" : "pale");
	diag_help(s->diags, d, "%s", kind->way_out);
}

static int found(const struct session *s)
{
	return s->diags->errors ? EXIT_FOUND : EXIT_OK;
}

static void read_json(struct session *s, struct input *in)
{
	struct inside inside;

	in->json = json_parse(s->arena, in->source, s->diags);
	if (!in->json || s->diags->errors || !kind_find_profile(s, in->json, in->source, &inside))
		return;
	in->json = inside.profile;
	in->profile = inside.text;
}

int input_open(struct session *s, const char *path, struct input *out)
{
	int err;

	*out = (struct input){ 0 };
	err = source_load(s->sources, path, &out->source);
	if (err)
		return input_unreadable(s, path, err);
	if (kind_of(out->source->text) == kind_unit) {
		out->unit = true;
		out->source = unit_policy(s, out->source, path);
		if (!out->source)
			return EXIT_FOUND;
	}
	out->format = out->unit ? INPUT_PALE : input_recognise(s, out->source);
	if (out->format == INPUT_JSON)
		read_json(s, out);
	if (out->format == INPUT_PALE)
		out->ast = pale_parse_source(s->arena, out->source, s->diags);
	return found(s);
}

static void read_profile(struct session *s, const struct input_options *opt, struct input *in)
{
	const struct environment *env = &opt->resolve.env;
	struct oci_read_options read = {
		.host_known = env->host_known || opt->machine_known,
		.host = env->host_known ? env->host : opt->machine,
		.every_host = opt->resolve.keep_when,
		.runtime = opt->runtime,
		.asked = opt->asked,
		.libseccomp = opt->runtime ? opt->runtime->libseccomp : 0,
	};

	in->ast = oci_read(s->arena, in->json, in->source, &read, &in->disputes, s->diags);
}

static struct policies *resolve_tree(struct session *s, const struct input_options *opt,
				     const struct input *in, struct diags *ds)
{
	struct resolve_options resolve = opt->resolve;

	resolve.foreign = in->format == INPUT_JSON || in->unit;
	resolve.set_dirs = set_directories(s->arena, opt->resolve.set_dirs);
	return policy_resolve(s->arena, in->ast, &resolve, ds);
}

int input_resolve(struct session *s, const struct input_options *opt, struct input *in)
{
	if (in->format == INPUT_JSON)
		read_profile(s, opt, in);
	/* What a dropped statement would have said is missing: no second-hand errors. */
	if (!s->diags->errors && in->ast && !opt->parse_only)
		in->policies = resolve_tree(s, opt, in, s->diags);
	return found(s);
}

static unsigned hangs_on(const struct diags *ds)
{
	unsigned on = 0;

	for (size_t i = 0; i < ds->list.n; i++)
		on |= ds->list.v[i]->id == DIAG_PL131 ? INPUT_OPEN :
		      ds->list.v[i]->id == DIAG_PL238 ? INPUT_HOST :
							0;
	return on;
}

int input_resolve_unless(struct session *s, const struct input_options *opt, unsigned stop,
			 struct input *in, unsigned *hangs)
{
	struct diags *own = diags_new(s->arena, s->sources);

	*hangs = in->format == INPUT_JSON ? stop & INPUT_OPEN : 0;
	if (*hangs)
		return EXIT_OK;
	if (in->format == INPUT_JSON)
		return input_resolve(s, opt, in);
	struct policies *policies = resolve_tree(s, opt, in, own);
	*hangs = stop & hangs_on(own);
	if (*hangs)
		return EXIT_OK;
	in->policies = policies;
	diags_take(s->diags, own);
	return found(s);
}

int input_load(struct session *s, const char *path, const struct input_options *opt,
	       struct input *out)
{
	int status = input_open(s, path, out);

	return status || out->format == INPUT_BPF ? status : input_resolve(s, opt, out);
}

static const struct policy *no_choice(struct session *s, const struct input *in)
{
	if (!in->policies || !in->policies->list.n) {
		diag_add(s->diags, DIAG_PL024, NO_SPAN, "'%s' holds no policy", in->source->name);
		return NULL;
	}
	BUF_AUTO all = { 0 };
	vec_each(&in->policies->list, p)
		buf_printf(&all, " " PRISTR, STRARG((*p)->name));
	struct diag *d = diag_add(s->diags, DIAG_PL024, NO_SPAN, "'%s' holds several policies",
				  in->source->name);
	diag_help(s->diags, d, "name one with --policy:%s", all.p);
	return NULL;
}

const struct policy *input_policy(struct session *s, const struct input *in, const char *name)
{
	struct suggest near;

	if (in->ast && !in->ast->stmts) {
		input_tell_empty(s, in->source);
		return NULL;
	}
	if (!in->policies || !in->policies->list.n)
		return no_choice(s, in);
	if (!name)
		return in->policies->list.n == 1 ? in->policies->list.v[0] : no_choice(s, in);
	suggest_start(&near, str_c(name));
	vec_each(&in->policies->list, p) {
		if (str_is((*p)->name, name))
			return *p;
		suggest_offer(&near, (*p)->name);
	}
	diag_add(s->diags, DIAG_PL024, NO_SPAN, "'%s' holds no policy '%s'" PRINEAR,
		 in->source->name, name, NEARARG(near));
	return NULL;
}
