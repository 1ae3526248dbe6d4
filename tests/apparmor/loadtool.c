/* SPDX-License-Identifier: Apache-2.0 */
/*
 *	loadtool
 *	loadtool FILE [DIR]
 * Loads the profile on standard input as `pale run` does: the status, and what the parser said. Of a
 * FILE: what the parser says to it is told, its includes looked for in DIR first, and the answer.
 */
#include <stdio.h>

#include "compiler/apparmor/parser.h"

static int ask(const char *path, const char *dir)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	const char *includes[] = { dir, NULL };
	struct source *src;

	if (source_load(sources, path, &src))
		return 2;
	struct parser_question q = { src->text, src, { src->id, 0, 0 }, includes };
	enum parser_answer answer = parser_ask(&q, ds);
	vec_each(&ds->list, d) {
		BUF_AUTO out = { 0 };

		diag_print_text(ds, *d, false, &out);
		fputs(out.p, stdout);
	}
	arena_free(a);
	return answer == PARSER_TAKES ? 0 : answer == PARSER_REFUSES ? 1 : 3;
}

int main(int argc, char **argv)
{
	char text[4096];
	BUF_AUTO said = { 0 };

	if (argc > 1)
		return ask(argv[1], argc > 2 ? argv[2] : NULL);
	int status = parser_load((struct str){ text, fread(text, 1, sizeof(text), stdin) }, &said);
	printf("%d\n%.*s", status, (int)said.n, said.n ? said.p : "");
	return 0;
}
