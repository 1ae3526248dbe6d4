/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/layout.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/file/kind.h"
#include "grammar/apparmor_print.h"
#include "grammar/parse.h"
#include "grammar/print.h"

int layout_read(struct session *s, const char *path, struct layout_text *t)
{
	struct input_options opt = { .parse_only = true };
	struct input in;

	*t = (struct layout_text){ 0 };
	if (source_load(s->sources, path, &t->source) == 0 &&
	    kind_of_file(t->source->text, path) == kind_apparmor) {
		t->apparmor = aa_parse_source(s->arena, t->source, s->diags);
		return s->diags->errors ? EXIT_FOUND : EXIT_OK;
	}
	int status = input_load(s, path, &opt, &in);
	if (status)
		return status;
	if (in.format != INPUT_PALE || in.unit) {
		diag_add(s->diags, DIAG_PL001, NO_SPAN,
			 "'%s' is neither a pale policy nor AppArmor text", path);
		return EXIT_FOUND;
	}
	t->source = in.source;
	t->policy = in.ast;
	return EXIT_OK;
}

static void print_text(struct buf *out, const struct layout_text *t)
{
	if (t->apparmor)
		aa_print(out, t->apparmor);
	else
		ast_print(out, t->policy);
}

static struct layout_text read_again(struct session *s, const struct layout_text *t,
				     const struct buf *text)
{
	struct layout_text again = { .source = source_add(s->sources, t->source->name,
							  (struct str){ text->p, text->n }) };

	if (t->apparmor)
		again.apparmor = aa_parse_source(s->arena, again.source, s->diags);
	else
		again.policy = pale_parse_source(s->arena, again.source, s->diags);
	return again;
}

int layout_put(struct session *s, const struct layout_text *t, struct buf *text)
{
	BUF_AUTO second = { 0 };

	print_text(text, t);
	if (text->failed)
		arena_no_memory(s->arena);
	if (text->n > SOURCE_MAX) {
		struct diag *d = diag_add(s->diags, DIAG_PL005, NO_SPAN,
					  "'%s': the formatted text is larger than %u MiB",
					  t->source->name, SOURCE_MAX >> 20);
		diag_help(s->diags, d, "it has %zu bytes: divide the file with include", text->n);
		return EXIT_FOUND;
	}
	struct layout_text again = read_again(s, t, text);

	print_text(&second, &again);
	if (second.failed)
		arena_no_memory(s->arena);
	BUG_ON(s->diags->errors || second.n != text->n ||
	       (text->n && memcmp(second.p, text->p, text->n)));
	BUG_ON(t->apparmor && !aa_same(t->apparmor, again.apparmor));
	return EXIT_OK;
}
