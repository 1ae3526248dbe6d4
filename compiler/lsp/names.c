/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/names.h"

#include <string.h>

#include "grammar/apparmor_library.h"
#include "grammar/parse.h"

enum { SET_DEPTH = 16 }; /* of includes of policies, as resolving has it */

/* ---- sets ---- */

const char *lsp_beside(struct arena *a, const char *path, struct str name)
{
	const char *slash = name.n && name.p[0] == '/' ? NULL : strrchr(path, '/');

	return arena_printf(a, PRISTR PRISTR, slash ? (int)(slash - path) + 1 : 0, path,
			    STRARG(name));
}

struct set_walk {
	struct lsp_request *q;
	struct set_list *out;
	size_t files;
};

static void add_sets(struct set_walk *w, struct source *src, unsigned depth);

static void add_included(struct set_walk *w, const char *from, struct str name, unsigned depth)
{
	struct source *src;

	if (depth >= SET_DEPTH || w->files++ > LSP_INCLUDED_MAX || !name.n)
		return;
	if (!source_load_regular(w->q->session.sources, lsp_beside(w->q->session.arena, from, name),
				 &src))
		add_sets(w, src, depth + 1);
}

static void add_sets(struct set_walk *w, struct source *src, unsigned depth)
{
	struct session *s = &w->q->session;
	struct diags *ds = diags_new(s->arena, s->sources); /* what is wrong is told elsewhere */
	const struct ast_file *file = pale_parse_source(s->arena, src, ds);

	for (const struct ast_stmt *st = file->stmts; st; st = st->next) {
		struct listed_set set = { .source = src, .stmt = st };

		if (st->kind == AST_STMT_INCLUDE && st->paths)
			add_included(w, src->name, st->paths->text, depth);
		if (st->kind != AST_STMT_SET || set_list_find(w->out, st->name.text))
			continue;
		set.name = str_dup(s->arena, st->name.text);
		vec_push(s->arena, &w->out->sets, set);
	}
}

void lsp_sets_of(struct lsp_request *q, const struct lsp_asked *asked, struct set_list *out)
{
	const struct lsp_host *host = q->lsp->host;
	struct set_walk w = { .q = q, .out = out };
	struct set_list installed = { 0 };
	struct lsp_context context;

	*out = (struct set_list){ 0 };
	host->context(host->who, asked->document->path, &context);
	if (asked->language == LSP_PALE)
		add_sets(&w, asked->source, 0);
	set_list_read(&q->session, context.set_dirs, &installed);
	vec_each(&installed.sets, set)
		if (!set_list_find(out, str_c(set->name)))
			vec_push(q->session.arena, &out->sets, *set);
}

/* ---- AppArmor's variables ---- */

struct variable_walk {
	struct arena *arena;
	struct aa_library *library;
	struct diags *diags;
	struct aa_seen seen;
	lsp_variables *out;
	size_t files;
	bool profiles; /* in place of variables */
};

static void walk_file(struct variable_walk *w, const struct source *src, const struct aa_stmt *s);

static void walk_entry(struct variable_walk *w, struct aa_entry *e)
{
	if (w->files++ >= LSP_INCLUDED_MAX)
		return;
	if (e->kind == AA_ENTRY_FILE && e->source) {
		const struct aa_file *file = aa_library_parse(w->library, e, w->diags);
		if (file)
			walk_file(w, e->source, file->stmts);
	}
	if (e->kind != AA_ENTRY_DIRECTORY)
		return;
	vec_each(&e->paths, path) {
		struct aa_entry *inside = aa_library_entry(w->library, *path);
		if (inside && inside->kind == AA_ENTRY_FILE)
			walk_entry(w, inside);
	}
}

static struct str profile_name(const struct aa_stmt *s)
{
	for (const struct aa_item *i = s->items; i; i = i->next)
		if (i->kind == AA_WORD && (i != s->items || (!str_is(i->word.text, "profile") &&
							     !str_is(i->word.text, "hat"))))
			return i->word.text;
	return str_c(NULL);
}

/* Variables are set outside of profiles, and in `if`. */
static void walk_file(struct variable_walk *w, const struct source *src, const struct aa_stmt *s)
{
	for (; s; s = s->next) {
		if (s->kind == (w->profiles ? AA_STMT_PROFILE : AA_STMT_VAR))
			vec_push(w->arena, w->out,
				 ((struct lsp_variable){
					 w->profiles ? profile_name(s) : s->word.text, src, s }));
		if (s->kind == AA_STMT_IF) {
			walk_file(w, src, s->body);
			walk_file(w, src, s->otherwise);
		}
		if (s->kind == AA_STMT_PROFILE || s->kind == AA_STMT_BLOCK)
			walk_file(w, src, s->body);
		if (s->kind != AA_STMT_INCLUDE || !w->library)
			continue;
		struct aa_found found = aa_library_find(
			w->library, aa_include_name(s->word.text, s->magic), s->magic, &w->seen);
		if (found.entry && !found.skip)
			walk_entry(w, found.entry);
	}
}

struct aa_library *lsp_library_of(struct lsp_request *q, const struct lsp_asked *asked)
{
	const struct lsp_host *host = q->lsp->host;
	struct lsp_context context;

	host->context(host->who, asked->document->path, &context);
	return context.library;
}

static void walk_text(struct lsp_request *q, const struct lsp_asked *asked, bool profiles,
		      lsp_variables *out)
{
	struct session *s = &q->session;
	struct aa_library *library = lsp_library_of(q, asked);
	struct variable_walk w = { .arena = s->arena,
				   .library = library,
				   .profiles = profiles,
				   .out = out,
				   .diags = library ? diags_new(library->arena, library->sources) :
						      NULL };
	struct diags *own = diags_new(s->arena, s->sources);
	const struct aa_file *file = aa_parse_source(s->arena, asked->source, own);

	*out = (lsp_variables){ 0 };
	if (own->errors) { /* a profile that is being written: what stands before it is whole */
		struct str whole = { asked->text.p,
				     lsp_preamble(s->arena, LSP_APPARMOR, asked->text) };
		file = aa_parse_source(s->arena, source_add(s->sources, asked->source->name, whole),
				       own);
	}
	walk_file(&w, file->source, file->stmts);
}

void lsp_variables_of(struct lsp_request *q, const struct lsp_asked *asked, lsp_variables *out)
{
	walk_text(q, asked, false, out);
}

void lsp_profiles_of(struct lsp_request *q, const struct lsp_asked *asked, lsp_variables *out)
{
	walk_text(q, asked, true, out);
}

struct str lsp_variable_at(const struct lsp_around *l, uint32_t offset)
{
	const char *p = l->word.p;

	if (!l->word.n)
		return str_c(NULL);
	const char *end = p + l->word.n, *place = p + (offset - l->begin);
	while ((p = memmem(p, (size_t)(end - p), "@{", 2)) && p <= place) {
		const char *close = memchr(p, '}', (size_t)(end - p));

		if (!close)
			break;
		if (place <= close + 1)
			return (struct str){ p, (size_t)(close + 1 - p) };
		p = close;
	}
	return str_c(NULL);
}
