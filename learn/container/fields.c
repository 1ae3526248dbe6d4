/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/fields.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/diag.h"

#define PLACES_MOST  64
#define LABELS_MOST  1024   /* of one container */
#define ENTRIES_MOST 131072 /* of a directory */

struct json *fields_parse(struct arena *a, struct str text)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct json *json = json_parse(a, source_add(sources, "answer", text), ds);

	return ds->errors ? NULL : json;
}

struct json *fields_load(const struct containers *cs, struct arena *a, const char *path)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src;
	struct json *json;

	if (source_load_regular(sources, arena_printf(a, "%s%s", cs->root, path), &src))
		return NULL;
	json = json_parse(a, src, ds);
	return ds->errors ? NULL : json;
}

const char *fields_text(struct arena *a, const struct json *object, const char *key)
{
	const struct json *v = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;

	return v && v->kind == JSON_STRING && v->text.n ? str_dup(a, v->text) : NULL;
}

void fields_labels(struct containers *cs, struct container *c, const struct json *object)
{
	if (!object || object->kind != JSON_OBJECT)
		return;
	for (const struct json *m = object->first; m; m = m->next)
		if (m->kind == JSON_STRING)
			fields_label(cs, c, m->key, m->text);
}

void fields_label(struct containers *cs, struct container *c, struct str key, struct str value)
{
	if (c->labels.n < LABELS_MOST)
		vec_push(cs->arena, &c->labels,
			 ((struct container_label){ str_dup(cs->arena, key),
						    str_dup(cs->arena, value) }));
}

void fields_take(const char **to, const char *text)
{
	if (!*to)
		*to = text;
}

void fields_name(struct containers *cs, struct container *c, const char *name, const char *from,
		 enum containers_at at)
{
	if (!name ||
	    (c->name && (!c->told_by || strcmp(c->told_by, from) != 0 || !strcmp(c->name, name))))
		return;
	if (!c->told_by)
		c->told_by = arena_strdup(cs->arena, from);
	c->told_at = at;
	c->name = arena_strdup(cs->arena, name);
}

void fields_each_entry(struct containers *cs, const char *path, fields_entry *read)
{
	char at[4096];
	const struct dirent *entry;
	DIR *d;

	if (snprintf(at, sizeof(at), "%s%s", cs->root, path) >= (int)sizeof(at))
		return;
	d = opendir(at);
	for (unsigned n = 0; d && n < ENTRIES_MOST && (entry = readdir(d)); n++)
		if (entry->d_name[0] != '.')
			read(cs, path, entry->d_name);
	if (d)
		closedir(d);
}

void fields_place(struct containers *cs, container_places *to, const char *path)
{
	if (*path != '/' || to->n == PLACES_MOST)
		return;
	vec_each(to, p)
		if (!strcmp(*p, path))
			return;
	vec_push(cs->arena, to, arena_strdup(cs->arena, path));
}

size_t fields_arguments(struct containers *cs, const char *pid, char args[FIELDS_ARGS])
{
	char path[4096];
	size_t n = 0;
	FILE *f = NULL;

	if (snprintf(path, sizeof(path), "%s/proc/%s/cmdline", cs->root, pid) < (int)sizeof(path))
		f = fopen(path, "re");
	if (f) {
		n = fread(args, 1, FIELDS_ARGS - 2, f);
		fclose(f);
	}
	args[n] = args[n + 1] = 0;
	return n;
}

void fields_options(struct containers *cs, const char *pid, fields_option *take)
{
	char path[4096], args[FIELDS_ARGS];
	const char *p, *end;
	struct stat st;

	if (snprintf(path, sizeof(path), "%s/proc/%s", cs->root, pid) >= (int)sizeof(path) ||
	    stat(path, &st) || (st.st_uid && st.st_uid != geteuid()))
		return;
	end = args + fields_arguments(cs, pid, args);
	for (p = args; p < end; p += strlen(p) + 1) {
		const char *equals = *p == '-' ? strchr(p, '=') : NULL;

		if (equals)
			take(cs, (struct str){ p, (size_t)(equals - p) }, equals + 1);
		else if (*p == '-' && p + strlen(p) + 1 < end)
			take(cs, str_c(p), p + strlen(p) + 1);
	}
}
