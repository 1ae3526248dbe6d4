/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/cmd/lint_files.h"

#include <errno.h>
#include <fts.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"
#include "compiler/file/kind.h"

enum { FILES_MAX = 100000, DEPTH_MAX = 64, AHEAD_MAX = 1 << 20 };

struct walk {
	struct session *session;
	struct lint_configs *configs;
	lint_file_list *out;
	bool excluded; /* something was left out */
};

/* ---- names ---- */

static bool ends_in(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && !strcmp(path + n - m, end);
}

static bool below_apparmor(const char *path)
{
	const char *name = strrchr(path, '/'), *hit = strstr(path, "apparmor");

	return name && hit && hit < name;
}

/* Folders of an AppArmor base directory whose files profiles include, or nobody loads (apparmor.d(5),
 * apparmor_parser(8), /lib/apparmor/rc.apparmor.functions). */
static bool holds_pieces(const char *path)
{
	static const char *const names[] = { "abi",     "abstractions",   "cache", "cache.d",
					     "disable", "force-complain", "local", "tunables" };
	const char *name = strrchr(path, '/');

	if (!name || !below_apparmor(path))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name + 1, names[i]))
			return true;
	return false;
}

static bool is_yaml(const char *path)
{
	return ends_in(path, ".yaml") || ends_in(path, ".yml");
}

/* A service, a socket, or a container of Podman's, and what is put over one. */
static bool is_unit(const char *path)
{
	static const char *const ends[] = { ".service", ".socket", ".container" };

	for (size_t i = 0; i < ARRAY_SIZE(ends); i++) {
		const char *at = strstr(path, ends[i]);

		if (ends_in(path, ends[i]))
			return true;
		for (; at && ends_in(path, ".conf"); at = strstr(at + 1, ends[i]))
			if (!strncmp(at + strlen(ends[i]), ".d/", 3))
				return true;
	}
	return false;
}

/* "Dockerfile", "Dockerfile.web", "web.Dockerfile" */
static bool is_dockerfile(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	return !strcmp(name, "Dockerfile") || !strncmp(name, "Dockerfile.", 11) ||
	       ends_in(path, ".Dockerfile");
}

static bool has(struct str text, const char *word)
{
	return memmem(text.p, text.n, word, strlen(word));
}

static bool starts_containers(struct str text)
{
	for (const char *const *e = deploy_engines; *e; e++)
		if (has(text, *e))
			return true;
	return false;
}

bool lint_file_wants(const char *path, struct str text)
{
	if (ends_in(path, ".pale") || ends_in(path, ".apparmor") || ends_in(path, ".aa"))
		return true;
	if (ends_in(path, ".json"))
		return ends_in(path, "/daemon.json") || has(text, "defaultAction") ||
		       (has(text, "\"apiVersion\"") &&
			(has(text, "\"containers\"") || has(text, "\"AppArmorProfile\"")));
	const struct file_kind *kind = kind_of_file(text, path);
	if (kind == kind_shell)
		return ends_in(path, ".sh") && starts_containers(text);
	if (is_dockerfile(path))
		return kind == kind_dockerfile;
	if (is_unit(path))
		return kind == kind_unit;
	if (is_yaml(path))
		return kind == kind_compose || kind == kind_kubernetes || kind_holds_profile(kind);
	return kind == kind_apparmor;
}

bool lint_file_is_apparmor(const char *path)
{
	BUF_AUTO text = { 0 };
	struct stat st;

	if (!strcmp(path, "-") || stat(path, &st) || !S_ISREG(st.st_mode) ||
	    source_read(path, AHEAD_MAX, &text))
		return false;
	return kind_of_file((struct str){ text.p, text.n }, path) == kind_apparmor;
}

static bool is_read(const char *path)
{
	return ends_in(path, ".pale") || ends_in(path, ".json") || ends_in(path, ".apparmor") ||
	       ends_in(path, ".aa") || ends_in(path, ".sh") || is_unit(path) ||
	       is_dockerfile(path) || is_yaml(path) || below_apparmor(path);
}

/* Of a folder that is named its own pale.toml decides, else that of the folder around it. */
static bool is_excluded(struct walk *w, const char *path, bool own)
{
	const char *inside = own ? arena_printf(w->session->arena, "%s/.", path) : path;

	if (!lint_config_excludes(w->configs, lint_config_of(w->configs, inside), path))
		return false;
	return w->excluded = true;
}

/* ---- what there is ---- */

static int add(struct walk *w, const char *path, bool walked)
{
	struct lint_file f = { arena_strdup(w->session->arena, path), NULL, walked };

	if (w->out->n == FILES_MAX) {
		tell("pale lint: more than %d files are named; name fewer", FILES_MAX);
		return EXIT_USAGE;
	}
	f.config = lint_config_of(w->configs, path);
	vec_push(w->session->arena, w->out, f);
	return EXIT_OK;
}

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

/* EXIT_OK, or what ends the walk. */
static int visit(struct walk *w, FTS *fts, FTSENT *e)
{
	bool named = e->fts_level == FTS_ROOTLEVEL;
	size_t n = e->fts_namelen;

	switch (e->fts_info) {
	case FTS_DNR:
	case FTS_ERR:
	case FTS_NS:
		tell("pale lint: cannot read '%s': %s", e->fts_path, strerror(e->fts_errno));
		return EXIT_SYSTEM;
	case FTS_D:
		if (e->fts_level > DEPTH_MAX) {
			tell("pale lint: '%s' is more than %d folders deep", e->fts_path,
			     DEPTH_MAX);
			return EXIT_SYSTEM;
		}
		if (!named && (e->fts_name[0] == '.' || holds_pieces(e->fts_path) ||
			       is_excluded(w, e->fts_path, false)))
			fts_set(fts, e, FTS_SKIP);
		return EXIT_OK;
	case FTS_F:
		if (e->fts_name[0] == '.' || (n && e->fts_name[n - 1] == '~') ||
		    !is_read(e->fts_path) || is_excluded(w, e->fts_path, false))
			return EXIT_OK;
		return add(w, e->fts_path, true);
	default: return EXIT_OK; /* links, devices, the way back */
	}
}

static int walk_folder(struct walk *w, char *path)
{
	size_t n = strlen(path);
	char *root = arena_strdup(w->session->arena, path);
	char *roots[] = { root, NULL };
	int status = EXIT_OK;
	FTSENT *e;

	while (n > 1 && root[n - 1] == '/') /* "dir/" is "dir" */
		root[--n] = '\0';
	FTS *fts = fts_open(roots, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, by_name);
	if (!fts) {
		tell("pale lint: cannot read '%s': %s", path, strerror(errno));
		return EXIT_SYSTEM;
	}
	while (!status && (errno = 0, e = fts_read(fts)) != NULL)
		status = visit(w, fts, e);
	fts_close(fts);
	return status;
}

static int find_path(struct walk *w, char *path)
{
	struct stat st;
	bool folder = strcmp(path, "-") != 0 && !stat(path, &st) && S_ISDIR(st.st_mode);

	if (is_excluded(w, path, folder))
		return EXIT_OK;
	return folder ? walk_folder(w, path) : add(w, path, false);
}

static int find_glob(struct walk *w, const char *pattern, bool *any)
{
	int status = EXIT_OK;
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		return EXIT_OK;
	*any = found.gl_pathc > 0;
	for (size_t i = 0; i < found.gl_pathc && !status; i++)
		status = find_path(w, found.gl_pathv[i]);
	globfree(&found);
	return status;
}

int lint_files_find(struct session *s, char **operands, struct lint_configs *configs,
		    lint_file_list *out)
{
	struct walk w = { .session = s, .configs = configs, .out = out };
	int status = EXIT_OK;

	for (; *operands && !status; operands++) {
		size_t before = out->n;
		bool any = false;
		struct stat st;

		if (strpbrk(*operands, "*?[") && lstat(*operands, &st) && errno == ENOENT)
			status = find_glob(&w, *operands, &any);
		if (!status && !any) /* a name as it is, also one that is none */
			status = find_path(&w, *operands);
		if (!status && out->n == before && !w.excluded) /* a folder, for nothing */
			status = add(&w, *operands, false);
	}
	return status;
}
