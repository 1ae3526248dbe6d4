/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_config.h"

#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "grammar/toml.h"

static const char file_name[] = "pale.toml", per_file[] = "per-file-ignores";

/* The keys of [lint]: options by their names, of which the rest is asked of the command line. */
static const enum option_id keys[] = {
	OPT_SELECT,         OPT_IGNORE,   OPT_SEVERITY,   OPT_ERROR_ON, OPT_EXCLUDE,
	OPT_LINT_FORMAT,    OPT_BASELINE, OPT_RUNTIME,    OPT_CAPS,     OPT_KERNEL,
	OPT_HOST,           OPT_SETS,     OPT_RULE_PAGES, OPT_FEATURES, OPT_INCLUDE,
	OPT_TARGET_RELEASE, OPT_SYSTEMD,
};

/* ---- what a key says ---- */

static void unknown_key(struct session *s, const struct json *m, struct suggest *near,
			const char *known)
{
	struct diag *d = diag_add(s->diags, DIAG_PL439, m->key_span, "no key '%s' is known here",
				  str_safe_of(s->arena, m->key));

	if (near->best.p)
		diag_help(s->diags, d, "did you mean '" PRISTR "'?", STRARG(near->best));
	else
		diag_help(s->diags, d, "%s", known);
}

static void wrong_kind(struct session *s, const struct json *v, const char *key, const char *wanted)
{
	struct diag *d = diag_add(s->diags, DIAG_PL440, v->span, "'%s' takes %s, not %s", key,
				  wanted, json_kind_name(v->kind));

	diag_help(s->diags, d, "pale.toml(5) has an example of each key");
}

/* A path is relative to the file's folder. */
static const char *value_text(struct session *s, const struct lint_config *c, enum option_id id,
			      const struct json *v)
{
	enum option_kind kind = option_kind(id);
	const char *text = str_dup(s->arena, v->text);
	bool path = kind == OPTION_FILE || kind == OPTION_OUTPUT || kind == OPTION_DIR ||
		    kind == OPTION_DIRS;

	return path && *text && *text != '/' ? arena_printf(s->arena, "%s/%s", c->folder, text) :
					       text;
}

static void give(struct session *s, struct lint_config *c, enum option_id id, const struct json *v)
{
	struct option_place place = { option_name(id), NULL, v->span };

	if (v->kind != JSON_STRING) {
		wrong_kind(s, v, place.name,
			   option_adds_up(id) ? "a text or a list of them" : "a text");
		return;
	}
	place.text = value_text(s, c, id, v);
	vec_push(s->arena, &c->source.places, place);
	c->source.at = v->span;
	option_give(s, &c->options, id, place.text);
	c->source.at = NO_SPAN;
}

/* What the command line says counts in place of it. */
static bool is_overridden(const struct options *given, enum option_id id)
{
	if (id == OPT_BASELINE && given->at[OPT_WRITE_BASELINE].given)
		return true;
	if (id == OPT_IGNORE && given->at[OPT_SELECT].given) /* who asks for rules gets them */
		return true;
	if (id == OPT_LINT_FORMAT && given->at[OPT_STATISTICS].given)
		return true;
	return given->at[id].given;
}

static void read_per_file(struct session *s, struct lint_config *c, const struct json *table)
{
	if (table->kind != JSON_OBJECT) {
		wrong_kind(s, table, per_file, "a table");
		return;
	}
	for (const struct json *m = table->first; m; m = m->next) {
		struct lint_ignored one = { .glob = str_dup(s->arena, m->key) };
		const struct json *v = m->kind == JSON_ARRAY ? m->first : m;
		struct suggest near;

		for (; v; v = m->kind == JSON_ARRAY ? v->next : NULL) {
			if (v->kind != JSON_STRING)
				wrong_kind(s, v, per_file, "texts and lists of them");
			else if (!selection_never(&one.never, v->text, &near))
				diag_add(s->diags, DIAG_PL440, v->span,
					 "'%s' takes ids, slugs and their beginnings "
					 "(--list-rules); '%s' is none" PRINEAR,
					 per_file, str_safe_of(s->arena, v->text), NEARARG(near));
		}
		vec_push(s->arena, &c->ignored, one);
	}
}

static void read_key(struct session *s, struct lint_config *c, const struct options *given,
		     const struct json *m)
{
	struct suggest near;

	suggest_start(&near, m->key);
	suggest_offer(&near, str_c(per_file));
	if (str_is(m->key, per_file)) {
		read_per_file(s, c, m);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		suggest_offer(&near, str_c(option_name(keys[i])));
		if (!str_is(m->key, option_name(keys[i])))
			continue;
		if (is_overridden(given, keys[i]))
			return;
		if (m->kind != JSON_ARRAY || !option_adds_up(keys[i])) {
			give(s, c, keys[i], m);
			return;
		}
		for (const struct json *v = m->first; v; v = v->next)
			give(s, c, keys[i], v);
		return;
	}
	unknown_key(s, m, &near, "pale.toml(5) lists the keys of [lint]");
}

static void read_lint(struct session *s, struct lint_config *c, const struct options *given,
		      const struct json *root)
{
	struct suggest near;

	for (const struct json *table = root->first; table; table = table->next) {
		suggest_start(&near, table->key);
		suggest_offer(&near, STR("lint"));
		if (!str_is(table->key, "lint")) {
			unknown_key(s, table, &near, "the keys stand below [lint]");
			continue;
		}
		if (table->kind != JSON_OBJECT) {
			wrong_kind(s, table, "lint", "a table");
			continue;
		}
		c->source.whole = table->key_span;
		for (const struct json *m = table->first; m; m = m->next)
			read_key(s, c, given, m);
	}
}

/* ---- the files ---- */

static struct lint_config *config_new(struct lint_configs *all, const char *path,
				      const char *folder)
{
	struct session *s = all->session;
	struct lint_config *c = ARENA_NEW(s->arena, struct lint_config);

	*c = (struct lint_config){ .path = path, .folder = folder, .options = *all->given };
	if (path) {
		c->source = (struct option_source){ .session = s, .whole = NO_SPAN, .at = NO_SPAN };
		c->command = *all->given->command;
		c->command.from = &c->source;
		c->options.command = &c->command;
	}
	vec_push(s->arena, &all->list, c);
	return c;
}

/* path: what it is opened and told as; folder: absolute. */
static struct lint_config *config_read(struct lint_configs *all, const char *path,
				       const char *folder)
{
	struct session *s = all->session;
	struct lint_config *c = config_new(all, path, folder);
	struct source *src;
	int err = source_load_regular(s->sources, path, &src);

	if (err) {
		all->status = input_unreadable(s, path, err);
		return c;
	}
	size_t errors = s->diags->errors;
	const struct json *root = toml_parse(s->arena, src, s->diags);
	c->source.whole = (struct span){ src->id, 0, 0 };
	if (root)
		read_lint(s, c, all->given, root);
	if (s->diags->errors > errors && !all->status)
		all->status = EXIT_FOUND;
	return c;
}

/* "a/b" of "a/b/c", "/" of "/c", "." of "c". */
static const char *folder_of(struct arena *a, const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return ".";
	return slash == path ? "/" : str_dup(a, (struct str){ path, (size_t)(slash - path) });
}

/* The folder itself, without links; of one that is not there the nearest above it that is. */
static const char *real_folder(struct arena *a, const char *folder)
{
	char real[PATH_MAX];

	for (;;) {
		if (realpath(folder, real))
			return arena_strdup(a, real);
		if (!strcmp(folder, ".") || !strcmp(folder, "/"))
			return "/";
		folder = folder_of(a, folder);
	}
}

/* As it is told: below the working directory relative to it. */
static const char *shown_path(struct arena *a, const char *path)
{
	const char *here = real_folder(a, ".");
	size_t n = strlen(here);

	if (strncmp(path, here, n) != 0 || path[n] != '/' || n == 1)
		return path;
	return arena_strdup(a, path + n + 1);
}

static struct lint_config *find_upwards(struct lint_configs *all, const char *folder)
{
	struct arena *a = all->session->arena;

	for (;; folder = folder_of(a, folder)) {
		const char *path =
			arena_printf(a, "%s/%s", strcmp(folder, "/") ? folder : "", file_name);
		struct stat st;

		vec_each(&all->list, c)
			if ((*c)->path && !strcmp((*c)->folder, folder))
				return *c;
		if (!stat(path, &st) && !S_ISDIR(st.st_mode))
			return config_read(all, shown_path(a, path), folder);
		if (!strcmp(folder, "/"))
			return all->none;
	}
}

static const struct lint_folder *find_folder(struct lint_configs *all, const char *path)
{
	struct arena *a = all->session->arena;
	const char *named = folder_of(a, path);
	uint64_t hash = hash_str(str_c(named));
	struct table_walk it = table_start(hash);
	size_t at;

	while ((at = table_next(&all->folder_at, &it)) != TABLE_END)
		if (!strcmp(all->folders.v[at].as_named, named))
			return &all->folders.v[at];
	struct lint_folder f = { named, real_folder(a, named), all->only };
	if (!f.config)
		f.config = find_upwards(all, f.real);
	table_add(a, &all->folder_at, hash, all->folders.n);
	vec_push(a, &all->folders, f);
	return &all->folders.v[all->folders.n - 1];
}

int lint_configs_open(struct session *s, const struct options *o, struct lint_configs *out)
{
	const char *path = o->at[OPT_CONFIG].text;

	*out = (struct lint_configs){ .session = s, .given = o };
	out->none = config_new(out, NULL, NULL);
	if (o->at[OPT_ISOLATED].given)
		out->only = out->none;
	if (path)
		out->only =
			config_read(out, path, real_folder(s->arena, folder_of(s->arena, path)));
	return out->status;
}

/* Standard input has the name that it is given. */
static const char *called(const struct lint_configs *all, const char *path)
{
	const char *name = all->given->at[OPT_STDIN_FILENAME].text;

	return name && !strcmp(path, "-") ? name : path;
}

struct lint_config *lint_config_of(struct lint_configs *all, const char *path)
{
	path = called(all, path);
	return all->only ? all->only : find_folder(all, path)->config;
}

/* ---- globs ---- */

/* Some tail of the path up to `end`, which is the end of one of its names. */
static bool matches_tail(struct session *s, const char *pattern, const char *path, size_t end)
{
	const char *part = str_dup(s->arena, (struct str){ path, end });

	for (const char *p = part; p; p = strchr(p, '/')) {
		p += *p == '/';
		if (!fnmatch(pattern, p, 0))
			return true;
	}
	return !fnmatch(pattern, part, 0);
}

/* A path, its end from any '/' on, or a folder of it. */
static bool matches(struct session *s, const char *pattern, const char *path)
{
	for (size_t end = 0; path[end]; end += path[end] == '/') {
		end += strcspn(path + end, "/");
		if (end && matches_tail(s, pattern, path, end))
			return true;
	}
	return false;
}

/* The path as globs of the file see it. */
static const char *path_below(struct lint_configs *all, const struct lint_config *c,
			      const char *path)
{
	struct arena *a = all->session->arena;
	const struct lint_folder *f = find_folder(all, path);
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	size_t n = strlen(c->folder);

	if (!strcmp(c->folder, f->real))
		return name;
	if (!strncmp(f->real, c->folder, n) && (f->real[n] == '/' || n == 1))
		return arena_printf(a, "%s/%s", f->real + n + (n > 1), name);
	return arena_printf(a, "%s/%s", f->real, name);
}

bool lint_config_excludes(struct lint_configs *all, const struct lint_config *c, const char *path)
{
	const char *const *pattern = c->options.at[OPT_EXCLUDE].list.v;

	if (!pattern)
		return false;
	path = called(all, path);
	if (!all->given->at[OPT_EXCLUDE].given)
		path = path_below(all, c, path);
	for (; *pattern; pattern++)
		if (matches(all->session, *pattern, path))
			return true;
	return false;
}

void lint_config_ignores(struct lint_configs *all, const struct lint_config *c, const char *path,
			 struct selection *out)
{
	const char *below = c->ignored.n ? path_below(all, c, called(all, path)) : NULL;

	vec_each(&c->ignored, i)
		if (matches(all->session, i->glob, below))
			selection_join_never(out, &i->never);
}
