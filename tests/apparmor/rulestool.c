/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of AppArmor text, with types:
 *	rulestool [-I DIR]... [-b BASE] [-t RELEASE] [-f FEATURES] [-d] FILE...
 * For each file "ok" or "refused" and its name; -d: in front of that each profile and rule as it
 * was read, and what was told, as JSON lines. One library serves all files.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/features.h"
#include "compiler/rules/rules.h"

struct walk {
	struct aa_reader rd;
	bool dump;
};

static void put_word(const char *name, const struct aa_text *t)
{
	if (t->word)
		printf(" %s=" PRISTR "%s", name, STRARG(t->word->text), t->glob ? "" : "?");
}

static void put_conds(const struct aa_rule *r)
{
	vec_each(&r->conds, c) {
		printf(" %s" PRISTR "%s", c->peer ? "peer." : "", STRARG(c->item->word.text),
		       c->op == AA_OP_SET ? ":=" :
		       c->op == AA_OP_IN  ? " in " :
					    "=");
		for (const struct aa_word *w = c->values; w; w = w->next)
			printf(PRISTR "%s", STRARG(w->text), w->next ? "," : "");
	}
}

static void put_file(const struct aa_file_rule *f)
{
	static const char *const execs[AA_EXEC_NR] = { "",    "x",  "ix",  "px",  "pix",
						       "pux", "cx", "cix", "cux", "ux" };

	printf(" exec=%s%s%s%s", execs[f->exec], f->unsafe ? "!" : "", f->subset ? " subset" : "",
	       f->all ? " all" : "");
	put_word("path", &f->path);
	put_word("target", &f->target);
	put_word("link", &f->link);
}

static void put_address(const char *name, const struct aa_address *a)
{
	if (a->ip.said)
		printf(" %s=%s%02x%02x%02x%02x", name,
		       a->ip.none ? "none" :
		       a->ip.v6   ? "v6:" :
				    "v4:",
		       a->ip.bytes[0], a->ip.bytes[1], a->ip.bytes[2], a->ip.bytes[3]);
	if (a->port_said)
		printf(" %s=%u-%u", name, a->from, a->to);
}

static void put_class(const struct aa_rule *r)
{
	switch (r->class) {
	case AA_CLASS_FILE: put_file(&r->file); break;
	case AA_CLASS_CAPABILITY: printf(" caps=%" PRIx64, r->caps); break;
	case AA_CLASS_NETWORK:
		printf(" families=%" PRIx64 " types=%x%s", r->network.families, r->network.types,
		       r->network.icmp ? " icmp" : "");
		put_address("own", &r->network.own);
		put_address("peer", &r->network.peer);
		break;
	case AA_CLASS_UNIX:
		printf(" type=%d addr=%d peer=%d", r->unix_.type, r->unix_.addr,
		       r->unix_.peer_addr);
		break;
	case AA_CLASS_MOUNT:
		printf(" kind=%d", r->mount.kind);
		vec_each(&r->mount.flags, f)
			printf(" flags%s%x-%x", f->op == AA_OP_IN ? " in " : "=", f->set, f->clear);
		put_word("source", &r->mount.source);
		put_word("point", &r->mount.point);
		break;
	case AA_CLASS_PIVOT_ROOT: put_word("root", &r->pivot.root); break;
	case AA_CLASS_SIGNAL:
		printf(" any=%d set=%" PRIx64 ".%" PRIx64, r->signal.any, r->signal.set[0],
		       r->signal.set[2]);
		break;
	case AA_CLASS_MQUEUE:
		printf(" type=%d", r->mqueue.type);
		put_word("name", &r->mqueue.name);
		break;
	case AA_CLASS_RLIMIT:
		printf(" limit=%d value=%" PRIu64, r->limit.resource, r->limit.value);
		break;
	case AA_CLASS_CHANGE_PROFILE:
		printf("%s%s", r->change.safe ? " safe" : "", r->change.unsafe ? " unsafe" : "");
		put_word("exec", &r->change.exec);
		put_word("target", &r->change.target);
		break;
	default: break;
	}
}

static void put_rule(const struct aa_rule *r)
{
	static const char *const modes[] = { "", "deny ", "prompt " };
	static const char *const owners[] = { "", "owner ", "other " };

	printf("rule ");
	if (r->prefix.priority)
		printf("%d ", r->prefix.priority);
	printf("%s%s%s%s perms=%x", r->prefix.audit ? "audit " : "", modes[r->prefix.mode],
	       owners[r->prefix.owner], aa_class_name(r->class), r->perms);
	put_class(r);
	put_conds(r);
	putchar('\n');
}

static void ask_profile(struct walk *w, const struct aa_policy *policy, const struct aa_profile *p)
{
	struct glob_variables vars = aa_profile_variables(w->rd.arena, policy, p);
	const struct aa_header *h = p->header;

	if (w->dump) {
		printf("profile " PRISTR, STRARG(h->name));
		if (h->ns.n)
			printf(" ns=" PRISTR, STRARG(h->ns));
		printf("%s flags=%x signal=%d error=%d", h->hat ? " hat" : "", h->flags,
		       h->kill_signal, h->error);
		put_word("attachment", &h->attachment);
		if (h->disconnected.n)
			printf(" disconnected=" PRISTR, STRARG(h->disconnected));
		for (const struct aa_word *i = h->identities; i; i = i->next)
			printf(" identity=" PRISTR, STRARG(i->text));
		putchar('\n');
	}
	struct aa_reader named = w->rd;
	named.variables = &vars;
	if (p->reach == AA_REACH_LIVE)
		aa_header_matches(&named, h);
	vec_each(&p->uses, use) {
		w->rd.variables = use->reach == AA_REACH_LIVE ? &vars : NULL;
		const struct aa_rule *r = aa_rule_read(&w->rd, use);

		if (r && w->dump)
			put_rule(r);
	}
	vec_each(&p->children, child)
		ask_profile(w, policy, *child);
}

static void ask(struct aa_library *lib, const struct aa_asked *asked, const char *path, bool dump)
{
	struct arena *a = lib->arena;
	struct diags *ds = diags_new(a, lib->sources);
	struct walk w = { { .arena = a, .diags = ds }, dump };
	struct source *src;

	if (source_load(lib->sources, path, &src)) {
		printf("unreadable %s\n", path);
		return;
	}
	const struct aa_policy *p = aa_expand(a, lib, aa_parse_source(a, src, ds), asked, ds);
	w.rd.target = p->target;
	vec_each(&p->profiles, profile)
		ask_profile(&w, p, *profile);
	if (dump) {
		vec_each(&ds->list, d) {
			BUF_AUTO b = { 0 };

			diag_print_json(ds, *d, &b);
			fputs(b.p, stdout);
		}
	}
	printf("%s %s\n", ds->errors ? "refused" : "ok", path);
}

static enum aa_release release_of(const char *name)
{
	for (int r = 0; r < AA_RELEASE_NR; r++)
		if (!strcmp(name, aa_release_name((enum aa_release)r)))
			return (enum aa_release)r;
	exit(2);
}

static const struct aa_features *features(struct arena *a, struct sources *sources,
					  const char *path)
{
	struct source *src;

	if (source_load(sources, path, &src))
		exit(2);
	return aa_features_read(a, src->text);
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct aa_asked asked = { .release = AA_RELEASE_5_0 };
	VEC(const char *) dirs = { 0 };
	const char *base = NULL;
	bool dump = false;

	for (int c; (c = getopt(argc, argv, "I:b:t:f:d")) != -1;) {
		switch (c) {
		case 'I': vec_push(a, &dirs, optarg); break;
		case 'b': base = optarg; break;
		case 't': asked.release = release_of(optarg); break;
		case 'f': asked.kernel = features(a, sources, optarg); break;
		case 'd': dump = true; break;
		default: return 2;
		}
	}
	vec_push(a, &dirs, NULL);
	struct aa_library *lib = aa_library_new(a, sources, dirs.v, base);
	for (int i = optind; i < argc; i++)
		ask(lib, &asked, argv[i], dump);
	arena_free(a);
	return 0;
}
