/* SPDX-License-Identifier: Apache-2.0 */
/* pale show NAME: what pale knows of a call, a constant, a domain, a capability or a set. */
#include "compiler/cmd/options.h"
#include "compiler/tell/shown.h"

static int show(struct session *s, const struct options *o)
{
	BUF_AUTO out = { 0 };
	struct set_list sets;

	set_list_read(s, o->at[OPT_SETS].list.v, &sets); /* what cannot be read is told */
	session_report(s);
	if (shown_put(&out, s->sources, &sets, str_c(o->operands[0])))
		return write_output(NULL, &out, 0) ? EXIT_SYSTEM : EXIT_OK;
	shown_unknown(s->diags, &sets, str_c(o->operands[0]));
	return EXIT_FOUND;
}

int cmd_show(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0)
		status = o.n == 1 ? show(&s, &o) : usage_error(o.command, "one name is needed");
	return session_end(&s, status);
}
