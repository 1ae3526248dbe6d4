/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime that --runtime names, and how sure pale is of it. */
#include "compiler/cmd/runtime.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/options.h"

int runtime_option(struct session *s, const struct command *self, const char *word, int kind,
		   struct oci_runtime *out)
{
	const char *why;
	bool lacking;
	int err;

	if (!strcmp(word, "installed")) {
		why = runtime_installed(s, kind, out, &lacking);
		if (lacking) {
			tell("pale: %s", why);
			return EXIT_SYSTEM;
		}
		return why ? usage_error(self, "%s; name a runtime, such as %s", why,
					 kind == OCI_CRUN ? "podman-5.8" : oci_runtime_default) :
			     -1;
	}
	err = oci_runtime_parse(str_c(word), kind, out);
	if (err)
		return usage_error(self, "'%s' %s", word,
				   oci_runtime_wrong(s->arena, str_c(word), kind, err));
	if (kind >= 0 && (int)out->kind != kind)
		return usage_error(self, "'%s' is not %s; such as %s", word,
				   kind == OCI_CRUN ? "crun" : "runc",
				   kind == OCI_CRUN ? "podman-5.8" : oci_runtime_default);
	return -1;
}

int runtime_named(struct session *s, const struct command *self, const char *word,
		  const struct oci_runtime **out)
{
	struct oci_runtime *rt = ARENA_NEW(s->arena, struct oci_runtime);
	int rc = runtime_option(s, self, word, -1, rt);

	*out = rt;
	if (rc >= 0)
		return rc;
	runtime_note(s, rt);
	session_report(s); /* reading a file forgets its own notes */
	return rc;
}

int runtime_given(struct session *s, const struct options *o, const struct oci_runtime **out)
{
	const struct option_value *v = &o->at[OPT_RUNTIME];

	return v->given ? runtime_named(s, o->command, v->text, out) : -1;
}

int runtime_loader(struct session *s, const struct options *o, int kind, struct oci_runtime *out)
{
	const struct option_value *v = &o->at[OPT_RUNTIME];
	int rc = -1;

	if (v->given)
		rc = runtime_option(s, o->command, v->text, kind, out);
	else
		runtime_here(s, kind, out);
	if (rc < 0)
		runtime_note(s, out);
	return rc;
}

const char *runtime_name(struct arena *a, const struct oci_runtime *rt)
{
	return rt ? oci_runtime_name(a, rt) : "any";
}

/* Says that none is known, and what is done about it; or that there is no answer. */
static void tell_none(struct session *s, bool lacking, const char *why, const char *instead)
{
	struct diag *d = lacking ? diag_add(s->diags, DIAG_PL020, NO_SPAN, "%s", why) :
				   diag_add(s->diags, DIAG_PL258, NO_SPAN, "%s: %s", why, instead);

	diag_help(s->diags, d, "'--runtime' names the one that is meant");
}

void runtime_here(struct session *s, int kind, struct oci_runtime *out)
{
	bool lacking;
	const char *why = runtime_installed(s, kind, out, &lacking);

	if (!why)
		return;
	BUG_ON(oci_runtime_parse(STR("debian12"), kind, out));
	tell_none(s, lacking, why,
		  arena_printf(s->arena, "taken as %s", runtime_name(s->arena, out)));
}

const struct oci_runtime *runtime_here_or_any(struct session *s)
{
	struct oci_runtime *rt = ARENA_NEW(s->arena, struct oci_runtime);
	bool lacking;
	const char *why = runtime_installed(s, -1, rt, &lacking);

	if (!why) {
		runtime_note(s, rt);
		return rt;
	}
	tell_none(s, lacking, why, "what depends on the runtime is told of any");
	return NULL;
}

void runtime_compare(struct session *s, const struct oci_runtime *rt)
{
	struct oci_runtime here;
	bool lacking;

	if (runtime_installed(s, (int)rt->kind, &here, &lacking) ||
	    (here.named == rt->named && here.libseccomp == rt->libseccomp))
		return;
	struct diag *d = diag_add(s->diags, DIAG_PL259, NO_SPAN,
				  "this machine's own runtime is another: it is taken as "
				  "%s",
				  runtime_name(s->arena, &here));
	diag_help(s->diags, d, "'--runtime installed' compiles for it");
}

void runtime_note(struct session *s, const struct oci_runtime *rt)
{
	if (oci_runtime_measured(rt))
		return;
	struct diag *d =
		diag_add(s->diags, DIAG_PL257, NO_SPAN, "the runtime was not measured: taken as %s",
			 runtime_name(s->arena, rt));
	diag_help(s->diags, d,
		  "what is said holds for that one; such as 'debian13', 'docker-28.5' and "
		  "'podman-5.8' were (pale(1))");
}
