/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Machines of compiler/automata for the tests, line by line from stdin, fields between tabs:
 *	g RULE GLOB     another glob of this machine, with the rule's number
 *	p GLOB RULE GLOB  a pair: both, with a NUL byte between
 *	find TEXT       the rules that match: "1,5"; "-": none; "undecided"
 *	size            how many states it has, and how many it had before
 *	walk, texts     every set of rules that a path, or a text, has: "RULES WITNESS-in-hex" a line
 *	same            does it say what the machine before it says? 1 or 0
 *	diff            how it differs from the one before, over texts: "RULES RULES WITNESS-in-hex"
 *	new             the next machine begins
 * machinetool FILE...: each a machine of globs "WORDS TAB GLOB" alone, rules numbered by WORDS; figures.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/automata/machine.h"

static struct arena *arena;
static struct machine_pool *pool;
static VEC(const char *) classes;
static VEC(machine_texts) texts;
static struct machine last;

static unsigned class_of(void *who, const uint32_t *rules, size_t n)
{
	const char *text = "";

	(void)who;
	for (size_t i = 0; i < n; i++)
		text = arena_printf(arena, "%s%s%u", text, i ? "," : "", (unsigned)rules[i]);
	vec_push(arena, &classes, text);
	return (unsigned)classes.n;
}

static const char *name(unsigned class)
{
	return class ? classes.v[class - 1] : "-";
}

static void put_hex(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		printf("%02x", (unsigned char)s.p[i]);
	putchar('\n');
}

static machine_texts glob(char *text, machine_texts then)
{
	char *copy = arena_strdup(arena, text);
	size_t steps = MACHINE_STEPS_MAX;
	const struct glob *g =
		glob_parse(arena, (struct str){ copy, strlen(copy) }, GLOB_PATH, NULL, NULL);

	return g ? machine_glob(pool, g, then, &steps) : 0;
}

static machine_texts pair(char *one, machine_texts end, char *two)
{
	struct byte_set nul = { { 1 } };

	return glob(one, machine_byte(pool, &nul, glob(two, end)));
}

static struct machine build(void)
{
	return machine_build(pool, machine_union(pool, texts.v, texts.n));
}

static void walk(enum machine_domain domain)
{
	struct machine m = build();
	struct machine_walk w = machine_walk(arena, &m, NULL, domain, false);

	vec_each(&w.found, f) {
		printf("%s ", name(f->a));
		put_hex(f->path);
	}
	puts(w.decided ? "." : "undecided");
}

static void diff(void)
{
	struct machine m = build();
	struct machine_walk w = machine_walk(arena, &last, &m, MACHINE_TEXTS, true);

	vec_each(&w.found, f) {
		printf("%s %s ", name(f->a), name(f->b));
		put_hex(f->path);
	}
	puts(w.decided ? "." : "undecided");
}

static void ask(char **f)
{
	struct machine m = build();

	if (!m.decided)
		puts("undecided");
	else if (!strcmp(f[0], "find"))
		puts(name(machine_find(&m, (struct str){ f[1], strlen(f[1]) })));
	else if (!strcmp(f[0], "size"))
		printf("%zu %zu %zu\n", machine_size(arena, &m), m.states, m.steps);
	else if (!strcmp(f[0], "same"))
		puts(m.start == last.start ? "1" : "0");
	else if (!strcmp(f[0], "diff"))
		diff();
	else
		walk(!strcmp(f[0], "walk") ? MACHINE_PATHS : MACHINE_TEXTS);
}

static void command(char **f)
{
	if (!strcmp(f[0], "g")) {
		vec_push(arena, &texts,
			 glob(f[2], machine_end(pool, (uint32_t)strtoul(f[1], NULL, 10))));
	} else if (!strcmp(f[0], "p")) {
		machine_texts end = machine_end(pool, (uint32_t)strtoul(f[2], NULL, 10));
		vec_push(arena, &texts, pair(f[1], end, f[3]));
	} else if (!strcmp(f[0], "new")) {
		last = build();
		texts.n = 0;
	} else {
		ask(f);
	}
}

static uint32_t number_of(const char *words)
{
	static VEC(const char *) known;

	for (uint32_t i = 0; i < known.n; i++)
		if (!strcmp(known.v[i], words))
			return i;
	vec_push(arena, &known, arena_strdup(arena, words));
	return (uint32_t)known.n - 1;
}

static char *next_line(FILE *in)
{
	static char *line;
	static size_t room;

	if (getline(&line, &room, in) < 0)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return line;
}

static void figures(const char *file)
{
	FILE *in = fopen(file, "r");
	size_t positions = 0, steps = MACHINE_STEPS_MAX;

	if (!in)
		exit(2);
	texts.n = 0;
	for (char *line; (line = next_line(in));) {
		char *tab = strchr(line, '\t');
		if (!tab)
			continue;
		*tab = '\0';
		char *copy = arena_strdup(arena, tab + 1);
		const struct glob *g = glob_parse(arena, (struct str){ copy, strlen(copy) },
						  GLOB_PATH, NULL, NULL);
		if (!g)
			continue;
		positions += g->nfa.nodes.n;
		vec_push(arena, &texts,
			 machine_glob(pool, g, machine_end(pool, number_of(line)), &steps));
	}
	fclose(in);
	struct machine m = build();
	printf("%s: %zu globs, %zu nodes, %zu states, %zu steps, %zu minimal\n", file, texts.n,
	       positions, m.states, m.steps, machine_size(arena, &m));
}

int main(int argc, char **argv)
{
	arena = arena_new(NULL);
	pool = machine_pool_new(arena, class_of, NULL);
	for (int i = 1; i < argc; i++)
		figures(argv[i]);
	for (char *line; argc == 1 && (line = next_line(stdin));) {
		char *f[4] = { NULL };
		for (unsigned i = 0; i < 4 && line; i++)
			f[i] = strsep(&line, "\t");
		command(f);
		fflush(stdout);
	}
	arena_free(arena);
	return 0;
}
