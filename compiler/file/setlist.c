/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/setlist.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compiler/file/input.h"
#include "grammar/parse.h"

static int add_sets(struct session *s, const char *path, struct set_list *out)
{
	struct source *source;
	int err = source_load_regular(s->sources, path, &source);

	if (err == -ENOENT || err == -EISDIR || err == -EINVAL)
		return 0; /* gone since the directory was read, or no file */
	if (err) {
		input_unreadable(s, path, err);
		return err;
	}
	struct ast_file *file = pale_parse_source(s->arena, source, s->diags);
	for (const struct ast_stmt *st = file->stmts; st; st = st->next) {
		struct listed_set set = { .source = source, .stmt = st };
		if (st->kind != AST_STMT_SET || set_list_find(out, st->name.text))
			continue;
		set.name = str_dup(s->arena, st->name.text);
		vec_push(s->arena, &out->sets, set);
	}
	return 0;
}

static int is_policy_file(const struct dirent *e)
{
	size_t n = strlen(e->d_name);

	return n > 5 && e->d_name[0] != '.' && !strcmp(e->d_name + n - 5, ".pale");
}

static int read_directory(struct session *s, const char *dir, struct set_list *out)
{
	struct dirent **entries;
	int n = scandir(dir, &entries, is_policy_file, alphasort), err = n < 0 ? -errno : 0;

	if (err == -ENOENT || err == -ENOTDIR)
		return 0;
	if (err) {
		input_unreadable(s, dir, err);
		return err;
	}

	for (int i = 0; i < n; i++) {
		int r = add_sets(s, arena_printf(s->arena, "%s/%s", dir, entries[i]->d_name), out);
		err = err ? err : r;
		free(entries[i]);
	}
	free(entries);
	return err;
}

static int compare_sets(const void *a, const void *b)
{
	const struct listed_set *x = a, *y = b;

	return strcmp(x->name, y->name);
}

int set_list_read(struct session *s, const char *const *first, struct set_list *out)
{
	int err = 0;

	*out = (struct set_list){ 0 };
	for (const char *const *d = set_directories(s->arena, first); *d; d++) {
		int r = read_directory(s, *d, out);
		if (r)
			err = r;
	}
	if (out->sets.n)
		qsort(out->sets.v, out->sets.n, sizeof(*out->sets.v), compare_sets);
	return err;
}

const struct listed_set *set_list_find(const struct set_list *l, struct str name)
{
	vec_each(&l->sets, set)
		if (str_is(name, set->name))
			return set;
	return NULL;
}

static size_t count_body(const struct ast_stmt *body, const char *call)
{
	size_t n = 0;

	for (const struct ast_stmt *st = body; st; st = st->next) {
		for (const struct ast_call *c = st->calls; c; c = c->next)
			n += !call || str_is(c->name.text, call);
		n += count_body(st->body, call);
	}
	return n;
}

bool set_names_call(const struct listed_set *set, const char *call)
{
	return count_body(set->stmt->body, call) > 0;
}

size_t set_count_calls(const struct listed_set *set)
{
	return count_body(set->stmt->body, NULL);
}

struct str set_summary(const struct listed_set *set)
{
	struct str s = set->stmt->leading ? set->stmt->leading->text : str_c("");
	size_t n = strlen(set->name);

	if (str_starts(s, set->name) && s.n > n + 1 && s.p[n] == ':') {
		s.p += n + 1;
		s.n -= n + 1;
		while (s.n && *s.p == ' ')
			s.p++, s.n--;
	}
	return s;
}
