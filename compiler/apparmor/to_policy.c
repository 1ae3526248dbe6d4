/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile's rules as statements of a policy. Priorities are left out: whether they mattered is
 * the comparison's to find (same_policy.c).
 */
#include <ctype.h>
#include <string.h>

#include "compiler/apparmor/to_policy.h"
#include "compiler/apparmor/vars.h"
#include "compiler/base/bug.h"
#include "compiler/policy/tunables.h"
#include "grammar/ast_build.h"
#include "grammar/print.h"

struct importing {
	struct arena *arena;
	struct diags *ds;
	const struct aa_asking *q;
	const char *name;
	struct aa_vars own, policys; /* the profile's variables, and those that policies see */
	struct ast_body body;
	struct table by_text;
	VEC(struct str) texts; /* statements that are there, as they are printed */
	unsigned left_out;     /* classes that are not mediated */
	bool failed;
};

/* ---- what cannot be said ---- */

static struct span span_of(const struct aa_rule *r)
{
	return r->use->stmt->head;
}

/* A shortest path that the rule speaks of; NULL: it has none. */
static const char *example(struct importing *im, const struct aa_rule *r)
{
	size_t budget = GLOB_BUDGET;
	const char *witness = NULL;

	if (r->class != AA_CLASS_FILE || !r->file.path.glob)
		return NULL;
	glob_overlap(im->arena, r->file.path.glob, r->file.path.glob, &budget, &witness);
	return witness;
}

static void refuse(struct importing *im, const struct aa_rule *r, const char *what,
		   const char *help)
{
	const char *path = example(im, r);
	BUF_AUTO safe = { 0 };
	struct diag *d;

	im->failed = true;
	buf_safe(&safe, str_c(path ? path : ""));
	d = path ? diag_add(im->ds, DIAG_PL397, span_of(r), "%s, such as of '%s'", what, safe.p) :
		   diag_add(im->ds, DIAG_PL397, span_of(r), "%s", what);
	diag_help(im->ds, d, "%s", help);
}

/* ---- texts ---- */

static void take_variables(struct arena *a, const struct glob_variables *from, struct aa_vars *to)
{
	*to = (struct aa_vars){ .arena = a, .turn = 1 };
	vec_each(&from->list, v) {
		struct aa_var *var = aa_vars_declare(to, v->name);
		vec_each(&v->values, value)
			vec_push(a, &var->values, *value);
	}
}

static bool same_variable(struct importing *im, struct str name)
{
	struct aa_var *x = aa_vars_find(&im->own, name), *y = aa_vars_find(&im->policys, name);

	if (str_is(name, "profile_name"))
		return str_is(im->q->profile->label, im->name);
	if (!x || !y || aa_vars_open(&im->own, x) || aa_vars_open(&im->policys, y) ||
	    x->opened.n != y->opened.n)
		return false;
	for (size_t i = 0; i < x->opened.n; i++)
		if (!str_eq(x->opened.v[i], y->opened.v[i]))
			return false;
	return true;
}

/* Variables stay where policies have the same ones, or all of the text's are opened. */
static struct str text_of(struct importing *im, struct str written)
{
	struct str plain = glob_unescape(im->arena, written), name;
	size_t at = 0;

	if (!glob_has_variable(written))
		return written;
	while (name = aa_vars_next(plain, &at), name.n)
		if (!same_variable(im, name))
			return aa_vars_expand(&im->own, plain);
	return written;
}

static const char *text_c(struct importing *im, const struct aa_word *w)
{
	return str_dup(im->arena, text_of(im, w->text));
}

/* ---- statements ---- */

static enum ast_action action_of(const struct aa_prefix *p)
{
	if (p->mode == AA_MODE_DENY)
		return p->audit ? AST_ACTION_DENY : AST_ACTION_QUIET_DENY;
	return p->audit ? AST_ACTION_LOG : AST_ACTION_ALLOW;
}

static void put_where(struct buf *out, const struct sources *sources, struct span sp)
{
	static const char base[] = "/etc/apparmor.d/";
	const struct source *src = source_of(sources, sp);

	if (!src)
		return;
	bool within = !strncmp(src->name, base, sizeof(base) - 1);
	const char *slash = strrchr(src->name, '/');
	buf_safe(out, str_c(within ? src->name + sizeof(base) - 1 : slash ? slash + 1 : src->name));
	buf_printf(out, ":%u", source_place(src, sp.begin).line);
}

/* "abstractions/base:12, included at web.apparmor:3" */
static void add_where(struct importing *im, struct ast_stmt *st, const struct aa_use *use)
{
	BUF_AUTO text = { 0 };

	put_where(&text, im->ds->sources, use->stmt->span);
	for (const struct aa_from *f = use->from; f; f = f->parent) {
		buf_puts(&text, f == use->from ? ", included at " : ", at ");
		put_where(&text, im->ds->sources, f->include->span);
	}
	ast_comment_add(im->arena, &st->trailing, "%s", text.p ? text.p : "");
}

static bool is_there(struct importing *im, const struct ast_stmt *st)
{
	BUF_AUTO text = { 0 };
	size_t at;

	ast_print_stmt(&text, st, 1);
	struct str s = { text.p, text.n };
	struct table_walk walk = table_start(hash_str(s));
	while ((at = table_next(&im->by_text, &walk)) != TABLE_END)
		if (str_eq(im->texts.v[at], s))
			return true;
	s.p = arena_dup(im->arena, s.p, s.n);
	table_add(im->arena, &im->by_text, hash_str(s), im->texts.n);
	vec_push(im->arena, &im->texts, s);
	return false;
}

/* One that is not yet in the body; add() puts it there. */
static struct ast_stmt *begin(struct importing *im, enum ast_stmt_kind kind,
			      const struct aa_rule *r)
{
	struct ast_body alone = { .arena = im->arena };
	struct ast_stmt *st = ast_add(&alone, kind);

	st->verdict.action = action_of(&r->prefix);
	return st;
}

static void add(struct importing *im, struct ast_stmt *st, const struct aa_rule *r)
{
	struct ast_body *b = &im->body;

	if (is_there(im, st))
		return;
	add_where(im, st, r->use);
	if (b->last)
		b->last->next = st;
	else
		b->first = st;
	b->last = st;
}

/* ---- classes ---- */

static const char *letters_of(struct importing *im, const struct aa_rule *r)
{
	static const char *const execs[AA_EXEC_NR] = { "",    "x",  "ix",  "px",  "pix",
						       "pux", "cx", "cix", "cux", "ux" };
	unsigned perms = r->perms & PERM_W ? r->perms & ~(unsigned)PERM_A : r->perms;
	BUF_AUTO out = { 0 };

	aa_perms_put(&out, perms & ~(unsigned)PERM_X);
	if (perms & PERM_X) {
		char exec[4] = "";
		strcpy(exec, execs[r->file.exec]);
		if (r->file.exec > AA_EXEC_IX && !r->file.unsafe)
			exec[0] = (char)toupper((unsigned char)exec[0]);
		if (!strcmp(exec, "Pux") || !strcmp(exec, "Cux"))
			exec[1] = 'U';
		buf_puts(&out, exec);
	}
	return arena_strdup(im->arena, out.p ? out.p : "");
}

/* A policy's paths begin with '/': what begins with a variable of several values is a path each. */
static void add_paths(struct importing *im, struct ast_stmt *st, const struct aa_word *w)
{
	struct str text = w ? text_of(im, w->text) : STR("/{**,}"), plain, name;
	struct aa_var *var;
	size_t at;

	if (text.n && text.p[0] != '{') {
		ast_words_add(im->arena, &st->paths, str_dup(im->arena, text));
		return;
	}
	plain = glob_unescape(im->arena, w->text);
	at = glob_variable_at(plain, 0, &name);
	var = at ? aa_vars_find(&im->own, name) : NULL;
	if (!var || aa_vars_open(&im->own, var)) {
		ast_words_add(im->arena, &st->paths, str_dup(im->arena, text));
		return;
	}
	struct str rest = aa_vars_expand(&im->own, (struct str){ plain.p + at, plain.n - at });
	vec_each(&var->opened, value) {
		struct str v = *value;
		while (rest.n && rest.p[0] == '/' && v.n > 1 && v.p[v.n - 1] == '/')
			v.n--;
		ast_words_add(im->arena, &st->paths,
			      arena_printf(im->arena, PRISTR PRISTR, STRARG(v), STRARG(rest)));
	}
}

static void add_file(struct importing *im, const struct aa_rule *r)
{
	const struct aa_file_rule *f = &r->file;

	if (f->link.word || f->subset) {
		refuse(im, r, "a policy does not say to what a link may lead",
		       "'l' alone lets a link lead to what the program may do at least as much "
		       "with");
		return;
	}
	if (f->exec == AA_EXEC_IX && f->unsafe) {
		refuse(im, r, "a policy says no 'unsafe' of ix", "leave 'unsafe' out");
		return;
	}
	struct ast_stmt *st = begin(im, AST_STMT_FILE, r);
	st->owner = r->prefix.owner == AA_OWNER_ONLY;
	ast_words_add(im->arena, &st->perms, letters_of(im, r));
	add_paths(im, st, f->path.word);
	if (f->target.word && r->perms & PERM_X && r->prefix.mode != AA_MODE_DENY)
		st->target = *ast_word_new(im->arena, text_c(im, f->target.word));
	add(im, st, r);
}

static void add_capability(struct importing *im, const struct aa_rule *r)
{
	struct ast_stmt *st = begin(im, AST_STMT_CAPABILITY, r);

	for (unsigned c = 0; c < CAPABILITY_NR; c++)
		if (r->caps >> c & 1)
			ast_words_add(im->arena, &st->words, capability_name(c));
	add(im, st, r);
}

static void add_network(struct importing *im, const struct aa_rule *r)
{
	const struct aa_network_rule *n = &r->network;
	struct ast_network **end;
	struct ast_stmt *st;

	if (r->conds.n || r->perms != AA_NET_ALL) {
		refuse(im, r, "a policy says families and types of sockets alone",
		       "leave addresses and permissions to the seccomp layer, or out");
		return;
	}
	if (n->families & (n->families - 1)) {
		refuse(im, r, "a policy names the families of sockets, and this is all of them",
		       "write the families that are meant: network inet stream,");
		return;
	}
	st = begin(im, AST_STMT_NETWORK, r);
	end = &st->networks;
	int family = __builtin_ctzll(n->families);
	bool one = !(n->types & (n->types - 1));
	*end = ARENA_NEW(im->arena, struct ast_network);
	(*end)->family = *ast_word_new(im->arena, aa_family_name(im->arena, family));
	if (one)
		(*end)->type = *ast_word_new(
			im->arena, aa_type_name(AA_CLASS_NETWORK, __builtin_ctz(n->types)));
	add(im, st, r);
}

/*
 * Where a kernel does not know sockets of unix apart the parser makes network rules of what allows
 * them. One with fewer permissions is left out: whether another one has them all, the comparison
 * finds.
 */
static void add_downgraded(struct importing *im, const struct aa_rule *r)
{
	bool whole = im->q->target.release < AA_RELEASE_4_0 || r->perms == AA_NET_ALL;
	struct ast_stmt *st = begin(im, AST_STMT_NETWORK, r);

	if (!whole)
		return;
	st->networks = ARENA_NEW(im->arena, struct ast_network);
	st->networks->family = *ast_word_new(im->arena, "unix");
	if (r->unix_.type >= 0)
		st->networks->type =
			*ast_word_new(im->arena, aa_type_name(AA_CLASS_NETWORK, r->unix_.type));
	add(im, st, r);
}

static const char *signal_word(struct importing *im, unsigned n)
{
	if (n == AA_SIGNAL_RT)
		return "SIGRTMIN";
	if (n == AA_SIGNAL_NR - 1)
		return "SIGRTMAX";
	if (n == AA_SIGNAL_EMT || n > AA_SIGNAL_RT)
		return NULL;
	return aa_signal_name(im->arena, AA_RELEASE_5_0, (int)n);
}

static void add_signal(struct importing *im, const struct aa_rule *r)
{
	const struct aa_cond *peer = aa_rule_cond(r, AA_COND_PEER, false);
	struct ast_stmt *st = begin(im, AST_STMT_SIGNAL, r);

	if (r->perms == AA_SIGNAL_SEND || r->perms == AA_SIGNAL_RECEIVE)
		ast_words_add(im->arena, &st->perms,
			      r->perms == AA_SIGNAL_SEND ? "send" : "receive");
	for (unsigned n = 0; n < AA_SIGNAL_NR && !r->signal.any; n++) {
		if (!(r->signal.set[n / 64] >> n % 64 & 1))
			continue;
		if (!signal_word(im, n)) {
			refuse(im, r, "a policy has no name for one of these signals",
			       "leave 'emt' and real-time signals but the first and "
			       "last out, or leave 'set' out");
			return;
		}
		ast_words_add(im->arena, &st->words, signal_word(im, n));
	}
	if (peer)
		st->target = *ast_word_new(im->arena, text_c(im, peer->values));
	add(im, st, r);
}

/* The last of a resource is the one that holds. */
static bool is_last(const struct importing *im, const struct aa_rule *r)
{
	const struct aa_rule *last = r;

	vec_each(&im->q->rules, other)
		if ((*other)->class == AA_CLASS_RLIMIT &&
		    (*other)->limit.resource == r->limit.resource)
			last = *other;
	return last == r;
}

static void add_limit(struct importing *im, const struct aa_rule *r)
{
	struct ast_stmt *st = begin(im, AST_STMT_LIMIT, r);
	struct aa_limit_form form;

	if (!is_last(im, r))
		return;
	aa_limit_form(r->limit.resource, &form);
	ast_words_add(im->arena, &st->words, arena_strdup(im->arena, form.name));
	st->value = r->limit.value == UINT64_MAX ? ast_name(im->arena, "infinity") :
						   ast_number(im->arena, r->limit.value);
	add(im, st, r);
}

static struct aa_word *copy_words(struct importing *im, const struct aa_word *w)
{
	struct aa_word *first = NULL, **end = &first;

	for (; w; w = w->next) {
		*end = arena_dup(im->arena, w, sizeof(*w));
		(*end)->text = text_of(im, w->text);
		end = &(*end)->next;
	}
	return first;
}

/* A rule's words, their variables as texts have them. */
static struct aa_item *copy_items(struct importing *im, const struct aa_item *i)
{
	struct aa_item *first = NULL, **end = &first;

	for (; i; i = i->next) {
		*end = arena_dup(im->arena, i, sizeof(*i));
		(*end)->word.text = text_of(im, i->word.text);
		(*end)->values = copy_words(im, i->values);
		(*end)->conds = copy_items(im, i->conds);
		end = &(*end)->next;
	}
	return first;
}

static void add_other(struct importing *im, const struct aa_rule *r)
{
	struct ast_stmt *st = begin(im, AST_STMT_APPARMOR, r);
	struct aa_stmt *rule = ARENA_NEW(im->arena, struct aa_stmt);

	*rule = (struct aa_stmt){ .kind = AA_STMT_RULE,
				  .items = copy_items(im, r->use->stmt->items) };
	st->rule = rule;
	add(im, st, r);
}

/* ---- all of it ---- */

/* Does it count under the profile's abi? */
static bool counts(const struct importing *im, const struct aa_rule *r)
{
	unsigned mediated = im->q->target.mediated;

	return mediated >> r->class & 1 ||
	       (r->class == AA_CLASS_UNIX && mediated >> AA_CLASS_NETWORK & 1 &&
		r->prefix.mode != AA_MODE_DENY);
}

static void add_rule(struct importing *im, const struct aa_rule *r)
{
	if (!counts(im, r)) {
		im->left_out |= 1u << r->class;
		return;
	}
	if (r->prefix.mode == AA_MODE_PROMPT) {
		refuse(im, r, "a policy asks nobody", "write a rule that allows, or denies");
		return;
	}
	if (r->prefix.owner == AA_OWNER_OTHER) {
		refuse(im, r, "a policy says nothing of others' files alone",
		       "leave 'other' out, or say what the owner may");
		return;
	}
	switch (r->class) {
	case AA_CLASS_FILE: add_file(im, r); return;
	case AA_CLASS_CAPABILITY: add_capability(im, r); return;
	case AA_CLASS_NETWORK: add_network(im, r); return;
	case AA_CLASS_SIGNAL: add_signal(im, r); return;
	case AA_CLASS_RLIMIT: add_limit(im, r); return;
	case AA_CLASS_UNIX:
		(im->q->target.mediated >> AA_CLASS_UNIX & 1 ? add_other : add_downgraded)(im, r);
		return;
	case AA_CLASS_ALL:
		refuse(im, r, "a policy does not allow everything with one rule",
		       "write the rules that are meant");
		return;
	default: add_other(im, r); return;
	}
}

static void say_whole(struct importing *im, enum aa_class class, bool deny)
{
	struct ast_stmt *st = ast_add(&im->body, AST_STMT_APPARMOR);
	struct aa_stmt *rule = ARENA_NEW(im->arena, struct aa_stmt);
	struct aa_item *item = ARENA_NEW(im->arena, struct aa_item);

	*item = (struct aa_item){ .kind = AA_WORD, .word.text = str_c(aa_class_name(class)) };
	*rule = (struct aa_stmt){ .kind = AA_STMT_RULE, .items = item };
	st->verdict.action = deny ? AST_ACTION_DENY : AST_ACTION_ALLOW;
	st->rule = rule;
	ast_comment_add(im->arena, &st->trailing, "%s",
			deny ? "the profile's abi has it mediated, and no rule allows it" :
			       "the profile's abi has it not mediated");
}

static struct ast_stmt *add_header(struct importing *im, enum ast_header header)
{
	struct ast_stmt *st = ast_add(&im->body, AST_STMT_HEADER);

	st->header = header;
	return st;
}

/* xattrs, identities and flags, as the head of the profile says them. */
static void add_own_head(struct importing *im)
{
	const struct aa_item *i = im->q->profile->stmt->items;
	struct aa_item *keyword = ARENA_NEW(im->arena, struct aa_item);
	struct aa_stmt *rule = ARENA_NEW(im->arena, struct aa_stmt);
	struct ast_stmt *st;

	while (i && i->kind == AA_WORD) /* profile NAME ATTACHMENT */
		i = i->next;
	if (!i)
		return;
	*keyword = (struct aa_item){ .kind = AA_WORD, .word.text = STR("apparmor") };
	keyword->next = copy_items(im, i);
	*rule = (struct aa_stmt){ .kind = AA_STMT_RULE, .items = keyword };
	st = add_header(im, AST_HEADER_APPARMOR);
	st->rule = rule;
}

static void add_headers(struct importing *im)
{
	const struct aa_profile *p = im->q->profile;
	unsigned version = tables_level;
	struct ast_stmt *level;

	if (p->attached.p) {
		struct str path = p->attachment ? p->attachment->text : p->name;
		ast_words_add(im->arena, &add_header(im, AST_HEADER_PROGRAM)->paths,
			      str_dup(im->arena, text_of(im, path)));
	}
	level = add_header(im, AST_HEADER_LEVEL);
	ast_words_add(im->arena, &level->words, "linux");
	level->version = *ast_word_new(
		im->arena, arena_printf(im->arena, "%u.%u", version >> 8, version & 0xff));
	ast_words_add(im->arena, &add_header(im, AST_HEADER_LAYERS)->words, "apparmor");
	ast_words_add(im->arena, &add_header(im, AST_HEADER_ARCH)->words,
		      arch_info((enum arch)arch_native())->name);
	add_own_head(im);
}

static void read_policys_variables(struct importing *im)
{
	static const char *const dirs[] = { "/etc/apparmor.d", NULL };
	struct glob_variables v = { .by_5_0 = false };
	const char *failed;

	if (variables_read(im->ds->sources, dirs, &v, &failed))
		variables_standard(im->arena, &v);
	take_variables(im->arena, &v, &im->policys);
}

static void tell_left_out(struct importing *im)
{
	BUF_AUTO names = { 0 };

	for (unsigned c = 0; c < AA_CLASS_NR; c++)
		if (im->left_out >> c & 1)
			buf_printf(&names, "%s%s", names.n ? ", " : "",
				   aa_class_name((enum aa_class)c));
	if (names.n)
		diag_add(im->ds, DIAG_PL399, im->q->profile->stmt->head,
			 "rules of %s are left out: under this profile's abi they do not count",
			 names.p);
}

/* What a profile's head says and a policy does not. */
static void check_head(struct importing *im)
{
	const struct aa_profile *p = im->q->profile;
	BUF_AUTO name = { 0 };
	struct diag *d;

	buf_safe(&name, p->ns);
	if (p->ns.n) {
		im->failed = true;
		d = diag_add(im->ds, DIAG_PL397, p->stmt->head,
			     "a policy is of no namespace, and this profile is of '%s'", name.p);
		diag_help(im->ds, d, "take it out of the profile, and import what is left");
	}
	if (!im->q->policy || !im->q->policy->aliases.n)
		return;
	im->failed = true;
	d = diag_add(im->ds, DIAG_PL397, im->q->policy->aliases.v[0].from.span,
		     "a policy has no aliases, and the file has");
	diag_help(im->ds, d, "take them out of the file, and import what is left");
}

struct ast_file *aa_to_policy(struct arena *a, const struct aa_policy *policy,
			      const struct aa_asking *q, const char *name,
			      const struct aa_whole *whole, struct diags *ds)
{
	struct importing im = { .arena = a, .ds = ds, .q = q, .name = name };
	struct glob_variables vars = aa_profile_variables(a, policy, q->profile);
	struct ast_body top = { .arena = a };
	struct ast_file *file = ARENA_NEW(a, struct ast_file);

	im.body.arena = a;
	take_variables(a, &vars, &im.own);
	im.own.folds = !vars.by_5_0;
	read_policys_variables(&im);
	check_head(&im);
	add_headers(&im);
	vec_each(&q->rules, r)
		if ((*r)->use)
			add_rule(&im, *r);
	for (unsigned c = 0; c < AA_CLASS_NR; c++)
		if ((whole->deny | whole->allow) >> c & 1)
			say_whole(&im, (enum aa_class)c, whole->deny >> c & 1);
	if (!whole->deny && !whole->allow)
		tell_left_out(&im);
	struct ast_stmt *st = ast_add(&top, AST_STMT_POLICY);
	st->name = *ast_word_new(a, name);
	st->body = im.body.first;
	file->stmts = st;
	return im.failed ? NULL : file;
}
