/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AppArmor's variables for policies: what tunables/global and its includes declare, read as its
 * profiles are (grammar/apparmor_library.h). Statements that are wrong, or mean anything else, declare
 * nothing: the parser itself says so where it must be.
 */
#include <errno.h>
#include <string.h>

#include "compiler/policy/tunables.h"
#include "grammar/apparmor_library.h"

struct reading {
	struct arena *arena;
	struct aa_library *lib; /* NULL: nothing is included */
	struct glob_variables *out;
	struct aa_seen seen;
	size_t files;
	const char *failed;
};

/* ---- declarations ---- */

static struct glob_variable *declare(struct arena *a, struct glob_variables *v, struct str name)
{
	vec_each(&v->list, one)
		if (str_eq(one->name, name))
			return one;
	vec_push(a, &v->list, ((struct glob_variable){ .name = name }));
	return &v->list.v[v->list.n - 1];
}

static void read_declaration(struct reading *r, const struct aa_stmt *s)
{
	struct str name = { s->word.text.p + 1, s->word.text.n - 1 };

	if (name.n > 2 && name.p[0] == '{')
		name = (struct str){ name.p + 1, name.n - 2 };
	struct glob_variable *one = declare(r->arena, r->out, name);
	if (s->op == AA_OP_DEFAULT && one->values.n)
		return;
	if (s->op == AA_OP_SET)
		one->values.n = 0;
	for (const struct aa_word *w = s->values; w; w = w->next) {
		struct str value = glob_unescape(r->arena, w->text);
		vec_push(r->arena, &one->values, value);
	}
}

/* ---- files ---- */

static int read_stmts(struct reading *r, const struct aa_stmt *list);

/* 0, or -errno; what the parser would not open, or find no text in, declares nothing. */
static int read_file(struct reading *r, struct aa_entry *e)
{
	struct diags *ds = diags_new(r->arena, r->lib->sources);
	int err = e->err;

	if (++r->files > VARIABLES_FILES_MAX)
		err = -E2BIG;
	if (err && !r->failed)
		r->failed = e->path;
	if (err)
		return err;
	return read_stmts(r, aa_library_parse(r->lib, e, ds)->stmts);
}

/* From its last file on, as the parser reads a directory. */
static int read_directory(struct reading *r, const struct aa_entry *dir)
{
	int err = 0;

	for (size_t i = dir->paths.n; i-- && !err;) {
		struct aa_entry *e;
		if (aa_seen_find(&r->seen, dir->paths.v[i]))
			continue;
		aa_seen_add(r->arena, &r->seen, dir->paths.v[i]);
		e = aa_library_entry(r->lib, dir->paths.v[i]);
		err = e ? read_file(r, e) : -E2BIG;
	}
	return err;
}

static int read_name(struct reading *r, struct str name, bool magic)
{
	struct aa_found found = aa_library_find(r->lib, name, magic, &r->seen);

	if (!found.entry)
		return found.full ? -E2BIG : 0;
	return found.entry->kind == AA_ENTRY_DIRECTORY ? read_directory(r, found.entry) :
							 read_file(r, found.entry);
}

static int read_stmts(struct reading *r, const struct aa_stmt *list)
{
	int err = 0;

	for (const struct aa_stmt *s = list; s && !err; s = s->next)
		if (s->kind == AA_STMT_VAR)
			read_declaration(r, s);
		else if (s->kind == AA_STMT_INCLUDE && r->lib)
			err = read_name(
				r, glob_unescape(r->arena, aa_include_name(s->word.text, s->magic)),
				s->magic);
	return err;
}

int variables_read(struct sources *sources, const char *const *dirs, struct glob_variables *out,
		   const char **failed)
{
	struct reading r = { .arena = sources->arena, .out = out };
	VEC(const char *) front = { 0 };

	*failed = NULL;
	if (!*dirs)
		return -ENOENT;
	for (; dirs[1]; dirs++)
		vec_push(r.arena, &front, *dirs);
	vec_push(r.arena, &front, NULL);
	r.lib = aa_library_new(r.arena, sources, front.v, *dirs);
	struct aa_found found = aa_library_find(r.lib, STR("tunables/global"), true, &r.seen);
	if (!found.entry)
		return -ENOENT;
	int err = found.entry->kind == AA_ENTRY_DIRECTORY ? -EISDIR : read_file(&r, found.entry);
	*failed = r.failed ? r.failed : found.entry->path;
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
	struct sources *ss = sources_new(a);
	struct source *src = source_add(ss, "tunables", (struct str){ text, sizeof(text) - 1 });

	read_stmts(&r, aa_parse_source(a, src, diags_new(a, ss))->stmts);
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
