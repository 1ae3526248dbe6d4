/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules of AppArmor text for the tests: rulestool RELEASE FILE...: for each file "ok" or
 * "refused" and its name. -d in front: each rule as it was read, then what was told, as JSON lines.
 * Both branches of a condition are read; includes and variables are not followed.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "compiler/apparmor/rules.h"

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

static void walk(struct walk *w, const struct aa_stmt *list, const struct aa_prefix *outer,
		 bool inside);

static void walk_profile(struct walk *w, const struct aa_stmt *st, bool inside)
{
	struct aa_header h;
	struct aa_prefix none = { 0 };

	if (aa_header_read(&w->rd, st, inside, &h) && w->dump) {
		printf("profile " PRISTR, STRARG(h.name));
		if (h.ns.n)
			printf(" ns=" PRISTR, STRARG(h.ns));
		printf("%s flags=%x signal=%d error=%d", h.hat ? " hat" : "", h.flags,
		       h.kill_signal, h.error);
		put_word("attachment", &h.attachment);
		if (h.disconnected.n)
			printf(" disconnected=" PRISTR, STRARG(h.disconnected));
		for (const struct aa_word *i = h.identities; i; i = i->next)
			printf(" identity=" PRISTR, STRARG(i->text));
		putchar('\n');
	}
	walk(w, st->body, &none, true);
}

static void walk_rule(struct walk *w, const struct aa_stmt *st, const struct aa_prefix *outer,
		      bool inside)
{
	struct aa_use *use = ARENA_NEW(w->rd.arena, struct aa_use);
	struct aa_alias alias;
	bool ok;

	if (aa_item_is(st->items, "abi")) {
		aa_abi_read(&w->rd, st);
		return;
	}
	if (!inside && (aa_item_is(st->items, "alias") || aa_item_is(st->items, "rewrite"))) {
		aa_alias_read(&w->rd, st, &alias);
		return;
	}
	if (!inside) {
		diag_add(w->rd.diags, DIAG_PL111, st->head, "a rule outside of a profile");
		return;
	}
	use->stmt = st;
	use->prefix = *outer;
	ok = aa_prefix_read(&w->rd, st, &use->prefix);
	struct aa_rule *r = aa_rule_read(&w->rd, use);
	if (r && ok && w->dump)
		put_rule(r);
}

static void walk(struct walk *w, const struct aa_stmt *list, const struct aa_prefix *outer,
		 bool inside)
{
	for (const struct aa_stmt *st = list; st; st = st->next) {
		struct aa_prefix prefix = *outer;

		switch (st->kind) {
		case AA_STMT_RULE: walk_rule(w, st, outer, inside); break;
		case AA_STMT_PROFILE: walk_profile(w, st, inside); break;
		case AA_STMT_BLOCK:
			aa_prefix_read(&w->rd, st, &prefix);
			walk(w, st->body, &prefix, inside);
			break;
		case AA_STMT_IF:
			walk(w, st->body, outer, inside);
			if (st->otherwise)
				walk(w, st->otherwise, outer, inside);
			break;
		default: break;
		}
	}
}

static enum aa_release release_of(const char *name)
{
	for (int r = 0; r < AA_RELEASE_NR; r++)
		if (!strcmp(name, aa_release_name((enum aa_release)r)))
			return (enum aa_release)r;
	return AA_RELEASE_5_0;
}

static void ask(const char *path, enum aa_release release, bool dump)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	/* As the corpus' features file has it: all but these. */
	unsigned mediated =
		~(1u << AA_CLASS_MQUEUE | 1u << AA_CLASS_USERNS | 1u << AA_CLASS_IO_URING);
	struct walk w = { { a, ds, { release, mediated }, NULL }, dump };
	struct aa_prefix none = { 0 };
	struct source *src;

	if (source_load(sources, path, &src)) {
		printf("unreadable %s\n", path);
		arena_free(a);
		return;
	}
	walk(&w, aa_parse_source(a, src, ds)->stmts, &none, false);
	if (dump) {
		vec_each(&ds->list, d) {
			BUF_AUTO b = { 0 };

			diag_print_json(ds, *d, &b);
			fputs(b.p, stdout);
		}
	}
	printf("%s %s\n", ds->errors ? "refused" : "ok", path);
	arena_free(a);
}

int main(int argc, char **argv)
{
	bool dump = argc > 1 && !strcmp(argv[1], "-d");

	for (int i = 2 + dump; i < argc; i++)
		ask(argv[i], release_of(argv[1 + dump]), dump);
	return 0;
}
