/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pale import: a Docker or OCI seccomp profile, a SeccompProfile of the operator, a raw BPF program or
 * an AppArmor profile as a pale policy; notes go to stderr.
 */
#include <errno.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cbpf/lift.h"
#include "compiler/cmd/import_apparmor.h"
#include "compiler/cmd/import_operator.h"
#include "compiler/cmd/options.h"
#include "compiler/cmd/runtime.h"
#include "compiler/file/kind.h"
#include "compiler/file/raise.h"
#include "compiler/file/unit.h"
#include "compiler/oci/runtime/runtime.h"
#include "grammar/ast_build.h"
#include "grammar/parse.h"
#include "grammar/print.h"

struct import_options {
	const char *output;
	const struct options *given;
	struct oci_read_options read;
	bool approximate;
};

/* --profile is AppArmor's, and names one of the operator's objects, too. */
static bool options_fit(const struct import_options *o, bool objects)
{
	struct options others = *o->given;

	others.at[OPT_PROFILE].given &= !objects;
	return apparmor_options_fit(&others, ASKS_CALLS);
}

static int write_out(const struct buf *text, const char *output)
{
	return write_output(output, text, 0644) < 0 ? EXIT_SYSTEM : EXIT_OK;
}

static int write_profile(struct session *s, const struct json *profile, struct source *src,
			 const struct import_options *o)
{
	BUF_AUTO text = { 0 };
	struct ast_file *file = NULL;

	if (profile)
		file = oci_read(s->arena, profile, src, &o->read, NULL, s->diags);
	session_report(s);
	if (!file)
		return EXIT_FOUND;
	ast_print(&text, file);
	return write_out(&text, o->output);
}

/* One of the operator's objects. */
static int import_object(struct session *s, struct source *src, const struct deployment *d,
			 const struct import_options *o)
{
	struct import_options named = *o;
	const char *name = NULL;
	const struct json *spec;

	if (!options_fit(o, true))
		return EXIT_USAGE;
	spec = import_operator(s, src, d, o->given->at[OPT_PROFILE].text, &name);
	if (!named.read.name)
		named.read.name = name;
	return write_profile(s, spec, src, &named);
}

static int import_json(struct session *s, struct source *src, const struct import_options *o)
{
	struct json *root = json_parse(s->arena, src, s->diags);
	const struct deployment *d = NULL;
	struct inside inside;

	if (root && !s->diags->errors && deploy_member(root, "apiVersion", JSON_STRING))
		d = deploy_of_json(s->arena, src, root, DEPLOY_KUBERNETES);
	if (d && d->seccomp.n)
		return import_object(s, src, d, o);
	if (!options_fit(o, false))
		return EXIT_USAGE;
	if (!root || s->diags->errors || !kind_find_profile(s, root, src, &inside))
		return write_profile(s, NULL, src, o);
	return write_profile(s, inside.profile, src, o);
}

/* What the linter reads as profiles in YAML: of the operator, or as runtimes are given them. */
static int import_yaml(struct session *s, struct source *src, const struct import_options *o)
{
	struct deployment *d = deploy_read(s->arena, src, DEPLOY_PROFILE, s->diags);
	struct diag *none;

	if (!d || s->diags->errors)
		return write_profile(s, NULL, src, o);
	if (d->seccomp.n)
		return import_object(s, src, d, o);
	if (!options_fit(o, false))
		return EXIT_USAGE;
	if (d->profiles.n == 1)
		return write_profile(s, d->profiles.v[0], src, o);
	none = diag_add(s->diags, DIAG_PL023, (struct span){ src->id, 0, 0 },
			d->profiles.n ? "this holds %zu seccomp profiles" :
					"no seccomp profile is in it",
			d->profiles.n);
	diag_help(s->diags, none,
		  d->profiles.n ?
			  "import reads one at a time: put each into a file of its own" :
			  "import reads a SeccompProfile of the operator, and a profile in YAML; "
			  "of an AppArmorProfile name the profile that stands in its policy");
	return write_profile(s, NULL, src, o);
}

/* ---- BPF ---- */

static int import_bpf(struct session *s, struct source *src, const struct import_options *o)
{
	struct cbpf prog;
	BUF_AUTO text = { 0 };

	if (cbpf_read(s->arena, src, &prog, s->diags) < 0) {
		session_report(s);
		return EXIT_FOUND;
	}
	struct raise_options opt = {
		.name = o->read.name ? o->read.name : ast_policy_name(s->arena, src->name),
		.comment = arena_printf(s->arena, "from a BPF program of %zu instructions", prog.n),
		.what = arena_printf(s->arena, "'%s'", src->name),
		.span = NO_SPAN,
		.machine = o->read.host_known ? o->read.host : (enum arch)arch_native(),
		.approximate = o->approximate,
	};
	struct dd *dd = dd_new(s->arena, RAISE_BUDGET);
	int status = raise_policy(s, dd, cbpf_lift(dd, s->arena, &prog), &opt, &text);
	session_report(s);
	return status ? status : write_out(&text, o->output);
}

static int tell_policy(struct session *s, const struct source *src)
{
	struct diag *d = diag_add(s->diags, DIAG_PL021, (struct span){ src->id, 0, 0 },
				  "this is a policy, which import does not read");

	diag_help(
		s->diags, d,
		"import makes policies of JSON, BPF and AppArmor profiles; every other command reads this one as it "
		"is");
	session_report(s);
	return EXIT_FOUND;
}

/* As every other command reads it. */
static int import_unit(struct session *s, struct source *src, const char *path,
		       const struct import_options *o)
{
	struct source *policy = unit_policy(s, src, path);
	struct ast_file *tree = policy ? pale_parse_source(s->arena, policy, s->diags) : NULL;
	BUF_AUTO out = { 0 };

	if (!tree || s->diags->errors) {
		session_report(s);
		return EXIT_FOUND;
	}
	tree->stmts->name.text =
		str_c(o->read.name ? o->read.name : ast_policy_name(s->arena, src->name));
	ast_print(&out, tree);
	return write_out(&out, o->output);
}

static int import(struct session *s, const char *path, const struct import_options *o)
{
	struct source *src;
	const struct ast_file *tree; /* read as every other command does */
	int err = source_load(s->sources, path, &src);

	if (err < 0)
		return input_unreadable(s, path, err);
	if (kind_holds_profile(kind_of(src->text)))
		return import_yaml(s, src, o);
	if (kind_of(src->text)->format != INPUT_JSON && !options_fit(o, false))
		return EXIT_USAGE;
	if (kind_of(src->text) == kind_unit)
		return import_unit(s, src, path, o);
	switch (input_recognise(s, src)) {
	case INPUT_BPF: return import_bpf(s, src, o);
	case INPUT_OTHER: session_report(s); return EXIT_FOUND;
	case INPUT_PALE:
		tree = kind_of(src->text) == kind_policy ?
			       NULL :
			       pale_parse_source(s->arena, src, s->diags);
		if (tree && !s->diags->errors && !tree->stmts)
			input_tell_empty(s, src);
		if (!s->diags->errors)
			return tell_policy(s, src);
		session_report(s);
		return EXIT_FOUND;
	case INPUT_JSON: break;
	}
	return import_json(s, src, o);
}

/* -1: go on; else the exit status. */
static int read_options(struct session *s, const struct options *o, struct import_options *out)
{
	struct oci_read_options *read = &out->read;
	const struct option_value *host = &o->at[OPT_HOST];

	out->output = o->at[OPT_OUTPUT].text;
	out->given = o;
	out->approximate = read->tighter = o->at[OPT_APPROXIMATE].given;
	read->name = o->at[OPT_NAME].text;
	read->host_known = host->given;
	read->host = host->arch;
	int rc = runtime_given(s, o, &read->runtime);
	if (rc >= 0)
		return rc;
	if (read->runtime) {
		read->as_runc = read->runtime->kind == OCI_RUNC;
		read->libseccomp = read->runtime->libseccomp;
	}
	if (o->n != 1)
		return usage_error(o->command, "one file, please ('-' is standard input)");
	if (read->name && !policy_name_is_legal(read->name))
		return usage_error(o->command, "'%s' cannot name a policy", read->name);
	return -1;
}

int cmd_import(int argc, char **argv)
{
	struct import_options opt = {
		.read = { .every_host = true, .as_runc = true, .strict = true }
	};
	struct oci_runtime runtime;
	struct options o = { 0 };
	struct session s;

	BUG_ON(oci_runtime_parse(str_c(oci_runtime_default), -1, &runtime) < 0);
	opt.read.libseccomp = runtime.libseccomp;
	session_open(&s);
	int rc = options_read(&s, argc, argv, &o);
	if (rc < 0)
		rc = read_options(&s, &o, &opt);
	if (rc < 0 && apparmor_asked(&s, &o, o.operands[0]))
		rc = import_apparmor(&s, &o);
	else if (rc < 0)
		rc = import(&s, o.operands[0], &opt);
	return session_end(&s, rc);
}
