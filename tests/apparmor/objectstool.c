/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What rules of every class but files mean, for the tests: objectstool RELEASE BASE A [B]. Of the
 * first profile of A, or of A and B where they differ, a line for each permission of each answer
 * that an object gets: "CLASS, answer[, answer in B], a shortest access" between tabs, answers as
 * letters: a allow, d deny, l logged, q quiet, p prompt, "-" none. "CLASS same" where machines are
 * one, "CLASS undecided".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/features.h"
#include "compiler/apparmor/objects.h"

static struct arena *arena;

struct live {
	VEC(const struct aa_rule *) rules;
};

static struct live rules_of(struct aa_library *lib, enum aa_release release, const char *path)
{
	struct diags *ds = diags_new(arena, lib->sources);
	struct aa_asked asked = { .release = release };
	struct aa_reader rd = { .arena = arena, .diags = ds };
	struct live out = { 0 };
	struct source *src;

	if (source_load(lib->sources, path, &src))
		exit(2);
	const struct aa_policy *p =
		aa_expand(arena, lib, aa_parse_source(arena, src, ds), &asked, ds);
	const struct aa_profile *profile = p->profiles.v[0];
	struct glob_variables vars = aa_profile_variables(arena, p, profile);
	rd.target = p->target;
	rd.variables = &vars;
	vec_each(&profile->uses, use) {
		const struct aa_rule *r =
			use->reach == AA_REACH_LIVE ? aa_rule_read(&rd, use) : NULL;
		if (r)
			vec_push(arena, &out.rules, r);
	}
	if (ds->errors)
		exit(3);
	return out;
}

static void put_answer(const struct aa_halves *h, unsigned perm)
{
	const struct {
		unsigned bits;
		char letter;
	} halves[] = { { h->allow, 'a' },
		       { h->deny, 'd' },
		       { h->audit, 'l' },
		       { h->quiet, 'q' },
		       { h->prompt, 'p' } };
	bool any = false;

	putchar('\t');
	for (size_t i = 0; i < sizeof(halves) / sizeof(halves[0]); i++)
		if (halves[i].bits & perm) {
			putchar(halves[i].letter);
			any = true;
		}
	if (!any)
		putchar('-');
}

static bool same_of(const struct aa_halves *x, const struct aa_halves *y, unsigned perm)
{
	return !(((x->allow ^ y->allow) | (x->deny ^ y->deny) | (x->audit ^ y->audit) |
		  (x->quiet ^ y->quiet) | (x->prompt ^ y->prompt)) &
		 perm);
}

static void put_found(const struct aa_objects *o, const struct machine_found *f, bool differ)
{
	const struct aa_halves *x = aa_objects_class(o->pool, f->a);
	const struct aa_halves *y = aa_objects_class(o->pool, f->b);
	unsigned environment = o->class == AA_CLASS_CHANGE_PROFILE ? AA_ACCESS_UNSAFE : 0;
	unsigned spoken = x->allow | x->deny | x->prompt | y->allow | y->deny | y->prompt;

	for (unsigned perm = 1; perm && perm <= spoken; perm <<= 1) {
		if (!(spoken & perm) || perm == environment || (differ && same_of(x, y, perm)))
			continue;
		printf("%s", aa_class_name(o->class));
		put_answer(x, perm);
		if (differ)
			put_answer(y, perm);
		printf("\t%s\n", aa_objects_witness(arena, o->class, f->path, perm));
	}
}

int main(int argc, char **argv)
{
	arena = arena_new(NULL);
	if (argc < 4)
		return 1;
	struct aa_library *lib = aa_library_new(arena, sources_new(arena), NULL, argv[2]);
	enum aa_release release = (enum aa_release)atoi(argv[1]);
	struct aa_objects_pool *pool = aa_objects_pool_new(arena);
	struct live a = rules_of(lib, release, argv[3]), b = { 0 };
	if (argc > 4)
		b = rules_of(lib, release, argv[4]);
	for (unsigned c = 0; c < AA_CLASS_NR; c++) {
		if (!aa_has_objects(c))
			continue;
		struct aa_objects x = aa_objects_build(pool, release, a.rules.v, a.rules.n, c);
		struct aa_objects y = aa_objects_build(pool, release, b.rules.v, b.rules.n, c);
		struct machine_walk w = { .decided = false };
		if (x.decided && y.decided)
			w = aa_objects_walk(arena, &x, argc > 4 ? &y : NULL, argc > 4);
		vec_each(&w.found, f)
			put_found(&x, f, argc > 4);
		if (!w.decided)
			printf("%s undecided\n", aa_class_name(c));
		else if (argc > 4 && x.machine.start == y.machine.start)
			printf("%s same\n", aa_class_name(c));
	}
	arena_free(arena);
	return 0;
}
