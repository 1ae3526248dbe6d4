/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy's AppArmor half in two ways: from its typed rules, and from the text that is written of
 * it, read as that of any profile. Of each FILE a line: "same", "refused: WHY", or what differs and under
 * which release. policytool BASE FILE...: BASE holds abi and tunables. policytool -t RELEASE BASE
 * FILE...: as it is compiled for that release, by its number.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/apparmor/answer.h"
#include "compiler/apparmor/check.h"
#include "compiler/apparmor/needs.h"
#include "compiler/file/input.h"
#include "grammar/parse.h"

static const char *base;
static struct apparmor_target target;
static bool targeted;

struct keys {
	VEC(const char *) list;
};

/* ---- what is no file, as text ---- */

static const char *key_of(struct arena *a, const struct aa_rule *r)
{
	const struct aa_cond *peer = aa_rule_cond(r, AA_COND_PEER, false);
	struct str label = peer ? peer->values->text : (struct str){ "", 0 };
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%s mode %d audit %d owner %d perms %u ", aa_class_name(r->class),
		   r->prefix.mode, r->prefix.audit, r->prefix.owner, r->perms);
	if (r->class == AA_CLASS_CAPABILITY)
		buf_printf(&b, "%jx", (uintmax_t)r->caps);
	else if (r->class == AA_CLASS_NETWORK)
		buf_printf(&b, "%jx %x %d", (uintmax_t)r->network.families, r->network.types,
			   r->network.any);
	else if (r->class == AA_CLASS_SIGNAL)
		buf_printf(&b, "%d %jx %jx %jx " PRISTR, r->signal.any, (uintmax_t)r->signal.set[0],
			   (uintmax_t)r->signal.set[1], (uintmax_t)r->signal.set[2], STRARG(label));
	else if (r->class == AA_CLASS_RLIMIT)
		buf_printf(&b, "%d %jx", r->limit.resource, (uintmax_t)r->limit.value);
	return arena_strdup(a, b.p);
}

static int by_text(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

/* Sorted, each once: the text has no line twice. */
static struct keys keys_of(const struct aa_asking *q)
{
	struct keys all = { 0 };
	size_t kept = 0;

	vec_each(&q->rules, r)
		if ((*r)->class != AA_CLASS_FILE)
			vec_push(q->arena, &all.list, key_of(q->arena, *r));
	if (all.list.n)
		qsort(all.list.v, all.list.n, sizeof(*all.list.v), by_text);
	for (size_t i = 0; i < all.list.n; i++)
		if (!kept || strcmp(all.list.v[i], all.list.v[kept - 1]))
			all.list.v[kept++] = all.list.v[i];
	all.list.n = kept;
	return all;
}

static const char *differing_key(const struct aa_asking *x, const struct aa_asking *y)
{
	struct keys a = keys_of(x), b = keys_of(y);

	for (size_t i = 0; i < a.list.n || i < b.list.n; i++) {
		if (i >= a.list.n || i >= b.list.n)
			return i < a.list.n ? a.list.v[i] : b.list.v[i];
		if (strcmp(a.list.v[i], b.list.v[i]))
			return a.list.v[i];
	}
	return NULL;
}

static const char *differs(const struct aa_asking *x, const struct aa_asking *y)
{
	struct str one = x->profile->attached, two = y->profile->attached;

	if (!str_eq(x->profile->label, y->profile->label))
		return "label";
	if (one.n != two.n || (one.n && memcmp(one.p, two.p, one.n)))
		return "attachment";
	if (x->target.mediated != y->target.mediated || x->target.compiled != y->target.compiled)
		return "classes";
	if (x->means.machine.start != y->means.machine.start)
		return "files";
	return differing_key(x, y);
}

/* ---- the two ways ---- */

/* The first error. */
static const char *told(struct diags *ds)
{
	vec_each(&ds->list, d)
		if ((*d)->severity == SEVERITY_ERROR)
			return (*d)->text;
	return "it is refused without a word";
}

static const char *compare(const struct policy *p, const struct buf *text, enum aa_release release,
			   struct diags *ds)
{
	struct aa_library *lib = aa_library_new(ds->arena, ds->sources, NULL, base);
	struct aa_asked asked = { .release = release, .target = targeted ? &target : NULL };
	struct aa_means_pool *pool = aa_means_pool_new(ds->arena);
	struct source *src = source_add(ds->sources, "written", (struct str){ text->p, text->n });
	const struct aa_file *file = aa_parse_source(ds->arena, src, ds);
	struct aa_asking one, two;

	if (aa_check(ds->arena, lib, file, &asked, NULL, ds) != AA_CHECK_TAKES)
		return told(ds);
	const struct aa_policy *read = aa_expand(ds->arena, lib, file, &asked, ds);
	if (!aa_asking_policy(ds->arena, pool, p, &asked, ds, &one) ||
	    !aa_asking_open(ds->arena, pool, read, read->profiles.v[0], ds, &two))
		return told(ds);
	return differs(&one, &two);
}

static void ask(const char *path)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	const char *dirs[] = { base, NULL };
	struct resolve_options opt = { .apparmor_dirs = dirs,
				       .set_dirs = set_directories(a, NULL) };
	struct apparmor_options plain = { .target = targeted ? &target : NULL };
	BUF_AUTO text = { 0 };
	struct source *src;

	if (source_load(sources, path, &src))
		exit(2);
	struct ast_file *tree = pale_parse_source(a, src, ds);
	struct policies *all = ds->errors ? NULL : policy_resolve(a, tree, &opt, ds);
	if (ds->errors || apparmor_write(a, all->list.v[0], &plain, &text, ds)) {
		printf("refused: %s\n", told(ds));
		arena_free(a);
		return;
	}
	const char *why = NULL;
	for (int r = 0; r < AA_RELEASE_NR && !why; r++) {
		if (targeted && target.release != (enum aa_release)r)
			continue;
		why = compare(all->list.v[0], &text, (enum aa_release)r, ds);
		if (why)
			printf("%s: %s\n", aa_release_name((enum aa_release)r), why);
	}
	if (!why)
		puts("same");
	arena_free(a);
}

int main(int argc, char **argv)
{
	int at = 1;

	targeted = argc > 3 && !strcmp(argv[1], "-t");
	if (targeted) {
		target.release = (enum aa_release)atoi(argv[2]);
		at = 3;
	}
	base = argc > at ? argv[at] : "";
	for (int i = at + 1; i < argc; i++)
		ask(argv[i]);
	return 0;
}
