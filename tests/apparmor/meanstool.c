/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What file rules mean, for the tests, line by line from stdin, fields between tabs:
 *	rule MODE OWNER AUDIT PRIORITY PERMS EXEC TARGET LINK SUBSET GLOB
 *	ask PATH        "conflict varies", then of others and of the owner: allow deny audit quiet
 *			prompt varies audit_varies (PERM_* as numbers), exec, unsafe, target
 *	link PATH PATH  the same of a link
 *	conflicts       pairs of rules that conflict, by number from 0, whether it varies, and a
 *			witness in hex; then "."
 *	new             another profile
 * meanstool RELEASE, by number in enum aa_release. Words as in rules.h; "-": none.
 * meanstool RELEASE BASE FILE...: of each profile every answer that a path gets, with a shortest one
 * in hex in front; then "profile LABEL", how many rules, states and steps, whether all was decided,
 * and the CPU time in microseconds of building it. Of each file then "ok" or "refused", and its name.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/features.h"
#include "compiler/apparmor/means.h"

static struct arena *arena;
static struct aa_means_pool *pool;
static enum aa_release release;
static VEC(struct aa_opened) rules;

static const char *const execs[AA_EXEC_NR] = { "-",   "x",  "ix",  "px",  "pix",
					       "pux", "cx", "cix", "cux", "ux" };

static struct str copy(const char *s)
{
	char *p = arena_strdup(arena, s);

	return (struct str){ p, strlen(p) };
}

static const struct glob *glob(const char *s)
{
	const struct glob *g = glob_parse(arena, copy(s), GLOB_PATH, NULL, NULL);

	if (!g)
		exit(3);
	return g;
}

static unsigned letters(const char *s)
{
	static const char names[] = "rwalkmx"; /* PERM_*, from the first bit on */
	unsigned bits = 0;

	for (; *s; s++)
		bits |= 1u << (strchr(names, *s) - names);
	return bits;
}

static void add(char **f)
{
	struct aa_opened o = { .perms = letters(f[5]), .path = glob(f[10]) };

	o.mode = *f[1] == 'd' ? AA_MODE_DENY : *f[1] == 'p' ? AA_MODE_PROMPT : AA_MODE_ALLOW;
	o.owner = !strcmp(f[2], "owner") ? AA_OWNER_ONLY :
		  !strcmp(f[2], "other") ? AA_OWNER_OTHER :
					   AA_OWNER_ANY;
	o.audit = *f[3] == '1';
	o.priority = atoi(f[4]);
	for (char *c = f[6]; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c + 'a' - 'A');
		else if (strchr("puc", *c) && c == f[6])
			o.unsafe = true;
	for (unsigned i = 0; i < AA_EXEC_NR; i++)
		if (!strcmp(f[6], execs[i]))
			o.exec = i;
	o.target = *f[7] == '-' ? (struct str){ "", 0 } : copy(f[7]);
	o.link = *f[8] == '-' ? NULL : glob(f[8]);
	o.subset = *f[9] == '1';
	vec_push(arena, &rules, o);
}

static void put(const struct aa_answer *a)
{
	printf("%d %d", a->conflict, a->conflict_varies);
	for (unsigned who = 0; who < FILE_WHO_NR; who++) {
		struct str target = a->exec[who].target.n ? a->exec[who].target : copy("-");
		printf("\t%u %u %u %u %u %u %u %s %d ", a->allow[who], a->deny[who], a->audit[who],
		       a->quiet[who], a->prompt[who], a->varies[who], a->audit_varies[who],
		       execs[a->exec[who].exec], a->exec[who].unsafe);
		printf("%.*s", (int)target.n, target.p);
	}
	putchar('\n');
}

static void put_conflicts(const struct aa_means *m)
{
	struct aa_conflicts c = aa_means_conflicts(arena, m, rules.v, rules.n);

	vec_each(&c.list, one) {
		printf("%d %d %d ", (int)(one->one - rules.v), (int)(one->two - rules.v),
		       one->varies);
		for (size_t i = 0; i < one->path.n; i++)
			printf("%02x", (unsigned char)one->path.p[i]);
		putchar('\n');
	}
	puts(c.decided ? "." : "undecided");
}

static void ask(char **f)
{
	static struct aa_means m;
	static size_t built = SIZE_MAX;

	if (!strcmp(f[0], "new")) {
		rules.n = 0;
		built = SIZE_MAX;
		return;
	}
	if (built != rules.n)
		m = aa_means_build(pool, release, rules.v, rules.n);
	built = rules.n;
	if (!m.decided)
		puts("undecided");
	else if (!strcmp(f[0], "ask"))
		put(aa_means_path(&m, copy(f[1])));
	else if (!strcmp(f[0], "link"))
		put(aa_means_link(arena, &m, copy(f[1]), copy(f[2])));
	else
		put_conflicts(&m);
}

/* ---- files ---- */

static void put_means(struct str label, const struct aa_files *files)
{
	clock_t begin = clock();
	struct aa_means m = aa_means_build(pool, release, files->list.v, files->list.n);
	clock_t end = clock();
	struct machine_walk w = machine_walk(arena, &m.machine, NULL, MACHINE_PATHS, false);

	vec_each(&w.found, f) {
		for (size_t i = 0; i < f->path.n; i++)
			printf("%02x", (unsigned char)f->path.p[i]);
		putchar('\t');
		put(aa_means_class(pool, f->a));
	}
	printf("profile " PRISTR "\t%zu %zu %zu %d %ld\n", STRARG(label), files->list.n,
	       m.machine.states, m.machine.steps, m.decided && w.decided,
	       (long)((end - begin) * 1000000 / CLOCKS_PER_SEC));
}

static void ask_profile(struct aa_reader *rd, const struct aa_policy *policy,
			const struct aa_profile *p)
{
	struct aa_files files = { .release = rd->target.release };
	struct glob_variables vars = aa_profile_variables(arena, policy, p);

	rd->variables = &vars;
	vec_each(&p->uses, use) {
		const struct aa_rule *r =
			use->reach == AA_REACH_LIVE ? aa_rule_read(rd, use) : NULL;
		if (r)
			aa_files_add(arena, r, p, &files);
	}
	put_means(p->label, &files);
	vec_each(&p->children, child)
		ask_profile(rd, policy, *child);
}

static void ask_file(struct aa_library *lib, const struct aa_asked *asked, const char *path)
{
	struct diags *ds = diags_new(arena, lib->sources);
	struct aa_reader rd = { .arena = arena, .diags = ds };
	struct source *src;

	if (source_load(lib->sources, path, &src))
		exit(2);
	const struct aa_policy *p =
		aa_expand(arena, lib, aa_parse_source(arena, src, ds), asked, ds);
	rd.target = p->target;
	vec_each(&p->profiles, profile)
		ask_profile(&rd, p, *profile);
	printf("%s %s\n", ds->errors ? "refused" : "ok", path);
}

static void ask_files(const char *base, char **paths)
{
	struct aa_library *lib = aa_library_new(arena, sources_new(arena), NULL, base);
	struct aa_asked asked = { .release = release };

	for (; *paths; paths++)
		ask_file(lib, &asked, *paths);
}

int main(int argc, char **argv)
{
	char *line = NULL;
	size_t room = 0;

	arena = arena_new(NULL);
	pool = aa_means_pool_new(arena);
	release = argc > 1 ? (enum aa_release)atoi(argv[1]) : 0;
	if (argc > 3)
		ask_files(argv[2], argv + 3);
	if (argc > 3)
		return 0;
	while (getline(&line, &room, stdin) > 0) {
		char *f[11] = { NULL }, *rest = line;
		rest[strcspn(rest, "\n")] = '\0';
		for (unsigned i = 0; i < 11 && rest; i++)
			f[i] = strsep(&rest, "\t");
		if (!strcmp(f[0], "rule"))
			add(f);
		else
			ask(f);
	}
	free(line);
	arena_free(arena);
	return 0;
}
