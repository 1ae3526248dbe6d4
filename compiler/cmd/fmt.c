/* SPDX-License-Identifier: Apache-2.0 */
/* pale fmt: canonical layout. */
#include <getopt.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/cmd/cmd.h"
#include "grammar/parse.h"
#include "grammar/print.h"

enum fmt_mode { FMT_STDOUT, FMT_IN_PLACE, FMT_CHECK };

static void print_usage(FILE *f)
{
	fputs("usage: pale fmt [-i | --check] FILE...\n\n"
	      "Prints policies in the canonical layout; comments are kept.\n"
	      "  -i, --in-place  rewrite the files\n"
	      "      --check     write nothing; status 1 when a file would change\n",
	      f);
}

/*
 * A rewritten file must say what it said: ours to prove before the old text is gone. EXIT_OK;
 * EXIT_FOUND where pale itself could not read the new text, EXIT_SYSTEM without memory: told.
 */
static int prove_stable(struct session *s, const struct source *src, const struct buf *text)
{
	if (text->failed) {
		tell("pale: out of memory");
		return EXIT_SYSTEM;
	}
	if (text->n > SOURCE_MAX) {
		struct diag *d = diag_add(s->diags, DIAG_PL005, NO_SPAN,
					  "'%s': the formatted text is larger than %u MiB",
					  src->name, SOURCE_MAX >> 20);
		diag_help(s->diags, d, "it has %zu bytes: divide the file with include", text->n);
		session_report(s);
		return EXIT_FOUND;
	}
	struct source *again = source_add(s->sources, src->name, (struct str){ text->p, text->n });
	BUF_AUTO second = { 0 };

	ast_print(&second, pale_parse_source(s->arena, again, s->diags));
	if (second.failed) {
		tell("pale: out of memory");
		return EXIT_SYSTEM;
	}
	BUG_ON(s->diags->errors || second.n != text->n ||
	       (text->n && memcmp(second.p, text->p, text->n)));
	return EXIT_OK;
}

static int format_file(struct session *s, const char *path, enum fmt_mode mode)
{
	struct input_options opt = { .parse_only = true };
	struct input in;
	BUF_AUTO out = { 0 };
	struct str old;
	bool same;
	int status = input_load(s, path, &opt, &in);

	if (status)
		return status;
	if (in.format != INPUT_PALE) {
		diag_add(s->diags, DIAG_PL001, NO_SPAN, "'%s' is not a pale policy", path);
		session_report(s);
		return EXIT_FOUND;
	}
	ast_print(&out, in.ast);
	int stable = prove_stable(s, in.source, &out);
	if (stable)
		return stable;
	old = in.source->text;
	same = old.n == out.n && (!out.n || !memcmp(old.p, out.p, out.n));
	if (mode == FMT_CHECK) {
		if (!same)
			tell("pale: '%s' is not in the canonical layout", path);
		return same ? EXIT_OK : EXIT_FOUND;
	}
	if (mode == FMT_IN_PLACE && same)
		return EXIT_OK;
	return output_write(mode == FMT_IN_PLACE ? path : NULL, &out, 0666) ? EXIT_SYSTEM : EXIT_OK;
}

int cmd_fmt(int argc, char **argv)
{
	static const struct option options[] = {
		{ "in-place", no_argument, NULL, 'i' },
		{ "check", no_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	const struct command *self = command_find("fmt");
	enum fmt_mode mode = FMT_STDOUT;
	int c, status = EXIT_OK;

	while ((c = getopt_long(argc, argv, "ih", options, NULL)) != -1) {
		if (c == 'h') {
			print_usage(stdout);
			return EXIT_OK;
		}
		if (c == '?')
			return option_error(self, options, argv);
		if (mode != FMT_STDOUT && mode != (c == 'i' ? FMT_IN_PLACE : FMT_CHECK))
			return usage_error(self, "one of -i and --check");
		mode = c == 'i' ? FMT_IN_PLACE : FMT_CHECK;
	}
	if (optind == argc)
		return usage_error(self, "no file named");
	for (; optind < argc; optind++) {
		struct session s;
		int one;

		if (mode == FMT_IN_PLACE && !strcmp(argv[optind], "-"))
			return usage_error(self, "standard input cannot be rewritten");
		session_open(&s);
		one = format_file(&s, argv[optind], mode);
		one = session_end(&s, one);
		status = one > status ? one : status;
	}
	return status;
}
