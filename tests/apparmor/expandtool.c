/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor files, expanded:
 *	expandtool [-I DIR]... [-b BASE] [-t RELEASE] [-f FEATURES] [-q | -p] FILE...
 * What is wrong goes to stderr; -q says "ok FILE" or "bad FILE" alone, -p prints a text without
 * includes, conditions and blocks that means the same; else each profile, rule, alias and variable
 * is a line. One library serves all files. 1: a file has errors.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/features.h"

static const char *const releases[AA_RELEASE_NR] = { "3.0", "4.0", "4.1", "4.1.2", "4.1.8", "5.0" };
static const char *const classes[AA_CLASS_NR] = {
	"file", "capability", "network", "unix",     "mount",  "pivot_root",     "ptrace", "signal",
	"dbus", "mqueue",     "userns",  "io_uring", "rlimit", "change_profile", "all",
};
static const char *const modes[] = { "allow", "deny", "prompt" };
static const char *const owners[] = { "", " owner", " other" };
static const char *const reaches[] = { "", " FALSE", " LOST" };

struct run {
	struct sources *sources;
	struct aa_library *lib;
	struct aa_asked asked;
	bool quiet, text;
};

static void print_use(const struct run *r, const struct aa_use *use, unsigned depth)
{
	struct str text = span_text(r->sources, use->stmt->span);
	BUF_AUTO safe = { 0 };

	for (size_t i = 0; i < text.n && i < 200; i++)
		buf_putc(&safe, text.p[i] == '\n' ? ' ' : text.p[i]);
	printf("%*s%s%s%s%s%s prio=%d depth=%u: %s\n", (int)depth * 2, "", classes[use->class],
	       use->prefix.audit ? " audit" : "",
	       use->prefix.mode || use->prefix.mode_said ? " " : "",
	       use->prefix.mode || use->prefix.mode_said ? modes[use->prefix.mode] : "",
	       owners[use->prefix.owner], use->prefix.priority, use->from ? use->from->depth : 0,
	       safe.p ? safe.p : "");
	if (use->reach)
		printf("%*s ^%s\n", (int)depth * 2, "", reaches[use->reach]);
}

static void print_variables(const struct glob_variables *vars, const char *front)
{
	vec_each(&vars->list, v) {
		printf("%s@{" PRISTR "} =", front, STRARG(v->name));
		vec_each(&v->values, value)
			printf(" '" PRISTR "'", STRARG(*value));
		puts("");
	}
}

static void print_profile(const struct run *r, struct arena *a, const struct aa_policy *policy,
			  const struct aa_profile *p, unsigned depth)
{
	struct glob_variables own = aa_profile_variables(a, policy, p);

	printf("%*sprofile " PRISTR " ns='" PRISTR "' attached='" PRISTR "'%s%s\n", (int)depth * 2,
	       "", STRARG(p->label), STRARG(p->ns), STRARG(p->attached), p->hat ? " hat" : "",
	       reaches[p->reach]);
	own.list.v += policy->variables.list.n < own.list.n ? policy->variables.list.n : 0;
	own.list.n -= policy->variables.list.n < own.list.n ? policy->variables.list.n : own.list.n;
	print_variables(&own, "  own ");
	vec_each(&p->uses, use)
		print_use(r, use, depth + 1);
	vec_each(&p->children, child)
		print_profile(r, a, policy, *child, depth + 1);
}

static void print_policy(const struct run *r, struct arena *a, const struct aa_policy *p)
{
	printf("mediated");
	for (unsigned i = 0; i < AA_CLASS_NR; i++)
		if (p->target.mediated & 1u << i)
			printf(" %s", classes[i]);
	puts("");
	print_variables(&p->variables, "");
	vec_each(&p->aliases, alias)
		printf("alias " PRISTR " " PRISTR "\n", STRARG(alias->from.text),
		       STRARG(alias->to.text));
	vec_each(&p->profiles, profile)
		print_profile(r, a, p, *profile, 0);
}

/* ---- as text ---- */

static void put_span(const struct run *r, struct span sp)
{
	struct str s = span_text(r->sources, sp);

	fwrite(s.p, 1, s.n, stdout);
}

static void put_rule(const struct run *r, const struct aa_use *use)
{
	static const char *const words[] = { "", "owner ", "other " };
	const struct aa_prefix *p = &use->prefix;
	struct span sp = use->stmt->span;

	if (use->reach || !use->stmt->items)
		return;
	sp.begin = use->stmt->items->span.begin;
	if (p->priority)
		printf("priority=%d ", p->priority);
	printf("%s%s%s", p->audit ? "audit " : "", p->mode || p->mode_said ? modes[p->mode] : "",
	       p->mode || p->mode_said ? " " : "");
	printf("%s", words[p->owner]);
	put_span(r, sp);
	puts("");
}

static void put_profile(const struct run *r, const struct aa_profile *p)
{
	const struct aa_item *last = p->stmt->items;
	struct span head = p->stmt->span;

	if (p->reach)
		return;
	while (last->next)
		last = last->next;
	head.end = last->span.end;
	put_span(r, head);
	puts(" {");
	vec_each(&p->uses, use)
		put_rule(r, use);
	vec_each(&p->children, child)
		put_profile(r, *child);
	puts("}");
}

static void put_policy(const struct run *r, const struct aa_policy *p)
{
	if (p->abi) {
		printf("abi ");
		put_span(r, p->abi->span);
		puts(",");
	}
	vec_each(&p->variables.list, v) {
		printf("@{" PRISTR "} =", STRARG(v->name));
		vec_each(&v->values, value) {
			printf(" \"");
			for (size_t i = 0; i < value->n; i++)
				printf("%s%c", value->p[i] == '"' ? "\\" : "", value->p[i]);
			printf("\"");
		}
		puts("");
	}
	vec_each(&p->aliases, alias) {
		printf("alias ");
		put_span(r, alias->from.span);
		printf(" -> ");
		put_span(r, alias->to.span);
		puts(",");
	}
	vec_each(&p->profiles, profile)
		put_profile(r, *profile);
}

static bool expand(const struct run *r, const char *path)
{
	struct arena *a = r->lib->arena;
	struct diags *ds = diags_new(a, r->sources);
	struct source *src;
	int err = source_load(r->sources, path, &src);

	if (err) {
		printf("bad %s\n", path);
		return false;
	}
	const struct aa_file *file = aa_parse_source(a, src, ds);
	const struct aa_policy *p = aa_expand(a, r->lib, file, &r->asked, ds);
	if (r->text)
		put_policy(r, p);
	else if (!r->quiet)
		print_policy(r, a, p);
	diags_sort(ds);
	vec_each(&ds->list, d) {
		BUF_AUTO out = { 0 };
		diag_print_text(ds, *d, false, &out);
		fputs(out.p, stderr);
	}
	if (!r->text)
		printf("%s %s\n", ds->errors ? "bad" : "ok", path);
	return !ds->errors;
}

static enum aa_release release_of(const char *name)
{
	for (unsigned i = 0; i < AA_RELEASE_NR; i++)
		if (!strcmp(name, releases[i]))
			return (enum aa_release)i;
	exit(2);
}

static const struct aa_features *read_features(const struct run *r, struct arena *a,
					       const char *path)
{
	struct source *src;

	if (source_load(r->sources, path, &src))
		exit(2);
	return aa_features_read(a, src->text);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(NULL);
	struct run r = { .sources = sources_new(a), .asked = { .release = AA_RELEASE_5_0 } };
	VEC(const char *) dirs = { 0 };
	const char *base = NULL;
	bool good = true;

	for (int c; (c = getopt(argc, argv, "I:b:t:f:qp")) != -1;) {
		if (c == 'I')
			vec_push(a, &dirs, optarg);
		else if (c == 'b')
			base = optarg;
		else if (c == 't')
			r.asked.release = release_of(optarg);
		else if (c == 'f')
			r.asked.kernel = read_features(&r, a, optarg);
		else if (c == 'q')
			r.quiet = true;
		else if (c == 'p')
			r.text = true;
		else
			return 2;
	}
	vec_push(a, &dirs, NULL);
	r.lib = aa_library_new(a, r.sources, dirs.v, base);
	for (int i = optind; i < argc; i++)
		good &= expand(&r, argv[i]);
	arena_free(a);
	return !good;
}
