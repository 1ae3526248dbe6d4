/* SPDX-License-Identifier: Apache-2.0 */
/* pale fmt: canonical layout. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/options.h"
#include "compiler/file/kind.h"
#include "grammar/apparmor_print.h"
#include "grammar/parse.h"
#include "grammar/print.h"

enum fmt_mode { FMT_STDOUT, FMT_IN_PLACE, FMT_CHECK };

/* What a file holds, as the tree of its language: one of the two. */
struct text {
	struct source *source;
	const struct ast_file *policy;
	const struct aa_file *apparmor;
};

static int read_text(struct session *s, const char *path, struct text *t)
{
	struct input_options opt = { .parse_only = true };
	struct input in;

	if (source_load(s->sources, path, &t->source) == 0 &&
	    kind_of_file(t->source->text, path) == kind_apparmor) {
		t->apparmor = aa_parse_source(s->arena, t->source, s->diags);
		return s->diags->errors ? EXIT_FOUND : EXIT_OK;
	}
	int status = input_load(s, path, &opt, &in);
	if (status)
		return status;
	if (in.format != INPUT_PALE) {
		diag_add(s->diags, DIAG_PL001, NO_SPAN,
			 "'%s' is neither a pale policy nor AppArmor text", path);
		session_report(s);
		return EXIT_FOUND;
	}
	t->source = in.source;
	t->policy = in.ast;
	return EXIT_OK;
}

static void print_text(struct buf *out, const struct text *t)
{
	if (t->apparmor)
		aa_print(out, t->apparmor);
	else
		ast_print(out, t->policy);
}

static struct text read_again(struct session *s, const struct text *t, const struct buf *text)
{
	struct text again = { .source = source_add(s->sources, t->source->name,
						   (struct str){ text->p, text->n }) };

	if (t->apparmor)
		again.apparmor = aa_parse_source(s->arena, again.source, s->diags);
	else
		again.policy = pale_parse_source(s->arena, again.source, s->diags);
	return again;
}

/*
 * A rewritten file must say what it said: ours to prove before the old text is gone. EXIT_OK;
 * EXIT_FOUND where pale itself could not read the new text, EXIT_SYSTEM without memory: told.
 */
static int prove_stable(struct session *s, const struct text *t, const struct buf *text)
{
	if (text->failed) {
		tell("pale: out of memory");
		return EXIT_SYSTEM;
	}
	if (text->n > SOURCE_MAX) {
		struct diag *d = diag_add(s->diags, DIAG_PL005, NO_SPAN,
					  "'%s': the formatted text is larger than %u MiB",
					  t->source->name, SOURCE_MAX >> 20);
		diag_help(s->diags, d, "it has %zu bytes: divide the file with include", text->n);
		session_report(s);
		return EXIT_FOUND;
	}
	struct text again = read_again(s, t, text);
	BUF_AUTO second = { 0 };

	print_text(&second, &again);
	if (second.failed) {
		tell("pale: out of memory");
		return EXIT_SYSTEM;
	}
	BUG_ON(s->diags->errors || second.n != text->n ||
	       (text->n && memcmp(second.p, text->p, text->n)));
	BUG_ON(t->apparmor && !aa_same(t->apparmor, again.apparmor));
	return EXIT_OK;
}

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
	struct text text = { 0 };
	BUF_AUTO out = { 0 };
	struct str old;
	bool same;
	int status = read_text(s, path, &text);

	if (status)
		return status;
	print_text(&out, &text);
	int stable = prove_stable(s, &text, &out);
	if (stable)
		return stable;
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
