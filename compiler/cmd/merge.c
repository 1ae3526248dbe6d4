/* SPDX-License-Identifier: Apache-2.0 */
/* pale merge: recordings to one. */
#include "compiler/cmd/recordings.h"

static int merge(struct session *s, const struct options *o)
{
	struct recordings *rs = recordings_new(s->arena);
	const char *output = o->at[OPT_OUTPUT].text;
	int status;

	if (!o->n)
		return usage_error(o->command, "give the recordings");
	if (check_writable(output))
		return EXIT_SYSTEM;
	status = recordings_load(s, o->command->name, (const char *const *)o->operands,
				 (size_t)o->n, rs);
	session_report(s);
	return status == EXIT_OK ? recordings_write(rs, output) : status;
}

int cmd_merge(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open_unbound(&s);
	int status = options_read(&s, argc, argv, &o);
	return session_end(&s, status < 0 ? merge(&s, &o) : status);
}
