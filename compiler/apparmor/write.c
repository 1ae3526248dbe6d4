/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A policy as an AppArmor profile: only what the policy says, one rule a line, each with the
 * line it came from. AppArmor's plain `deny` is silent, so a policy's deny is `audit deny`.
 * An AppArmor allow rule is audited by `audit`.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/apparmor/apparmor.h"
#include "compiler/apparmor/needs.h"
#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "grammar/apparmor_print.h"

struct line {
	const char *text; /* what is sorted and made unique */
	const struct origin *origin;
};

struct section {
	struct arena *arena;
	VEC(struct line) lines;
};

struct writer {
	struct arena *arena;
	const struct policy *p;
	struct diags *ds;
	struct buf *out;
	VEC(struct str) changes;           /* targets of change_profile that are written, */
	struct table changes_at, files_at; /* and paths, by what parsers compare of them */
	bool failed;
};

static struct diag *fail(struct writer *w, enum diag_id id, const struct origin *o,
			 const char *text)
{
	w->failed = true;
	return diag_add(w->ds, id, o->span, "%s", text);
}

static void add_line(struct section *s, const struct buf *text, const struct origin *o)
{
	vec_push(s->arena, &s->lines,
		 ((struct line){ arena_strdup(s->arena, text->p ? text->p : ""), o }));
}

static int by_text(const void *x, const void *y)
{
	const struct line *a = x, *b = y;
	int c = strcmp(a->text, b->text);

	if (!c)
		c = (a->origin->span.source > b->origin->span.source) -
		    (a->origin->span.source < b->origin->span.source);
	if (!c)
		c = (a->origin->span.begin > b->origin->span.begin) -
		    (a->origin->span.begin < b->origin->span.begin);
	return c;
}

static void put_origin(struct writer *w, const struct origin *o)
{
	const struct source *src = source_of(w->ds->sources, o->span);

	if (!src)
		return;
	const char *base = strrchr(src->name, '/');
	buf_puts(w->out, "  # ");
	buf_safe(w->out, str_c(base ? base + 1 : src->name));
	buf_printf(w->out, ":%u", source_place(src, o->span.begin).line);
	if (o->set)
		buf_printf(w->out, " (set %s)", o->set);
}

static void put_section(struct writer *w, struct section *s)
{
	if (!s->lines.n)
		return;
	qsort(s->lines.v, s->lines.n, sizeof(*s->lines.v), by_text);
	buf_putc(w->out, '\n');
	for (size_t i = 0; i < s->lines.n; i++) {
		if (i && !strcmp(s->lines.v[i].text, s->lines.v[i - 1].text))
			continue;
		buf_printf(w->out, "  %s", s->lines.v[i].text);
		put_origin(w, s->lines.v[i].origin);
		buf_putc(w->out, '\n');
	}
}

static const char *qualifier(enum rule_action a)
{
	switch (a) {
	case RULE_ALLOW: return "";
	case RULE_LOG: return "audit ";
	case RULE_DENY: return "audit deny ";
	case RULE_QUIET_DENY: return "deny ";
	}
	BUG("action");
}

/* ---- words ---- */

/* A path, name or label. */
static bool put_word(struct writer *w, struct buf *b, struct str s, const struct origin *o)
{
	struct diag *d;

	if (aa_print_path(b, s))
		return true;
	d = fail(w, DIAG_PL251, o, "a control character in a path or name");
	diag_help(w->ds, d, "write it as an octal escape, '\\012'");
	return false;
}

static bool rule_has_variable(const struct aa_item *i)
{
	for (; i; i = i->next) {
		if (glob_has_variable(i->word.text) || rule_has_variable(i->conds))
			return true;
		for (const struct aa_word *w = i->values; w; w = w->next)
			if (glob_has_variable(w->text))
				return true;
	}
	return false;
}

static bool needs_tunables(const struct policy *p)
{
	vec_each(&p->files, f) {
		if (glob_has_variable(f->path))
			return true;
	}
	vec_each(&p->signals, s) {
		if (glob_has_variable(s->peer))
			return true;
	}
	vec_each(&p->others, rule) {
		if (rule_has_variable((*rule)->origin->stmt->rule->items))
			return true;
	}
	return glob_has_variable(p->program) ||
	       (p->head && rule_has_variable(p->head_by->stmt->rule->items));
}

/* ---- files ---- */

/* ---- profiles to change to ---- */

static int by_place(const void *x, const void *y)
{
	const struct span a = (*(const struct file_rule *const *)x)->origin->span;
	const struct span b = (*(const struct file_rule *const *)y)->origin->span;

	if (a.source != b.source)
		return a.source < b.source ? -1 : 1;
	return (a.begin > b.begin) - (a.begin < b.begin);
}

/* A child's name holds its parent's: "-> x" behind px and behind cx are two. */
static bool same_target(const struct file_rule *x, const struct file_rule *y)
{
	return str_eq(x->target, y->target) && (x->exec[0] | 0x20) == (y->exec[0] | 0x20);
}

static bool is_known(const struct file_rule *const *list, size_t n, const struct file_rule *f)
{
	for (size_t i = 0; i < n; i++)
		if (same_target(list[i], f))
			return true;
	return false;
}

static void check_targets(struct writer *w)
{
	VEC(const struct file_rule *) named = { 0 };
	const struct file_rule *first[APPARMOR_TARGETS_MAX];
	size_t n = 0;

	vec_each(&w->p->files, f)
		if (f->target.n)
			vec_push(w->arena, &named, f);
	if (named.n)
		qsort(named.v, named.n, sizeof(*named.v), by_place);
	for (size_t i = 0; i < named.n; i++) {
		if (is_known(first, n, named.v[i]))
			continue;
		if (n < APPARMOR_TARGETS_MAX) {
			first[n++] = named.v[i];
			continue;
		}
		struct diag *d =
			fail(w, DIAG_PL250, named.v[i]->origin,
			     "a profile of AppArmor names at most 12 others to change to, and "
			     "this is the 13th");
		diag_help(w->ds, d,
			  "leave '->' out where the program's own profile is meant, or let rules "
			  "share one");
		return;
	}
}

static void add_file(struct writer *w, struct section *s, const struct file_rule *f)
{
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%s%s", qualifier(f->action), f->owner ? "owner " : "");
	if (!put_word(w, &b, f->path, f->origin))
		return;
	buf_putc(&b, ' ');
	/* w lets append too, and AppArmor refuses both letters in one rule. */
	unsigned perms = f->perms & PERM_W ? f->perms & ~(unsigned)PERM_A : f->perms;
	aa_perms_put(&b, perms & ~(unsigned)PERM_X);
	if (perms & PERM_X)
		buf_puts(&b, f->exec);
	if (f->target.n) {
		buf_puts(&b, " -> ");
		if (!put_word(w, &b, f->target, f->origin))
			return;
	}
	buf_putc(&b, ',');
	add_line(s, &b, f->origin);
}

/* ---- capabilities, network ---- */

static void add_capability(struct section *s, const struct capability_rule *c)
{
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%scapability %s,", qualifier(c->action), capability_name(c->cap));
	add_line(s, &b, c->origin);
}

static void add_network(struct writer *w, struct section *s, const struct network_rule *n)
{
	const char *family = n->family >= 0 ? aa_family_name(w->arena, n->family) : "";
	const char *type = n->type >= 0 ? aa_type_name(AA_CLASS_NETWORK, n->type) : "";
	bool denies = n->action == RULE_DENY || n->action == RULE_QUIET_DENY;
	BUF_AUTO b = { 0 };

	if (!family || !type) {
		struct diag *d = fail(w, DIAG_PL250, n->origin,
				      family ? "AppArmor has no word for this socket type" :
					       "AppArmor has no word for this socket family");
		diag_help(w->ds, d, "leave it to the seccomp layer: 'allow socket(domain == ...)'");
		return;
	}
	if (n->protocol >= 0) {
		/* The kernel's AppArmor sees family and type only; seccomp sees the protocol. */
		if (!(w->p->layers & LAYER_SECCOMP)) {
			struct diag *d = fail(w, DIAG_PL250, n->origin,
					      "AppArmor does not look at the protocol of a socket");
			diag_help(w->ds, d,
				  "leave 'protocol' out, or count on the seccomp layer too");
			return;
		}
		if (denies)
			return; /* would deny the other protocols as well */
	}
	buf_printf(&b, "%snetwork%s%s%s%s,", qualifier(n->action), *family ? " " : "", family,
		   *type ? " " : "", type);
	add_line(s, &b, n->origin);
}

/* ---- signals, limits ---- */

static void add_signal(struct writer *w, struct section *s, const struct signal_rule *r)
{
	BUF_AUTO b = { 0 };

	buf_printf(&b, "%ssignal", qualifier(r->action));
	if (r->send != r->receive)
		buf_printf(&b, " %s", r->send ? "send" : "receive");
	if (r->signal >= 0)
		buf_printf(&b, " set=%s",
			   aa_signal_name(w->arena, AA_RELEASE_3_0, aa_signal_of(r->signal)));
	if (r->peer.n) {
		buf_puts(&b, " peer=");
		if (!put_word(w, &b, r->peer, r->origin))
			return;
	}
	buf_putc(&b, ',');
	add_line(s, &b, r->origin);
}

static void add_limit(struct writer *w, struct section *s, const struct limit_rule *l)
{
	struct aa_limit_form f;
	BUF_AUTO b = { 0 };

	aa_limit_form(l->rlimit, &f);
	if (l->value != UINT64_MAX && (l->value < f.least || l->value > f.most)) {
		struct diag *d =
			fail(w, DIAG_PL250, l->origin,
			     arena_printf(w->arena, "AppArmor knows '%s' limits of %ju to %ju only",
					  f.name, (uintmax_t)f.least, (uintmax_t)f.most));
		if (l->value < f.least)
			diag_help(w->ds, d, "write %ju", (uintmax_t)f.least);
		else
			diag_help(w->ds, d, "write 'infinity' to set no bound, or %ju",
				  (uintmax_t)f.most);
		return;
	}
	aa_limit_put(&b, l->rlimit, l->value);
	buf_putc(&b, ',');
	add_line(s, &b, l->origin);
}

/* ---- rules in AppArmor's own words ---- */

/* What parsers compare of a name, 5.0 but its first byte (merged.h). */
static struct str compared(struct str name)
{
	return name.n ? (struct str){ name.p + 1, name.n - 1 } : name;
}

static bool one_name(struct str x, struct str y)
{
	return x.n && str_eq(compared(x), compared(y));
}

/* What a parser would take a rule of change_profile to that target for, so that nothing is left of one of the two; "": nothing. */
static struct str taken_for(const struct writer *w, const struct aa_rule *r, struct str target)
{
	struct table_walk file = table_start(hash_str(compared(target))), change = file;
	size_t at;

	while ((at = table_next(&w->files_at, &file)) != TABLE_END)
		if (!r->change.exec.word && one_name(w->p->files.v[at].path, target))
			return w->p->files.v[at].path;
	while ((at = table_next(&w->changes_at, &change)) != TABLE_END)
		if (!str_eq(w->changes.v[at], target) && one_name(w->changes.v[at], target))
			return w->changes.v[at];
	return (struct str){ "", 0 };
}

static void keep_change(struct writer *w, struct str text)
{
	uint64_t hash = hash_str(compared(text));
	struct table_walk walk = table_start(hash);
	size_t at;

	while ((at = table_next(&w->changes_at, &walk)) != TABLE_END)
		if (str_eq(w->changes.v[at], text))
			return;
	table_add(w->arena, &w->changes_at, hash, w->changes.n);
	vec_push(w->arena, &w->changes, text);
}

/* The same name in another text, the nth of its plain letters from behind in brackets: fo[o]; "": it has none. */
static struct str another_text(struct writer *w, struct str name, size_t nth)
{
	VEC(size_t) letters = { 0 };
	bool in_set = false, in_variable = false;
	size_t at;

	for (size_t i = 0; i < name.n; i++) {
		char c = name.p[i];

		if (c == '\\') { /* and a byte's number behind it, as in \x6a */
			for (i++; i + 1 < name.n && isxdigit((unsigned char)name.p[i + 1]);)
				i++;
			continue;
		}
		in_set = c == '[' || (in_set && c != ']');
		in_variable = (c == '{' && i && name.p[i - 1] == '@') || (in_variable && c != '}');
		if (!in_set && !in_variable && (c | 0x20) >= 'a' && (c | 0x20) <= 'z')
			vec_push(w->arena, &letters, i);
	}
	if (nth >= letters.n)
		return (struct str){ "", 0 };
	at = letters.v[letters.n - 1 - nth];
	return str_c(arena_printf(w->arena, PRISTR "[%c]" PRISTR,
				  STRARG(((struct str){ name.p, at })), name.p[at],
				  STRARG(((struct str){ name.p + at + 1, name.n - at - 1 }))));
}

/* The rule with that target. */
static const struct aa_stmt *with_target(struct writer *w, const struct aa_rule *r, struct str text)
{
	const struct aa_stmt *rule = r->origin->stmt->rule;
	struct aa_stmt *copy = arena_dup(w->arena, rule, sizeof(*rule));
	struct aa_item **end = (struct aa_item **)&copy->items;

	for (const struct aa_item *i = rule->items; i; i = i->next) {
		*end = arena_dup(w->arena, i, sizeof(*i));
		if (&i->word == r->change.target.word)
			(*end)->word.text = text;
		end = &(*end)->next;
	}
	return copy;
}

/* As it is written, or as no parser takes it for another; NULL: told. */
static const struct aa_stmt *rule_text(struct writer *w, const struct aa_rule *r)
{
	bool named = r->change.target.word;
	struct str target = named ? r->change.target.word->text : STR("**"), text = target, that;
	struct diag *d;

	for (size_t nth = 0; text.n && (that = taken_for(w, r, text)).n; nth++)
		text = named ? another_text(w, target, nth) : (struct str){ "", 0 };
	if (text.n) {
		keep_change(w, text);
		return str_eq(text, target) ? r->origin->stmt->rule : with_target(w, r, text);
	}
	d = fail(w, DIAG_PL250, r->origin,
		 arena_printf(w->arena,
			      "AppArmor's parser takes this target for '%s', and nothing is left "
			      "of one of the two",
			      str_safe(w->arena, str_dup(w->arena, that))));
	diag_help(w->ds, d, "name the profiles: a letter in brackets is another text");
	return NULL;
}

static void add_other(struct writer *w, struct section *s, const struct aa_rule *r)
{
	bool deny = r->prefix.mode == AA_MODE_DENY;
	const struct aa_stmt *rule =
		r->class == AA_CLASS_CHANGE_PROFILE ? rule_text(w, r) : r->origin->stmt->rule;
	BUF_AUTO b = { 0 };

	if (!rule)
		return;
	buf_printf(&b, "%s%s", r->prefix.audit ? "audit " : "", deny ? "deny " : "");
	aa_print_head(&b, rule);
	buf_putc(&b, ',');
	add_line(s, &b, r->origin);
}

static void put_others(struct writer *w)
{
	for (int class = 0; class < AA_CLASS_NR; class ++) {
		struct section s = { .arena = w->arena };

		vec_each(&w->p->others, rule)
			if ((*rule)->class == (enum aa_class) class)
				add_other(w, &s, *rule);
		put_section(w, &s);
	}
}

/* ---- the profile ---- */

const char *apparmor_profile_name(struct arena *a, const struct policy *p)
{
	return str_dup(a, p->name);
}

const char *apparmor_abi(const struct policy *p, const struct apparmor_target *t)
{
	return apparmor_abi_of(t ? t->release : apparmor_need(p).abi);
}

/* Flags with this mode instead of their own. */
static const struct aa_item *with_mode(struct writer *w, const struct aa_item *flags,
				       const char *mode)
{
	struct aa_item *copy = arena_dup(w->arena, flags, sizeof(*flags));
	struct aa_word *first = ARENA_NEW(w->arena, struct aa_word), **end = &first->next;

	*first = (struct aa_word){ .text = str_c(mode) };
	for (const struct aa_word *f = flags->values; f; f = f->next) {
		if (aa_mode_flag(f->text))
			continue;
		*end = arena_dup(w->arena, f, sizeof(*f));
		(*end)->next = NULL;
		end = &(*end)->next;
	}
	copy->values = first;
	return copy;
}

/* What else the policy says of the head; `complain` is the mode then, whatever it says. */
static void put_flags(struct writer *w, bool complain)
{
	const struct aa_item *i = w->p->head ? w->p->head_by->stmt->rule->items->next : NULL;
	bool any = false;

	for (; i; i = i->next) {
		bool flags =
			i->kind == AA_LIST || (i->kind == AA_COND && str_is(i->word.text, "flags"));
		struct aa_item alone = *(flags && complain ? with_mode(w, i, "complain") : i);
		struct aa_stmt st = { .kind = AA_STMT_RULE, .items = &alone };

		any |= flags;
		alone.next = NULL;
		aa_print_head(w->out, &st);
		buf_putc(w->out, ' ');
	}
	if (complain && !any)
		buf_puts(w->out, "flags=(complain) ");
}

static void put_head(struct writer *w, const struct apparmor_options *opt)
{
	struct origin here = { .span = w->p->span };

	buf_printf(w->out, "# Compiled by pale from policy '" PRISTR "'; edit that, not this.\n",
		   STRARG(w->p->name));
	if (opt->complain)
		buf_puts(w->out,
			 "# It enforces nothing: what the policy refuses passes and is logged.\n");
	buf_printf(w->out, "abi <%s>,\n", apparmor_abi(w->p, opt->target));
	if (needs_tunables(w->p))
		buf_puts(w->out, "include <tunables/global>\n");
	buf_printf(w->out, "\nprofile %s ", apparmor_profile_name(w->arena, w->p));
	if (w->p->program.n && put_word(w, w->out, w->p->program, &here))
		buf_putc(w->out, ' ');
	put_flags(w, opt->complain);
	buf_putc(w->out, '{');
}

int apparmor_write(struct arena *a, const struct policy *p, const struct apparmor_options *opt,
		   struct buf *out, struct diags *ds)
{
	struct writer w = { .arena = a, .p = p, .ds = ds, .out = out };
	struct section limits = { .arena = a }, caps = { .arena = a }, networks = { .arena = a };
	struct section signals = { .arena = a }, files = { .arena = a };

	if (opt->target && !apparmor_fits(a, p, opt->target, ds))
		w.failed = true;

	check_targets(&w);
	vec_each(&p->limits, l)
		add_limit(&w, &limits, l);
	vec_each(&p->caps, c)
		add_capability(&caps, c);
	vec_each(&p->networks, n)
		add_network(&w, &networks, n);
	vec_each(&p->signals, s)
		add_signal(&w, &signals, s);
	vec_each(&p->files, f)
		add_file(&w, &files, f);
	put_head(&w, opt);
	put_section(&w, &limits);
	put_section(&w, &caps);
	put_section(&w, &networks);
	put_section(&w, &signals);
	for (size_t i = 0; i < p->files.n; i++)
		table_add(a, &w.files_at, hash_str(compared(p->files.v[i].path)), i);
	put_others(&w);
	put_section(&w, &files);
	buf_puts(out, "}\n");
	if (!w.failed)
		return 0;
	buf_free(out);
	return -1;
}
