/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/why_file.h"

#include "compiler/cmd/runtime.h"

int why_file_load(struct session *s, const struct options *o, const char *file, struct refusing *by)
{
	static const struct oci_asked_calls none; /* what is wrong with the file is not asked */
	const struct input_options input = { .resolve = by->opt.resolve, .asked = &none };
	const struct option_value *as = &o->at[OPT_LOADED_AS];
	struct oci_runtime rt;

	by->decide.shown = str_safe(s->arena, file);
	if (!as->given) {
		int status = decide_load(s, by->dd, file, &by->opt, &by->decide);
		by->root = by->decide.root;
		return status;
	}
	struct container *l = ARENA_NEW(s->arena, struct container);
	int status = runtime_loader(s, o, as->word ? OCI_CRUN : OCI_RUNC, &rt);
	if (status < 0)
		status = container_load(s, file, &input, by->opt.policy, &rt, l);
	session_report(s);
	if (status)
		return status;
	by->loaded = by->machines[l->asked.host] = l;
	by->dd = l->dd;
	by->root = l->held.root;
	return EXIT_OK;
}

bool why_file_policy(const struct refusing *by, struct denials *d)
{
	if (by->loaded || by->decide.in.format != INPUT_PALE || !by->decide.parts.n)
		return false;
	d->policy = by->decide.parts.v[0].policy;
	d->policy_file = by->decide.shown;
	return true;
}
