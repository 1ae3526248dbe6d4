/* SPDX-License-Identifier: Apache-2.0 */
/* Where the name at a place is defined: a set, a variable, the file of an include. */
#include <string.h>

#include "compiler/lsp/names.h"
#include "grammar/apparmor_library.h"

struct defining {
	struct lsp_request *q;
	const struct lsp_asked *asked;
	unsigned found;
};

static void put_place(struct defining *d, const struct source *src, struct span sp)
{
	if (!d->found++)
		json_open(&d->q->w, NULL, '[');
	lsp_put_location(d->q, &d->q->w, NULL, src, sp);
}

static void put_file(struct defining *d, const char *path)
{
	struct source *src;

	if (!source_load_regular(d->q->session.sources, path, &src))
		put_place(d, src, (struct span){ src->id, 0, 0 });
}

/* ---- policies ---- */

static void define_set(struct defining *d, struct str name)
{
	struct set_list sets;

	lsp_sets_of(d->q, d->asked, &sets);
	const struct listed_set *set = set_list_find(&sets, name);
	if (set)
		put_place(d, set->source, set->stmt->name.span);
}

static void define_pale(struct defining *d, const struct lsp_around *l)
{
	struct arena *a = d->q->session.arena;

	if (l->quoted && str_is(lsp_behind(l, 0), "include"))
		put_file(d, lsp_beside(a, d->asked->document->path, l->word));
	else if (lsp_in_statement(l, "use") || str_is(lsp_behind(l, 0), "set"))
		define_set(d, l->word);
}

/* ---- AppArmor's text ---- */

static void define_include(struct defining *d, const struct lsp_around *l)
{
	struct aa_library *library = lsp_library_of(d->q, d->asked);
	struct aa_seen seen = { 0 };

	if (!library)
		return;
	struct aa_found found =
		aa_library_find(library, aa_include_name(l->word, l->magic), l->magic, &seen);
	if (!found.entry)
		return;
	if (found.entry->kind == AA_ENTRY_FILE && found.entry->source)
		put_place(d, found.entry->source, (struct span){ found.entry->source->id, 0, 0 });
	if (found.entry->kind == AA_ENTRY_DIRECTORY)
		vec_each(&found.entry->paths, path)
			put_file(d, *path);
}

static void define_variable(struct defining *d, struct str name)
{
	lsp_variables all;

	lsp_variables_of(d->q, d->asked, &all);
	vec_each(&all, v)
		if (str_eq(v->name, name))
			put_place(d, v->source, v->stmt->head);
}

/* "a//b" is the child b, of whichever profile here. */
static void define_profile(struct defining *d, struct str name)
{
	const char *last = name.p;
	lsp_variables all;

	for (size_t i = 0; i + 1 < name.n; i++)
		if (name.p[i] == '/' && name.p[i + 1] == '/')
			last = name.p + i + 2;
	struct str own = { last, name.n - (size_t)(last - name.p) };
	lsp_profiles_of(d->q, d->asked, &all);
	vec_each(&all, p)
		if (str_eq(p->name, name) || str_eq(p->name, own) ||
		    (str_starts(p->name, "^") &&
		     str_eq((struct str){ p->name.p + 1, p->name.n - 1 }, own)))
			put_place(d, p->source, p->stmt->head);
}

static bool is_include(const struct lsp_around *l)
{
	return l->before.n && (str_is(l->before.v[0], "include") || str_is(l->before.v[0], "abi"));
}

static void define_apparmor(struct defining *d, const struct lsp_around *l)
{
	struct str variable = lsp_variable_at(l, d->asked->offset);

	if (variable.n)
		define_variable(d, variable);
	else if (is_include(l) && l->word.n)
		define_include(d, l);
	else if (l->word.n && (str_is(lsp_behind(l, 0), "->") ||
			       (str_is(lsp_behind(l, 0), "=") && str_is(lsp_behind(l, 1), "peer"))))
		define_profile(d, l->word);
}

void lsp_define(struct lsp_request *q)
{
	struct lsp_asked asked;
	struct defining d = { .q = q, .asked = &asked };
	struct lsp_around around;

	if (!lsp_asked(q, &asked) || asked.language == LSP_JSON || asked.language == LSP_YAML)
		return;
	lsp_look_around(q->session.arena, asked.language, asked.text, asked.offset, &around);
	if (around.comment)
		return;
	if (asked.language == LSP_PALE)
		define_pale(&d, &around);
	else
		define_apparmor(&d, &around);
	if (d.found)
		json_close(&q->w, ']');
}
