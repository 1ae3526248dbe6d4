/* SPDX-License-Identifier: Apache-2.0 */
/* pale fmt: canonical layout. */
#include <string.h>

#include "compiler/cmd/options.h"
#include "compiler/file/layout.h"

enum fmt_mode { FMT_STDOUT, FMT_IN_PLACE, FMT_CHECK };

struct formatting {
	struct session *session;
	const char *path;
	enum fmt_mode mode;
};

static int format_file(void *formatting)
{
	const struct formatting *f = formatting;
	struct session *s = f->session;
	const char *path = f->path;
	enum fmt_mode mode = f->mode;
	struct layout_text text;
	BUF_AUTO out = { 0 };
	struct str old;
	bool same;
	int status = layout_read(s, path, &text);

	if (!status)
		status = layout_put(s, &text, &out);
	if (status)
		return status;
	old = text.source->text;
	same = old.n == out.n && (!out.n || !memcmp(old.p, out.p, out.n));
	if (mode == FMT_CHECK) {
		if (!same)
			diag_add(s->diags, DIAG_PL147, NO_SPAN,
				 "'%s' is not in the canonical layout", path);
		return same ? EXIT_OK : EXIT_FOUND;
	}
	if (mode == FMT_IN_PLACE && same)
		return EXIT_OK;
	return write_output(mode == FMT_IN_PLACE ? path : NULL, &out, 0666) ? EXIT_SYSTEM : EXIT_OK;
}

static int format_files(struct session *s, const struct options *o, enum fmt_mode mode)
{
	int status = EXIT_OK;

	for (int i = 0; i < o->n; i++) {
		struct formatting f = { .path = o->operands[i], .mode = mode };
		struct session own;
		if (mode == FMT_IN_PLACE && !strcmp(o->operands[i], "-"))
			return usage_error(o->command, "standard input cannot be rewritten");
		f.session = session_for(s, &own, f.path);
		int end = session_guard(f.session, format_file, &f);
		session_done(s, f.session);
		status = end > status ? end : status;
	}
	return status;
}

int cmd_fmt(int argc, char **argv)
{
	struct options o = { 0 };
	struct session s;

	session_open(&s);
	int status = options_read(&s, argc, argv, &o);
	if (status < 0 && !o.n)
		status = usage_error(o.command, "no file named");
	if (status < 0)
		status = format_files(&s, &o,
				      o.at[OPT_IN_PLACE].given ? FMT_IN_PLACE :
				      o.at[OPT_CHECK].given    ? FMT_CHECK :
								 FMT_STDOUT);
	return session_end(&s, status);
}
