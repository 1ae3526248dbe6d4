/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime that --runtime names, and how sure pale is of it. */
#include "compiler/cmd/runtime.h"

int runtime_option(struct session *s, const struct command *self, const char *word, int kind,
		   struct oci_runtime *out)
{
	int err = oci_runtime_parse(str_c(word), kind, out);

	if (err)
		return usage_error(self, "'%s' %s", word, oci_runtime_wrong(s->arena, str_c(word), kind, err));
	if (kind >= 0 && (int)out->kind != kind)
		return usage_error(self, "'%s' is not %s; such as %s", word, kind == OCI_CRUN ? "crun" : "runc",
				   kind == OCI_CRUN ? "podman-5.8" : oci_runtime_default);
	return -1;
}

static const char *name_of(struct arena *a, const struct oci_runtime *rt)
{
	BUF_AUTO text = { 0 };

	oci_runtime_print(&text, rt);
	return buf_keep(a, &text);
}

void runtime_note(struct session *s, const struct oci_runtime *rt)
{
	if (oci_runtime_measured(rt))
		return;
	struct diag *d = diag_add(s->diags, DIAG_PL257, NO_SPAN, "the runtime was not measured: taken as %s",
				  name_of(s->arena, rt));
	diag_help(s->diags, d, "what is said holds for that one; such as 'debian13', 'docker-28.5' and 'podman-5.8' were (pale(1))");
}

const char *runtime_claim(struct arena *a, const struct oci_runtime *rt, bool approximate)
{
	const char *name = name_of(a, rt);

	if (!oci_runtime_measured(rt))
		return arena_printf(a, "%sruntime not measured, taken as %s", approximate ? "never looser; " : "", name);
	return arena_printf(a, "%s %s", approximate ? "never looser as loaded by" : "exact for", name);
}
