/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The globs of compiler/automata for the tests, line by line from stdin, fields between tabs:
 *	globtool match      GLOB PATH    1 or 0; E: the parser would refuse the glob
 *	globtool check      GLOB         fine, or: kind, place, why
 *	globtool overlap    GLOB GLOB    "no", "undecided", or "yes" and a witness in hex
 *	globtool walk       LABEL GLOB   all of them: "LABELS WITNESS-in-hex" a line, then the answer
 *	globtool walk-texts              the same over all texts, not paths alone
 *	globtool variables           whether DIR declares what variables_standard() does: a name a line
 * Further arguments: a number is the budget, DIR is where AppArmor's includes are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/policy/tunables.h"
#include "tests/apparmor/subsets.h"

static struct arena *arena;
static size_t budget;
static struct glob_variables *variables;

static void put_hex(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%02x", (unsigned char)s[i]);
}

static const struct glob *parse(const char *text, struct glob_fault *fault)
{
	char *copy = arena_strdup(arena, text);

	return glob_parse(arena, (struct str){ copy, strlen(copy) }, GLOB_PATH, variables, fault);
}

static void match(const char *x, const char *y)
{
	const struct glob *g = parse(x, NULL);

	puts(!g ? "E" : glob_match(arena, g, (struct str){ y, strlen(y) }) ? "1" : "0");
}

static void check(const char *x)
{
	static const char *const kinds[] = {
		[GLOB_FINE] = "fine",
		[GLOB_MISREAD] = "misread",
		[GLOB_UNDECLARED] = "undeclared",
		[GLOB_REFUSED] = "refused",
		[GLOB_RECURSIVE] = "recursive",
		[GLOB_MALFORMED] = "malformed",
	};
	struct glob_fault f;

	parse(x, &f);
	printf("%s", kinds[f.kind]);
	if (f.kind != GLOB_FINE)
		printf(" %zu+%zu %s", f.at, f.n, f.why);
	putchar('\n');
}

static void overlap(const char *x, const char *y)
{
	const struct glob *a = parse(x, NULL), *b = parse(y, NULL);
	const char *witness = NULL;
	size_t left = budget ? budget : GLOB_BUDGET;

	if (!a || !b) {
		puts("E");
		return;
	}
	enum glob_answer answer = glob_overlap(arena, a, b, &left, &witness);
	fputs(answer == GLOB_NO ? "no" : answer == GLOB_YES ? "yes " : "undecided", stdout);
	if (answer == GLOB_YES)
		put_hex(witness, strlen(witness));
	putchar('\n');
}

static void tell_walk(struct automaton *m)
{
	struct automaton_walk w = automaton_walk(m);

	vec_each(&w.found, f) {
		const char *comma = "";
		for (unsigned i = 0; i < AUTOMATON_LABELS; i++) {
			if (!label_has(&f->labels, i))
				continue;
			printf("%s%u", comma, i);
			comma = ",";
		}
		printf("%s ", *comma ? "" : "-");
		put_hex(f->path.p, f->path.n);
		putchar('\n');
	}
	printf("%s %zu\n", w.decided ? "decided" : "undecided", w.states);
}

/* The empty set and both: one language. */
static bool same_values(const struct glob_variables *x, const struct glob_variables *y,
			struct str name)
{
	const char *text = arena_printf(arena, "@{" PRISTR "}", STRARG(name));
	struct automaton *m = automaton_new(arena, AUTOMATON_TEXTS, AUTOMATON_BUDGET);

	for (unsigned k = 0; k < 2; k++) {
		const struct glob *g = glob_parse(arena, (struct str){ text, strlen(text) },
						  GLOB_PATH, k ? y : x, NULL);
		struct label_set labels = { { 0 } };
		label_add(&labels, k);
		automaton_add(m, g, &labels);
	}
	struct automaton_walk w = automaton_walk(m);
	vec_each(&w.found, f)
		if (label_has(&f->labels, 0) != label_has(&f->labels, 1))
			return false;
	return w.decided && w.found.n == 2;
}

static void compare_variables(void)
{
	struct glob_variables standard = { 0 };

	variables_standard(arena, &standard);
	vec_each(&standard.list, v)
		printf("%.*s %s\n", STRARG(v->name),
		       !glob_variable_find(variables, v->name)    ? "missing" :
		       same_values(&standard, variables, v->name) ? "same" :
								    "differs");
	vec_each(&variables->list, v)
		if (!glob_variable_find(&standard, v->name))
			printf("%.*s unknown\n", STRARG(v->name));
}

static void read_variables(const char *dir)
{
	const char *const dirs[] = { dir, "/etc/apparmor.d", NULL };
	const char *failed = "";

	variables = ARENA_NEW(arena, struct glob_variables);
	int err = variables_read(sources_new(arena), dirs, variables, &failed);
	if (err)
		printf("%s: %s\n", failed, strerror(-err));
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	arena = arena_new(NULL);
	for (int i = 2; i < argc; i++) {
		if (argv[i][0] == '/')
			read_variables(argv[i]);
		else
			budget = strtoul(argv[i], NULL, 10);
	}
	struct automaton *m =
		automaton_new(arena, strcmp(what, "walk") ? AUTOMATON_TEXTS : AUTOMATON_PATHS,
			      budget ? budget : AUTOMATON_BUDGET);
	if (!strcmp(what, "variables"))
		compare_variables();
	while ((n = getline(&line, &cap, stdin)) > 0) {
		if (line[n - 1] == '\n')
			line[--n] = '\0';
		char *tab = strchr(line, '\t');
		if (tab)
			*tab++ = '\0';
		if (!strcmp(what, "match") && tab) {
			match(line, tab);
		} else if (!strcmp(what, "overlap") && tab) {
			overlap(line, tab);
		} else if (!strcmp(what, "check")) {
			check(line);
		} else if (tab) {
			struct label_set labels = { { 0 } };
			const struct glob *g = parse(tab, NULL);
			label_add(&labels, (unsigned)strtoul(line, NULL, 10));
			if (!g)
				return 2;
			automaton_add(m, g, &labels);
		}
	}
	if (!strncmp(what, "walk", 4))
		tell_walk(m);
	free(line);
	arena_free(arena);
	return 0;
}
