/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Composition: which sets a file sees (its own, its includes', then the set directories), and
 * the statements of a policy with every `use` and `when` opened. Scope is lexical: what a set
 * uses is looked up from the file in which the set stands.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/policy/resolve.h"
#include "grammar/parse.h"

/* ---- scopes ---- */

static struct scope *scope_known(struct resolver *r, const struct source *src)
{
	vec_each(&r->scopes, s)
		if ((*s)->source == src)
			return *s;
	return NULL;
}

static void report_cycle(struct resolver *r, struct scope *from, const struct scope *to,
			 struct span sp)
{
	BUF_AUTO chain = { 0 };

	for (const struct scope *s = from; s; s = s->parent) {
		BUF_AUTO rest = chain;
		chain = (struct buf){ 0 };
		buf_printf(&chain, "%s -> %s", s->source->name, rest.p ? rest.p : to->source->name);
		if (s == to)
			break;
	}
	struct diag *d = resolve_report(r, DIAG_PL106, sp, "files include each other: %s",
					chain.p ? chain.p : "");
	diag_help(r->ds, d,
		  "leave one of these includes out, or move what is shared to a file of its own");
}

static unsigned scope_depth(const struct scope *s)
{
	unsigned n = 0;

	for (; s; s = s->parent)
		n++;
	return n;
}

/* NULL: reported. */
/* Is it the text that names the wrong thing, or the system that does not give what is there? */
static bool is_no_file(int err)
{
	return err == -ENOENT || err == -ENOTDIR || err == -EISDIR || err == -EINVAL ||
	       err == -EFBIG || err == -ELOOP || err == -ENAMETOOLONG;
}

/* The first word; empty where something else comes first. */
static struct str first_word(struct str text, bool *nothing)
{
	size_t at = 0, end;

	for (; at < text.n && strchr(" \t\r\n#", text.p[at]) && text.p[at]; at++)
		if (text.p[at] == '#')
			while (at + 1 < text.n && text.p[at + 1] != '\n')
				at++;
	*nothing = at == text.n;
	for (end = at; end < text.n && ((unsigned char)text.p[end] | 32) >= 'a' &&
		       ((unsigned char)text.p[end] | 32) <= 'z';)
		end++;
	return (struct str){ text.p + at, end - at };
}

/*
 * Does it begin as a file of sets does, if misspelt? What is none is not quoted: whoever may name
 * a file is not always who may read it.
 */
static bool begins_like_sets(struct str text)
{
	bool nothing;
	struct suggest near;
	struct str word = first_word(text, &nothing);

	suggest_start(&near, word);
	suggest_offer(&near, STR("set"));
	suggest_offer(&near, STR("policy"));
	suggest_offer(&near, STR("include"));
	return nothing || near.best.p || str_is(word, "set") || str_is(word, "policy") ||
	       str_is(word, "include");
}

static struct scope *load_file(struct resolver *r, struct scope *from, const char *path,
			       struct span sp)
{
	struct source *src;
	int err = source_load_regular(r->ds->sources, path, &src);

	if (err) {
		struct diag *d = resolve_report(
			r, is_no_file(err) ? DIAG_PL105 : DIAG_PL020, sp, "cannot read '%s': %s",
			path, err == -EINVAL ? "not a regular file" : strerror(-err));
		if (err == -ENOENT)
			diag_help(r->ds, d,
				  "paths are taken from the directory of the file that includes");
		return NULL;
	}
	if (!begins_like_sets(src->text)) {
		struct diag *d = resolve_report(r, DIAG_PL241, sp, "'%s' is no file of sets", path);
		diag_help(r->ds, d, "what is included begins with 'set NAME { ... }' or 'include'");
		return NULL;
	}
	struct scope *s = scope_known(r, src);
	if (s && s->reading) {
		report_cycle(r, from, s, sp);
		return NULL;
	}
	if (s)
		return s;
	if (scope_depth(from) > INCLUDE_DEPTH) {
		struct diag *d = resolve_report(
			r, DIAG_PL004, sp, "includes are nested more than %d deep", INCLUDE_DEPTH);
		diag_help(r->ds, d, "include the innermost from here");
		return NULL;
	}
	s = ARENA_NEW(r->arena, struct scope);
	s->parent = from;
	s->source = src;
	s->file = pale_parse_source(r->arena, src, r->ds);
	return s;
}

static const char *beside(struct resolver *r, const struct source *src, struct str path)
{
	const char *base = src && src->path ? src->name : NULL; /* as the user wrote it */
	const char *slash = base ? strrchr(base, '/') : NULL;

	if (!slash || (path.n && path.p[0] == '/'))
		return str_dup(r->arena, path);
	return arena_printf(r->arena, "%.*s/" PRISTR, (int)(slash - base), base, STRARG(path));
}

static void scope_fill(struct resolver *r, struct scope *s);

static void add_include(struct resolver *r, struct scope *s, const struct ast_stmt *stmt)
{
	for (const struct ast_word *w = stmt->paths; w; w = w->next) {
		struct scope *inc = load_file(r, s, beside(r, s->source, w->text), w->span);
		if (!inc)
			continue;
		if (!scope_known(r, inc->source))
			scope_fill(r, inc);
		for (const struct ast_stmt *p = inc->file->stmts; p; p = p->next)
			if (p->kind == AST_STMT_POLICY)
				diag_help(r->ds,
					  resolve_report(r, DIAG_PL113, w->span,
							 "policy '" PRISTR "' of this file is not "
							 "part of what includes it",
							 WORD(p->name)),
					  "only sets are included; compile the file itself for its "
					  "policy");
		vec_push(r->arena, &s->includes, inc);
	}
}

static void add_set(struct resolver *r, struct scope *s, const struct ast_stmt *stmt)
{
	vec_each(&s->sets, old)
		if (str_eq((*old)->stmt->name.text, stmt->name.text)) {
			struct diag *d = resolve_report(r, DIAG_PL110, stmt->name.span,
							"set '" PRISTR "' is defined twice",
							WORD(stmt->name));
			diag_note(r->ds, d, (*old)->stmt->name.span, "first here");
			return;
		}
	if (s->sets.n == NAMES_MAX) {
		resolve_too_large(r, s->sets.v[0]->stmt->name.span, NAMES_MAX, "sets in one file",
				  "put some of them into a file that this one includes");
		return;
	}
	struct set_def *def = ARENA_NEW(r->arena, struct set_def);
	def->name = str_dup(r->arena, stmt->name.text);
	def->stmt = stmt;
	def->scope = s;
	vec_push(r->arena, &s->sets, def);
}

/* Includes inside a body bring in sets as well; the whole file sees them. */
static void add_stmts(struct resolver *r, struct scope *s, const struct ast_stmt *list)
{
	for (const struct ast_stmt *st = list; st; st = st->next) {
		if (st->kind == AST_STMT_SET)
			add_set(r, s, st);
		if (st->kind == AST_STMT_INCLUDE)
			add_include(r, s, st);
		add_stmts(r, s, st->body);
	}
}

static void scope_fill(struct resolver *r, struct scope *s)
{
	vec_push(r->arena, &r->scopes, s);
	s->reading = true;
	add_stmts(r, s, s->file->stmts);
	s->reading = false;
}

struct scope *scope_open(struct resolver *r, const struct source *src, const struct ast_file *f)
{
	struct scope *s = ARENA_NEW(r->arena, struct scope);

	s->source = src;
	s->file = f;
	scope_fill(r, s);
	return s;
}

/* ---- finding a set ---- */

struct search {
	struct resolver *r;
	const struct ast_word *word;
	struct set_def *found;
	bool unread; /* a file of its name is there and was not read: told */
};

static void offer_set(struct search *q, struct set_def *def)
{
	if (!q->found) {
		q->found = def;
		return;
	}
	if (q->found->stmt == def->stmt)
		return;
	struct diag *d = resolve_report(q->r, DIAG_PL109, q->found->stmt->name.span,
					"set '%s' hides another set of this name", def->name);
	diag_note(q->r->ds, d, def->stmt->name.span, "this one is not used");
}

static void search_scope(struct search *q, struct scope *s)
{
	if (s->mark == q->r->mark)
		return;
	s->mark = q->r->mark;
	vec_each(&s->sets, def)
		if (str_eq((*def)->stmt->name.text, q->word->text))
			offer_set(q, *def);
	vec_each(&s->includes, inc)
		search_scope(q, *inc);
}

static void search_dir(struct search *q, const char *dir)
{
	const char *path = arena_printf(q->r->arena, "%s/" PRISTR ".pale", dir, WORD(*q->word));

	if (access(path, F_OK) != 0 && is_no_file(-errno))
		return;
	struct scope *s = load_file(q->r, NULL, path, q->word->span);
	q->unread |= !s;
	if (!s)
		return;
	if (!scope_known(q->r, s->source))
		scope_fill(q->r, s);
	vec_each(&s->sets, def)
		if (str_eq((*def)->stmt->name.text, q->word->text))
			offer_set(q, *def);
}

static void suggest_sets(struct suggest *s, struct resolver *r, struct scope *scope)
{
	if (scope->mark == r->mark)
		return;
	scope->mark = r->mark;
	vec_each(&scope->sets, def)
		suggest_offer(s, (*def)->stmt->name.text);
	vec_each(&scope->includes, inc)
		suggest_sets(s, r, *inc);
}

/* NAME of each NAME.pale in a directory of sets, in one order whatever the filesystem's is. */
static void suggest_files(struct suggest *s, struct resolver *r, const char *dir)
{
	struct dirent **list;
	int n = scandir(dir, &list, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name);

		if (len > 5 && !strcmp(list[i]->d_name + len - 5, ".pale"))
			suggest_offer(s, (struct str){ arena_strdup(r->arena, list[i]->d_name),
						       len - 5 });
		free(list[i]);
	}
	if (n >= 0)
		free(list);
}

static struct set_def *find_set(struct resolver *r, struct scope *scope, const struct ast_word *w)
{
	struct search q = { .r = r, .word = w };
	bool file_name = w->text.n && w->text.p[0] != '.' && !memchr(w->text.p, '/', w->text.n);

	r->mark++;
	search_scope(&q, scope);
	for (const char *const *dir = r->opt->set_dirs; file_name && dir && *dir; dir++)
		search_dir(&q, *dir);
	if (q.found) {
		q.found->used = true;
		return q.found;
	}
	if (q.unread)
		return NULL;
	struct suggest s;
	bool offer = diag_suggest_start(r->ds, &s, w->text);
	r->mark++;
	if (offer)
		suggest_sets(&s, r, scope);
	for (const char *const *dir = r->opt->set_dirs; offer && dir && *dir; dir++)
		suggest_files(&s, r, *dir);
	struct diag *d = resolve_report(r, DIAG_PL107, w->span, "no set '" PRISTR "' is known here",
					WORD(*w));
	if (!diag_suggest(r->ds, d, w->span, &s))
		diag_help(r->ds, d,
			  "define it in this file, include its file, or give --sets DIR "
			  "where " PRISTR ".pale is",
			  WORD(*w));
	return NULL;
}

/* ---- items ---- */

struct walk {
	struct scope *scope;
	const struct set_def *def; /* the set being walked; NULL: the policy's own body */
	struct span use;
	const struct walk *up;
	const struct except *except;
	unsigned arches, possible; /* as in struct item */
	bool by_arch;
	const struct env_cond *const *env;
	const struct ast_stmt *when; /* the innermost */
};

static void walk_body(struct resolver *r, const struct walk *w, const struct ast_stmt *body);

static bool report_set_cycle(struct resolver *r, const struct walk *w, const struct set_def *def,
			     const struct ast_word *word)
{
	const struct walk *end = w;

	while (end && end->def != def)
		end = end->up;
	if (!end)
		return false;
	const char *chain = def->name;
	for (const struct walk *i = w; i != end; i = i->up)
		if (i->def != i->up->def) /* a `when` inside a set has a frame of its own */
			chain = arena_printf(r->arena, "%s -> %s", i->def->name, chain);
	resolve_report(r, DIAG_PL108, word->span, "sets use each other: %s -> %s", def->name,
		       chain);
	return true;
}

static const struct except *new_except(struct resolver *r, const struct ast_word *words,
				       const struct except *up)
{
	size_t n = 0;

	if (!words)
		return up;
	for (const struct ast_word *w = words; w; w = w->next)
		n++;
	struct except *e = ARENA_NEW(r->arena, struct except);
	e->words = words;
	e->up = up;
	e->hit = ARENA_ARRAY(r->arena, bool, n);
	vec_push(r->arena, &r->excepts, e);
	return e;
}

/* A set that is already in without exceptions, everywhere, adds nothing (union). */
static bool already_in(struct resolver *r, const struct walk *w, const struct set_def *def)
{
	if (w->except || w->arches != r->listed || w->env)
		return false;
	vec_each(&r->expanded, e)
		if (*e == def)
			return true;
	vec_push(r->arena, &r->expanded, def);
	return false;
}

static void walk_use(struct resolver *r, const struct walk *w, const struct ast_stmt *st)
{
	struct walk in = *w;

	in.up = w;
	in.except = new_except(r, st->except, w->except);
	for (const struct ast_word *word = st->words; word; word = word->next) {
		struct set_def *def = find_set(r, w->scope, word);
		if (!def || report_set_cycle(r, w, def, word) || already_in(r, &in, def))
			continue;
		if (r->uses++ >= USES_MAX) {
			if (r->uses == USES_MAX + 1)
				resolve_too_large(r, word->span, USES_MAX,
						  "uses of sets in one policy",
						  "let fewer sets use others");
			return;
		}
		in.scope = def->scope;
		in.def = def;
		in.use = w->def ? w->use : word->span;
		walk_body(r, &in, def->stmt->body);
	}
}

static void walk_when(struct resolver *r, const struct walk *w, const struct ast_stmt *st)
{
	struct walk in = *w;
	const struct env_cond **env = ARENA_ARRAY(r->arena, const struct env_cond *, ARCH_NR);

	if (w->env)
		memcpy(env, w->env, ARCH_NR * sizeof(*env));
	unsigned holds = r->opt->keep_when && !r->probing ? when_keep(r, st->env, env) :
							    when_arches(r, st->env);
	in.up = w;
	in.when = st;
	for (int a = 0; a < ARCH_NR; a++)
		if (env[a])
			in.env = env;
	in.arches = w->arches & holds;
	in.possible = w->possible & when_possible(r, st->env);
	/* All or none of the architectures: not a question about the call. */
	if (holds && holds != r->listed)
		in.by_arch = true;
	walk_body(r, &in, st->body);
}

static void add_item(struct resolver *r, const struct walk *w, const struct ast_stmt *st)
{
	struct item it = { st,          w->def ? w->def->name : NULL,
			   w->use,      w->arches,
			   w->possible, w->by_arch,
			   w->env,      w->except };

	if (r->items.n >= ITEMS_MAX) {
		resolve_too_large(r, st->keyword, ITEMS_MAX, "statements in one policy",
				  "one statement names several calls: 'allow read, write;'");
		return;
	}
	vec_push_own(r->arena, &r->items, it);
}

bool header_of_arch(const struct ast_stmt *when, const struct ast_stmt *st)
{
	return when->env->kind == AST_ENV_ARCH && st->kind == AST_STMT_HEADER &&
	       (st->header == AST_HEADER_DEFAULT || st->header == AST_HEADER_UNKNOWN);
}

static void walk_header(struct resolver *r, const struct walk *w, const struct ast_stmt *st)
{
	if (!w->def && (!w->up || (!w->up->up && header_of_arch(w->when, st))))
		return;
	struct diag *d = resolve_report(
		r, DIAG_PL111, st->keyword, "'" PRISTR "' belongs at the top of a policy: %s",
		STRARG(span_text(r->ds->sources, st->keyword)),
		w->def ? "a set holds rules only" : "it cannot depend on the environment");
	if (!w->def && (st->header == AST_HEADER_DEFAULT || st->header == AST_HEADER_UNKNOWN))
		diag_help(r->ds, d,
			  "one for single architectures stands in a 'when arch LIST' of its own");
}

static void walk_stmt(struct resolver *r, const struct walk *w, const struct ast_stmt *st)
{
	switch (st->kind) {
	case AST_STMT_USE: walk_use(r, w, st); return;
	case AST_STMT_WHEN: walk_when(r, w, st); return;
	case AST_STMT_HEADER: walk_header(r, w, st); return;
	case AST_STMT_POLICY:
	case AST_STMT_SET:
		resolve_report(r, DIAG_PL111, st->keyword,
			       "policies and sets stand at the top level of a file");
		return;
	case AST_STMT_INCLUDE: /* scope_fill() has read it */ return;
	case AST_STMT_CALLS:
	case AST_STMT_FILE:
	case AST_STMT_CAPABILITY:
	case AST_STMT_NETWORK:
	case AST_STMT_SIGNAL:
	case AST_STMT_NAMESPACE:
	case AST_STMT_APPARMOR:
	case AST_STMT_LIMIT: add_item(r, w, st); return;
	case AST_STMT_NR: break;
	}
	BUG("ast_stmt_kind");
}

static void walk_body(struct resolver *r, const struct walk *w, const struct ast_stmt *body)
{
	for (const struct ast_stmt *st = body; st; st = st->next)
		walk_stmt(r, w, st);
}

void compose_items(struct resolver *r, struct scope *scope, const struct ast_stmt *body,
		   const struct set_def *self)
{
	struct walk w = { .scope = scope,
			  .def = self,
			  .use = NO_SPAN,
			  .arches = r->listed,
			  .possible = r->listed };

	r->uses = 0;
	r->items.n = 0;
	r->excepts.n = 0;
	r->expanded.n = 0;
	walk_body(r, &w, body);
}

void compose_check_excepts(struct resolver *r)
{
	vec_each(&r->excepts, e) {
		size_t i = 0;
		for (const struct ast_word *w = (*e)->words; w; w = w->next, i++) {
			if ((*e)->hit[i])
				continue;
			struct diag *d = resolve_report(
				r, DIAG_PL112, w->span,
				"none of these sets has a rule for '" PRISTR "'", WORD(*w));
			diag_help(r->ds, d, "leave it out of 'except'");
		}
	}
}
