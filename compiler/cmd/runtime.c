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
