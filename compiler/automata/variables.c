/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The preamble of AppArmor's language as far as it declares variables (parser_lex.l, ASSIGN_MODE;
 * parser_yacc.y, varassign): one declaration a line, values between blanks, in quotes where
 * they hold some, to the end of the line. A '#' among them is a value, as the parser has it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/automata/variables.h"

struct reading {
	struct sources *sources;
	struct arena *arena;
	const char *const *dirs; /* NULL: nothing is included */
	struct glob_variables *out;
	VEC(const char *) files; /* each is read once */
	const char *failed;
};

static int read_file(struct reading *r, const char *path);

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* ---- declarations ---- */

static struct glob_variable *declare(struct arena *a, struct glob_variables *v, struct str name)
{
	vec_each(&v->list, one)
		if (str_eq(one->name, name))
			return one;
	vec_push(a, &v->list, ((struct glob_variable){ .name = name }));
	return &v->list.v[v->list.n - 1];
}

/* One value at *i; its text, without quotes. */
static struct str take_value(struct str line, size_t *i)
{
	size_t begin = *i;

	if (line.p[begin] == '"') {
		for (++*i; *i < line.n && line.p[*i] != '"'; ++*i)
			*i += line.p[*i] == '\\' && *i + 1 < line.n;
		size_t end = *i < line.n ? (*i)++ : line.n;
		return (struct str){ line.p + begin + 1, end - begin - 1 };
	}
	for (; *i < line.n && !is_blank(line.p[*i]); ++*i)
		*i += line.p[*i] == '\\' && *i + 1 < line.n;
	*i = *i < line.n ? *i : line.n;
	return (struct str){ line.p + begin, *i - begin };
}

/* The name of "@{X}" or "@X" at the line's begin, and *i behind it; n is 0: none stands there. */
static struct str take_name(struct str line, size_t *i)
{
	bool braces = line.n > 1 && line.p[1] == '{';
	size_t begin = braces ? 2 : 1, k = begin;

	while (k < line.n &&
	       (line.p[k] == '_' || (line.p[k] >= '0' && line.p[k] <= '9') ||
		(line.p[k] >= 'a' && line.p[k] <= 'z') || (line.p[k] >= 'A' && line.p[k] <= 'Z')))
		k++;
	struct str name = { line.p + begin, k - begin };
	if (braces && (k >= line.n || line.p[k++] != '}'))
		name.n = 0;
	*i = k;
	return name;
}

static void read_declaration(struct arena *a, struct glob_variables *v, struct str line)
{
	size_t i;
	struct str name = take_name(line, &i);

	while (i < line.n && is_blank(line.p[i]))
		i++;
	if (i < line.n && line.p[i] == '+')
		i++;
	if (!name.n || i >= line.n || line.p[i] != '=')
		return;
	struct glob_variable *one = declare(a, v, name);
	for (i++; i < line.n;) {
		bool joint = line.p[i] == '\\' && i + 1 < line.n && line.p[i + 1] == '\n';
		if (joint || is_blank(line.p[i])) {
			i += joint ? 2 : 1;
			continue;
		}
		struct str value = glob_unescape(a, take_value(line, &i));
		vec_push(a, &one->values, value);
	}
}

/* ---- includes ---- */

/* What editors and package managers leave behind (libapparmor's private.c). */
static bool is_left_over(const char *name)
{
	static const char *const ends[] = { "~",         ".dpkg-new",    ".dpkg-old", ".dpkg-dist",
					    ".dpkg-bak", ".dpkg-remove", ".rpmnew",   ".rpmsave",
					    ".pacnew",   ".pacsave",     ".orig",     ".rej",
					    "README" };
	size_t n = strlen(name);

	for (size_t k = 0; k < sizeof(ends) / sizeof(ends[0]); k++) {
		size_t length = strlen(ends[k]);
		if (n >= length && !strcmp(name + n - length, ends[k]))
			return true;
	}
	return name[0] == '.';
}

static int by_name(const void *x, const void *y)
{
	return strcmp(*(const char *const *)x, *(const char *const *)y);
}

static int read_directory(struct reading *r, const char *path)
{
	VEC(const char *) names = { 0 };
	DIR *d = opendir(path);
	int err = 0;

	if (!d)
		return -errno;
	for (struct dirent *e = readdir(d); e && names.n <= VARIABLES_FILES_MAX; e = readdir(d))
		if (!is_left_over(e->d_name))
			vec_push(r->arena, &names,
				 arena_printf(r->arena, "%s/%s", path, e->d_name));
	closedir(d);
	if (names.n)
		qsort(names.v, names.n, sizeof(*names.v), by_name);
	for (size_t i = 0; i < names.n && !err; i++) {
		struct stat st;
		if (!stat(names.v[i], &st) && S_ISREG(st.st_mode))
			err = read_file(r, names.v[i]);
	}
	return err;
}

/* The path behind "include" in a line, with '<' or '"' around it; n is 0: this is none. */
static struct str include_path(struct str line, char *mark)
{
	static const char *const words[] = { "#include", "include" };
	size_t i = 0;

	for (size_t k = 0; k < 2 && !i; k++)
		if (str_starts(line, words[k]))
			i = strlen(words[k]);
	const char *begin = i ? memchr(line.p + i, '<', line.n - i) : NULL;
	if (!begin && i)
		begin = memchr(line.p + i, '"', line.n - i);
	if (!begin)
		return (struct str){ "", 0 };
	*mark = *begin++;
	const char *end =
		memchr(begin, *mark == '<' ? '>' : '"', (size_t)(line.p + line.n - begin));
	return (struct str){ begin, end ? (size_t)(end - begin) : 0 };
}

/* The path under the first directory that has it, and what it is; NULL: none has. */
static const char *find(struct reading *r, const char *name, struct stat *st)
{
	for (const char *const *dir = r->dirs; *dir; dir++) {
		const char *path = arena_printf(r->arena, "%s/%s", *dir, name);
		if (!stat(path, st))
			return path;
	}
	return NULL;
}

/* What is not there declares nothing; the parser itself says so where it must be. */
static int read_include(struct reading *r, struct str name, char mark)
{
	const char *path = str_dup(r->arena, name);
	struct stat st;

	if (mark == '<' || path[0] != '/')
		path = find(r, path, &st);
	else if (stat(path, &st))
		path = NULL;
	if (!path)
		return 0;
	return S_ISDIR(st.st_mode) ? read_directory(r, path) : read_file(r, path);
}

/* ---- files ---- */

/* A line, with those that a backslash joins to it. */
static struct str take_line(struct str text, size_t *i)
{
	while (*i < text.n && is_blank(text.p[*i]))
		++*i;
	size_t begin = *i;
	bool comment = begin < text.n && text.p[begin] == '#';
	while (*i < text.n &&
	       (text.p[*i] != '\n' || (!comment && *i > begin && text.p[*i - 1] == '\\')))
		++*i;
	struct str line = { text.p + begin, *i - begin };
	*i += *i < text.n;
	return line;
}

static int read_text(struct reading *r, struct str text)
{
	int err = 0;

	for (size_t i = 0; i < text.n && !err;) {
		struct str line = take_line(text, &i);
		char mark;
		struct str path = include_path(line, &mark);
		if (path.n && r->dirs)
			err = read_include(r, path, mark);
		else if (line.n && line.p[0] == '@')
			read_declaration(r->arena, r->out, line);
	}
	return err;
}

static int read_file(struct reading *r, const char *path)
{
	struct source *src;

	vec_each(&r->files, one)
		if (!strcmp(*one, path))
			return 0;
	vec_push(r->arena, &r->files, path);
	int err = r->files.n > VARIABLES_FILES_MAX ? -E2BIG :
						     source_load_regular(r->sources, path, &src);
	if (!err)
		return read_text(r, src->text);
	if (!r->failed)
		r->failed = path;
	return err;
}

int variables_read(struct sources *sources, const char *const *dirs, struct glob_variables *out,
		   const char **failed)
{
	struct reading r = {
		.sources = sources, .arena = sources->arena, .dirs = dirs, .out = out
	};
	struct stat st;
	const char *path = find(&r, "tunables/global", &st);

	if (!path)
		return -ENOENT;
	int err = read_file(&r, path);
	*failed = r.failed;
	return err;
}

void variables_standard(struct arena *a, struct glob_variables *out)
{
	static const char text[] =
		"@{HOMEDIRS}=/home/\n"
		"@{HOME}=@{HOMEDIRS}/*/ /root/\n"
		"@{multiarch}=*-linux-gnu*\n"
		"@{PROC}=/proc/\n"
		"@{sys}=/sys/\n"
		"@{run}=/run/ /var/run/\n"
		"@{etc_ro}=/etc/ /usr/etc/\n"
		"@{etc_rw}=/etc/\n"
		/* Process numbers up to 4999999, user numbers up to 4999999999. */
		"@{pid}={[1-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]}}}}},[1-4][0-9][0-9][0-9][0-9][0-"
		"9][0-9]}\n"
		"@{tid}=@{pid}\n"
		"@{pids}=@{pid}\n"
		"@{uid}={[0-9],[1-9][0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]{,[0-9]}}}}}}},"
		"[1-4][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9][0-9]}\n"
		"@{uids}=@{uid}\n"
		"@{flatpak_exports_root}={flatpak/exports,flatpak/{app,runtime}/*/*/*/*/export}\n"
		"@{system_share_dirs}=/{usr,usr/local,var/lib/@{flatpak_exports_root}}/share\n"
		"@{user_share_dirs}=@{HOME}/.local{,/share/@{flatpak_exports_root}}/share\n"
		"@{XDG_DESKTOP_DIR}=Desktop\n"
		"@{XDG_DOWNLOAD_DIR}=Downloads\n"
		"@{XDG_TEMPLATES_DIR}=Templates\n"
		"@{XDG_PUBLICSHARE_DIR}=Public\n"
		"@{XDG_DOCUMENTS_DIR}=Documents\n"
		"@{XDG_MUSIC_DIR}=Music\n"
		"@{XDG_PICTURES_DIR}=Pictures\n"
		"@{XDG_VIDEOS_DIR}=Videos\n";
	struct reading r = { .arena = a, .out = out };

	read_text(&r, (struct str){ text, sizeof(text) - 1 });
}

void variables_add_name(struct arena *a, struct glob_variables *v, struct str profile)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < profile.n; i++) {
		if (profile.p[i] && strchr("{}[]*?", profile.p[i]))
			buf_putc(&b, '\\');
		buf_putc(&b, profile.p[i]);
	}
	struct glob_variable *one = declare(a, v, STR("profile_name"));
	one->values.n = 0;
	vec_push(a, &one->values, ((struct str){ arena_dup(a, b.p ? b.p : "", b.n), b.n }));
}
