/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/executable.h"
#include "learn/links.h"
#include "learn/listing.h"
#include "learn/model_calls.h"
#include "learn/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/table.h"
#include "compiler/policy/policy.h"
#include "learn/shape.h"

#define X32_GETPID   (0x40000000 + 39)
#define SCRIPTS_DEEP 6 /* BINPRM_MAX_RECURSION and the program itself */

/* Names that are files or directories, which shows only when everything is known. */
struct moved {
	struct str path; /* without a slash at its end */
	struct access how;
	uint32_t class
		; /* of those that were renamed into one another: the index of another, or its own */
	unsigned kinds;  /* the class's, in its first: as seen while it was used */
	unsigned guess;  /* likewise: as it looks at the end */
	unsigned owners; /* likewise: of the names of whose owner something is known */
};

enum { KIND_FILE = 1, KIND_DIR = 2 };
enum { OWNED = 1, NOT_OWNED = 2 };
enum { LOST_END = 480 }; /* bytes that are kept of a name too long to be had */

struct linked {
	model_ref from, to;
};

struct model {
	struct arena *arena;
	struct recording *r;
	size_t max_paths;
	struct model_calls calls;
	struct table files, names, lost; /* of paths */
	struct links *symlinks;          /* NULL: names are looked up as they are used */
	VEC(struct moved) moved;
	VEC(struct linked) links;
	const struct view *view; /* where names are looked up; NULL: where pale is */
};

struct model *model_new(struct arena *a, struct recording *r, size_t max_paths)
{
	struct model *m = ARENA_NEW(a, struct model);

	m->arena = a;
	m->r = r;
	m->max_paths = max_paths;
	return m;
}

struct recording *model_recording(struct model *m)
{
	return m->r;
}

struct arena *model_arena(struct model *m)
{
	return m->arena;
}

struct model_calls *model_calls(struct model *m)
{
	return &m->calls;
}

/* ---- files ---- */

static struct str path_at(const struct model *m, const struct table *t, size_t at)
{
	return t == &m->files ? m->r->files.v[at].path : m->moved.v[at].path;
}

/* Its position from 1; 0: it is not there. */
static uint32_t find_path(const struct model *m, const struct table *t, struct str path)
{
	struct table_walk w = table_start(hash_str(path));
	size_t at;

	while ((at = table_next(t, &w)) != TABLE_END)
		if (str_eq(path_at(m, t, at), path))
			return (uint32_t)at + 1;
	return 0;
}

static void add_access(struct access *to, const struct access *how)
{
	to->perms |= how->perms;
	to->owned &= how->owned || how->owner_unknown;
	to->owner_unknown &= how->owner_unknown;
	to->elsewhere |= how->elsewhere;
	if (how->peers)
		to->ours = how->ours && (to->ours || !to->peers);
	to->peers |= how->peers;
	to->socket |= how->socket;
	to->held &= how->held;
	to->count += how->count;
	if (how->first_ns < to->first_ns)
		to->first_ns = how->first_ns;
}

/*
 * Does the last number of the last name say which process wrote or made it, or that of the shell that
 * started it? Small ones do by chance.
 */
static bool is_numbered(struct str path, const struct access *how)
{
	struct str name = path;
	size_t at, n;
	uint64_t pid;

	if (!(how->perms & (PERM_W | PERM_A | PERM_L)))
		return false;
	while (name.n > 1 && name.p[name.n - 1] == '/')
		name.n--;
	for (at = name.n; at && name.p[at - 1] != '/';)
		at--;
	name = (struct str){ name.p + at, name.n - at };
	return shape_number(name, &at, &n) && !str_u64((struct str){ name.p + at, n }, &pid) &&
	       pid >= 100 && (pid == how->pid || pid == how->parent);
}

model_ref model_file(struct model *m, struct str path, const struct access *how)
{
	struct recorded_file fresh = { .owned = true, .held = true, .first_ns = UINT64_MAX };
	uint32_t ref = find_path(m, &m->files, path);
	struct recorded_file *f;

	if (!ref) {
		if (m->r->files.n >= m->max_paths) {
			m->r->run.losses.paths_full++;
			return 0;
		}
		fresh.path = (struct str){ str_dup(m->arena, path), path.n };
		vec_push(m->arena, &m->r->files, fresh);
		ref = (uint32_t)m->r->files.n;
		table_add(m->arena, &m->files, hash_str(path), ref - 1);
	}
	f = &m->r->files.v[ref - 1];
	f->perms |= how->perms;
	f->owned &= how->owned || how->owner_unknown;
	f->owner_told |= !how->owner_unknown;
	f->elsewhere |= how->elsewhere;
	if (how->peers)
		f->ours = how->ours && (f->ours || !f->peers);
	f->peers |= how->peers;
	f->socket |= how->socket;
	f->ran |= how->perms & PERM_X && !how->tried;
	f->held &= how->held;
	f->numbered |= is_numbered(path, how);
	f->count = count_add(f->count, how->count);
	if (how->first_ns < f->first_ns)
		f->first_ns = how->first_ns;
	return ref;
}

/* ---- names of what is a file or a directory ---- */

static uint32_t class_of(struct model *m, uint32_t i)
{
	while (m->moved.v[i].class != i) {
		m->moved.v[i].class = m->moved.v[m->moved.v[i].class].class;
		i = m->moved.v[i].class;
	}
	return i;
}

static model_ref add_moved(struct model *m, struct str path, unsigned kinds,
			   const struct access *how)
{
	uint32_t ref = find_path(m, &m->names, path);
	struct moved fresh = { .how = { .owned = true,
					.owner_unknown = true,
					.held = true,
					.first_ns = UINT64_MAX } };

	if (!ref) {
		if (m->moved.n >= m->max_paths) {
			m->r->run.losses.paths_full++;
			return 0;
		}
		fresh.path = (struct str){ str_dup(m->arena, path), path.n };
		fresh.class = (uint32_t)m->moved.n;
		vec_push(m->arena, &m->moved, fresh);
		ref = (uint32_t)m->moved.n;
		table_add(m->arena, &m->names, hash_str(path), ref - 1);
	}
	add_access(&m->moved.v[ref - 1].how, how);
	if (is_numbered(path, how)) {
		m->moved.v[ref - 1].how.pid = how->pid;
		m->moved.v[ref - 1].how.parent = how->parent;
	}
	m->moved.v[class_of(m, ref - 1)].kinds |= kinds;
	return ref;
}

void model_renamed(struct model *m, model_ref from, model_ref to)
{
	uint32_t a, b;

	if (!from || !to)
		return; /* one was lost, and counted */
	a = class_of(m, (uint32_t)from - 1);
	b = class_of(m, (uint32_t)to - 1);
	m->moved.v[b].class = a;
	m->moved.v[a].kinds |= m->moved.v[b].kinds;
}

void model_linked(struct model *m, model_ref from, model_ref to)
{
	struct linked pair = { from, to };

	if (from && to)
		vec_push(m->arena, &m->links, pair);
}

static unsigned look_up_kind(struct model *m, const char *path)
{
	struct stat st;

	if (!lstat(path, &st))
		return S_ISDIR(st.st_mode) ? KIND_DIR : KIND_FILE;
	m->r->run.losses.unread += errno != ENOENT && errno != ENOTDIR;
	return 0;
}

/* As the kernel names directories; what is moved has a path shorter than PATH_MAX. */
static struct str as_directory(struct str path, char out[PATH_MAX + 1])
{
	BUG_ON(path.n >= PATH_MAX);
	memcpy(out, path.p, path.n);
	if (path.n > 1)
		out[path.n++] = '/';
	out[path.n] = 0;
	return (struct str){ out, path.n };
}

/* What else is known of a name: it was opened, made or removed as the one or the other; or it
 * is still there. */
static unsigned find_kinds(struct model *m, const struct moved *name)
{
	char dir[PATH_MAX + 1];
	unsigned kinds = 0;

	if (find_path(m, &m->files, name->path))
		kinds |= KIND_FILE;
	if (find_path(m, &m->files, as_directory(name->path, dir)))
		kinds |= KIND_DIR;
	/* Paths here end in a NUL byte. */
	return kinds || name->how.elsewhere ? kinds : look_up_kind(m, name->path.p);
}

static void add_moved_file(struct model *m, const struct moved *name, unsigned kinds)
{
	char dir[PATH_MAX + 1];

	if (kinds & KIND_FILE)
		model_file(m, name->path, &name->how);
	if (kinds & KIND_DIR)
		model_file(m, as_directory(name->path, dir), &name->how);
}

/* The file that has this name, as the one or the other; 0: none. */
static uint32_t find_moved(const struct model *m, const struct moved *name)
{
	char dir[PATH_MAX + 1];
	uint32_t ref = find_path(m, &m->files, name->path);

	return ref ? ref : find_path(m, &m->files, as_directory(name->path, dir));
}

/* What was renamed has one owner by all its names; where none tells who, it is nobody that is known. */
static void settle_owners(struct model *m)
{
	for (uint32_t i = 0; i < m->moved.n; i++) {
		struct moved *first = &m->moved.v[class_of(m, i)];
		uint32_t ref = find_moved(m, &m->moved.v[i]);

		if (ref && m->r->files.v[ref - 1].owner_told)
			first->owners |= m->r->files.v[ref - 1].owned ? OWNED : NOT_OWNED;
	}
	for (uint32_t i = 0; i < m->moved.n; i++) {
		uint32_t ref = find_moved(m, &m->moved.v[i]);

		if (ref && !m->r->files.v[ref - 1].owner_told)
			m->r->files.v[ref - 1].owner_told =
				m->moved.v[class_of(m, i)].owners == OWNED;
	}
	vec_each(&m->r->files, f)
		f->owned &= f->owner_told;
}

/* All kinds are found before any name becomes a file, and so would be evidence for another. */
static void settle_moved(struct model *m)
{
	for (uint32_t i = 0; i < m->moved.n; i++) {
		uint32_t first = class_of(m, i);

		if (!m->moved.v[first].kinds)
			m->moved.v[first].guess |= find_kinds(m, &m->moved.v[i]);
	}
	for (uint32_t i = 0; i < m->moved.n; i++) {
		const struct moved *first = &m->moved.v[class_of(m, i)];
		unsigned kinds = first->kinds ? first->kinds : first->guess;

		/* Not to be known: as either. */
		add_moved_file(m, &m->moved.v[i], kinds ? kinds : KIND_FILE | KIND_DIR);
	}
	settle_owners(m);
}

/* AppArmor lets a name be made only where it allows no more than the file's old name does. */
static void settle_links(struct model *m)
{
	bool changed = true;

	while (changed) {
		changed = false;
		vec_each(&m->links, l) {
			struct recorded_file *from = &m->r->files.v[l->from - 1];
			unsigned more = m->r->files.v[l->to - 1].perms & ~(unsigned)PERM_L;

			changed |= (from->perms & more) != more;
			from->perms |= more;
		}
	}
}

/* ---- names to paths ---- */

/* rest behind out, as it stands; false: a ".." or too long a name in it, which only the kernel
 * could have resolved. */
static bool append_rest(char out[PATH_MAX], const char *rest)
{
	size_t n = strlen(out);

	while (*rest) {
		size_t len;

		while (*rest == '/')
			rest++;
		len = strcspn(rest, "/");
		if ((len == 2 && !memcmp(rest, "..", 2)) || n + len + 2 > PATH_MAX)
			return false;
		if (len && !(len == 1 && *rest == '.')) {
			if (out[n - 1] != '/')
				out[n++] = '/';
			memcpy(out + n, rest, len);
			n += len;
			out[n] = 0;
		}
		rest += len;
	}
	return true;
}

/* The part of `path` that exists, resolved, and the rest behind it. */
static bool resolve_parent(const char *path, char out[PATH_MAX])
{
	char head[PATH_MAX], *cut;

	if (strlen(path) >= sizeof(head))
		return false;
	strcpy(head, path);
	for (;;) {
		cut = strrchr(head, '/');
		if (!cut)
			return false;
		if (cut == head) {
			strcpy(out, "/");
			break;
		}
		*cut = 0;
		if (realpath(head, out))
			break;
		if (errno != ENOENT && errno != ENOTDIR)
			return false; /* it may be there, and lead elsewhere */
	}
	return append_rest(out, path + (cut - head));
}

static bool resolve(const char *full, unsigned flags, char out[PATH_MAX])
{
	char bare[PATH_MAX];
	size_t n = strlen(full);

	/* Its links are not ours: with ours it would come out as a file that was never touched. */
	if (flags & TRACE_ELSEWHERE)
		return append_rest(strcpy(out, "/"), full);
	if (flags & TRACE_FOLLOW && realpath(full, out))
		return true;
	if (flags & TRACE_FOLLOW && errno != ENOENT && errno != ENOTDIR)
		return false;
	if (n >= sizeof(bare))
		return false;
	memcpy(bare, full, n + 1);
	while (n > 1 && bare[n - 1] == '/')
		bare[--n] = 0;
	if ((n > 1 && !strcmp(bare + n - 2, "/.")) || (n > 2 && !strcmp(bare + n - 3, "/..")))
		return realpath(bare, out);
	return resolve_parent(bare, out);
}

void model_began(struct model *m, uint64_t epoch_ns)
{
	m->symlinks = links_new(m->arena, epoch_ns);
}

/* An absolute name; false: a longer one than any. */
static bool full_name(const char *base, const char *text, char out[2 * PATH_MAX])
{
	if (!strcmp(base, "/"))
		base = "";
	return snprintf(out, 2 * PATH_MAX, "%s%s%s", base, *text == '/' ? "" : "/", text) <
	       2 * PATH_MAX;
}

void model_view(struct model *m, const struct view *v)
{
	m->view = v;
}

bool model_enter(const struct model *m)
{
	return view_enter(m->view);
}

void model_leave(const struct model *m)
{
	view_leave(m->view);
}

void model_changed(struct model *m, const char *base, const char *text, unsigned flags,
		   const struct access *how)
{
	char full[2 * PATH_MAX], out[PATH_MAX + 1];

	/* What is followed, or only given to somebody, leads where it led. */
	if (!(how->perms & (PERM_W | PERM_L)) || flags & (TRACE_FOLLOW | TRACE_GIVEN) ||
	    (flags & TRACE_ELSEWHERE && !(flags & TRACE_ROOTED)) || !full_name(base, text, full) ||
	    !resolve(full, flags, out))
		return;
	links_changed(m->symlinks, str_c(out),
		      flags & TRACE_DIR     ? LINK_DIR :
		      flags & TRACE_SYMLINK ? LINK_MADE :
		      flags & TRACE_MOVED   ? LINK_RENAMED :
					      LINK_NO_DIR,
		      how->count, how->first_ns);
}

void model_lost(struct model *m, struct str name, enum lost_why why, const struct access *how)
{
	struct recorded_lost fresh = { .why = why, .perms = how->perms, .first_ns = UINT64_MAX };
	struct table_walk w;
	struct recorded_lost *l;
	size_t most = why == LOST_LONG ? LOST_END : PATH_MAX, at;

	if (name.n > most)
		name = (struct str){ name.p + name.n - most, most };
	w = table_start(hash_str(name));
	while ((at = table_next(&m->lost, &w)) != TABLE_END) {
		l = &m->r->lost.v[at];
		if (str_eq(l->name, name) && l->why == why && l->perms == how->perms)
			break;
	}
	if (at == TABLE_END) {
		if (!name.n || m->r->lost.n >= m->max_paths)
			return;
		fresh.name = (struct str){ str_dup(m->arena, name), name.n };
		at = m->r->lost.n;
		vec_push(m->arena, &m->r->lost, fresh);
		table_add(m->arena, &m->lost, hash_str(name), at);
	}
	l = &m->r->lost.v[at];
	l->count = count_add(l->count, how->count);
	if (how->first_ns < l->first_ns)
		l->first_ns = how->first_ns;
}

bool model_path(const char *base, const char *text, unsigned flags, char out[])
{
	char full[2 * PATH_MAX];

	/* By now "self" is us. */
	return full_name(base, text, full) && strlen(full) < PATH_MAX &&
	       strncmp(full, "/proc/self/", 11) && strncmp(full, "/proc/thread-self/", 18) &&
	       strncmp(full, "/dev/fd/", 8) && resolve(full, flags, out);
}

bool model_leads_as_then(const struct model *m, const char *base, const char *text, unsigned flags,
			 uint64_t first_ns)
{
	char full[2 * PATH_MAX];

	return !m->symlinks || flags & TRACE_ELSEWHERE || !full_name(base, text, full) ||
	       links_are_as_then(m->symlinks, full, flags & TRACE_FOLLOW, first_ns);
}

enum tried { TRIED_NONE, TRIED_PROGRAM, TRIED_UNKNOWN };

/* Below another root, which is `base`. */
static bool find_below(const char *base, const char *text, unsigned flags, struct stat *st,
		       char path[PATH_MAX + 1])
{
	char link[32];
	bool found;
	int fd;

	if (!(flags & TRACE_ROOTED) || *text != '/' || access(base, F_OK)) {
		errno = ENOSYS;
		return false;
	}
	fd = proc_find(base, text, RESOLVE_IN_ROOT, flags & TRACE_FOLLOW);
	snprintf(link, sizeof(link), "fd/%d", fd);
	if (fd < 0)
		return false;
	found = !fstat(fd, st) && proc_link(getpid(), link, path);
	close(fd);
	return found;
}

/*
 * Of a name by which nothing was executed: was it a program's then? A search of PATH tries many that are none, which
 * nobody has made since.
 */
static enum tried was_program(const struct model *m, const char *base, const char *text,
			      unsigned flags, uint64_t first_ns, char path[PATH_MAX + 1])
{
	bool is_below = flags & TRACE_ELSEWHERE, found;
	char full[2 * PATH_MAX];
	struct stat st;

	if (!full_name(base, text, full) || strlen(full) >= PATH_MAX)
		return TRIED_UNKNOWN;
	if (is_below)
		found = find_below(base, text, flags, &st, path);
	else if (!model_path(base, text, flags, path))
		return TRIED_UNKNOWN;
	else
		found = !lstat(path, &st);
	if (!found && is_below && errno != ENOTDIR && errno != ENOENT)
		return TRIED_UNKNOWN;
	if (!found || !executable_may_run(&st))
		return m->symlinks && links_changed_since(m->symlinks,
							  str_c(is_below && !found ? full : path),
							  first_ns) ?
			       TRIED_UNKNOWN :
			       TRIED_NONE;
	if (m->symlinks && !links_is_as_old(m->symlinks, &st, first_ns))
		return TRIED_UNKNOWN;
	if (!(flags & TRACE_IF_REFUSED))
		return TRIED_PROGRAM;
	return executable_is_refused(path, is_below ? base : "") ? TRIED_PROGRAM : TRIED_NONE;
}

/* As it reads: without '.', and '..' with what stands in front of it. */
static void shorten(char *name)
{
	char *to = name;

	for (const char *at = name; *at;) {
		size_t skip = strspn(at, "/"), n = strcspn(at + skip, "/");
		const char *part = at + skip;

		at = part + n;
		if (n == 2 && !memcmp(part, "..", 2))
			while (to > name && *--to != '/')
				;
		else if (n && !(n == 1 && *part == '.')) {
			*to++ = '/';
			memmove(to, part, n);
			to += n;
		}
	}
	*to = 0;
}

static model_ref join_tried(struct model *m, const char *base, const char *text, unsigned flags,
			    const struct access *how)
{
	char full[2 * PATH_MAX], path[PATH_MAX + 1];

	switch (was_program(m, base, text, flags, how->first_ns, path)) {
	case TRIED_NONE: return 0;
	case TRIED_PROGRAM: return model_file(m, str_c(path), how);
	case TRIED_UNKNOWN: break;
	}
	full_name(base, text, full);
	shorten(full);
	model_lost(m, str_c(full), LOST_EXEC, how);
	return 0;
}

model_ref model_join(struct model *m, const char *base, const char *text, unsigned flags,
		     const struct access *how)
{
	char full[2 * PATH_MAX], out[PATH_MAX + 1];
	struct access moved = *how;
	unsigned kinds = 0;
	size_t n;

	if (flags & TRACE_IF_THERE)
		return join_tried(m, base, text, flags, how);
	if (!full_name(base, text, full) || strlen(full) >= PATH_MAX) {
		m->r->run.losses.paths_truncated++;
		model_lost(m, str_c(full), LOST_LONG, how);
		return 0;
	}
	if (!model_path(base, text, flags, out)) {
		m->r->run.losses.paths_unresolved++;
		return 0;
	}
	if (!model_leads_as_then(m, base, text, flags, how->first_ns)) {
		m->r->run.losses.paths_relinked++;
		model_lost(m, str_c(full), LOST_LINK, how);
		return 0;
	}
	n = strlen(out);
	if (flags & TRACE_ELSEWHERE)
		m->r->run.elsewhere += how->count;
	if (flags & TRACE_MOVED && !(flags & TRACE_DIR)) {
		moved.elsewhere = flags & TRACE_ELSEWHERE;
		if (flags & TRACE_NOW && !moved.elsewhere)
			kinds = look_up_kind(m, out);
		return add_moved(m, (struct str){ out, n }, kinds, &moved);
	}
	if (flags & TRACE_DIR)
		if (out[n - 1] != '/')
			out[n++] = '/';
	return model_file(m, (struct str){ out, n }, how);
}

/* ---- what the kernel opened on behalf of an exec ---- */

/* A program that is gone is said; one that is there and cannot be read is lost. */
static int interpreter_of(struct model *m, const char *path, char real[PATH_MAX], unsigned *perms)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char interp[PATH_MAX];
	int found = fd < 0 ? -1 : executable_interpreter(fd, interp, perms);

	if (found > 0 && !realpath(interp, real))
		found = -1;
	if (found < 0 && (errno == ENOENT || errno == ENOTDIR))
		m->r->run.unread++;
	else if (found < 0)
		m->r->run.losses.unread++;
	if (fd >= 0)
		close(fd);
	return found;
}

static void add_interpreters(struct model *m, size_t file)
{
	char path[PATH_MAX], real[PATH_MAX];
	struct access how = { .owned = false,
			      .held = m->r->files.v[file].held,
			      .count = m->r->files.v[file].count,
			      .first_ns = m->r->files.v[file].first_ns };

	if (m->r->files.v[file].path.n >= sizeof(path)) {
		m->r->run.losses.unread++;
		return;
	}
	memcpy(path, m->r->files.v[file].path.p, m->r->files.v[file].path.n + 1);
	for (int deep = 0; deep < SCRIPTS_DEEP; deep++) {
		if (interpreter_of(m, path, real, &how.perms) <= 0)
			return;
		model_file(m, str_c(real), &how);
		strcpy(path, real);
	}
}

static void find_libc(struct model *m)
{
	m->r->run.libc = "none loaded (static)";
	vec_each(&m->r->files, f) {
		const char *base = memrchr(f->path.p, '/', f->path.n);

		if (!base || !(f->perms & PERM_M))
			continue;
		if (!strncmp(base, "/libc.so.6", 10) || !strncmp(base, "/libc-2.", 8)) {
			m->r->run.libc = executable_glibc(m->arena, f->path.p);
			return;
		}
		if (!strncmp(base, "/ld-musl-", 9) || !strncmp(base, "/libc.musl-", 11))
			m->r->run.libc = "musl";
	}
}

static void add_power(struct model *m, const struct recorded_file *f, unsigned cap)
{
	const struct syscall_info *s = syscall_by_name(STR("execve"));
	struct recorded_capability fresh = { .cap = cap,
					     .arch = m->r->run.host,
					     .nr = (uint32_t)s->nr[m->r->run.host],
					     .count = f->count,
					     .first_ns = f->first_ns };

	if (cap == CAP_SYS_ADMIN) /* in execve that one is asked for where memory is counted */
		fresh.nr = RECORDING_NO_CALL;
	vec_each(&m->r->caps, c) {
		if (c->cap != cap || c->arch != fresh.arch || c->nr != fresh.nr)
			continue;
		c->count = count_add(c->count, f->count);
		c->first_ns = f->first_ns < c->first_ns ? f->first_ns : c->first_ns;
		return;
	}
	vec_push(m->arena, &m->r->caps, fresh);
}

/*
 * Who executes a file with capabilities that are to be in force at once needs all of them in its bounding set, whether
 * or not it uses any, or the exec fails (security/commoncap.c, bprm_caps_from_vfs_caps()). Nobody is asked.
 */
static void take_powers(struct model *m, struct recorded_file *f)
{
	uint64_t at_once;

	f->powers = executable_powers(f->path.p, &at_once);
	if (!m->r->run.caps_observed)
		return;
	for (unsigned cap = 0; cap < CAPABILITY_NR; cap++)
		if (at_once >> cap & 1)
			add_power(m, f, cap);
}

/* What a proposal asks of the machine: it may be made elsewhere, and later. */
static void look_at_files(struct model *m)
{
	vec_each(&m->r->files, f) {
		struct stat st;

		/* Paths here end in a NUL byte; those of elsewhere lead to other files from here. */
		if (f->elsewhere || !(f->perms & (PERM_W | PERM_X)))
			continue;
		if (stat(f->path.p, &st))
			f->gone = f->perms & PERM_W;
		else
			f->setid = f->perms & PERM_X && st.st_mode & (S_ISUID | S_ISGID);
		if (!f->gone && f->perms & PERM_X)
			take_powers(m, f);
	}
}

void model_finish_apart(struct model *m)
{
	settle_moved(m);
	vec_each(&m->r->files, f)
		m->r->run.unread += f->ran;
	settle_links(m);
	recording_sort(m->r);
}

/* In a child: where a filter kills for it, that one alone. Most kernels answer ENOSYS to all of them. */
static bool machine_has_x32(void)
{
	int status = 1;
	pid_t pid = fork();

	if (!pid)
		_exit(syscall((long)X32_GETPID) < 0);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return !status;
}

/* Somebody has tried the numbers of an ABI that is not there: no rule allows what no kernel does. */
static void drop_x32(struct model *m)
{
	size_t n = 0;
	bool any = false;

	vec_each(&m->r->calls, c)
		any |= c->arch == ARCH_X32;
	if (!any || machine_has_x32())
		return;
	vec_each(&m->r->calls, c) {
		if (c->arch == ARCH_X32)
			m->r->run.foreign_numbers += c->count;
		else
			m->r->calls.v[n++] = *c;
	}
	m->r->calls.n = n;
	n = 0;
	vec_each(&m->r->serve_calls, c)
		if (c->arch != ARCH_X32)
			m->r->serve_calls.v[n++] = *c;
	m->r->serve_calls.n = n;
}

/*
 * What was looked at for the sake of the libc, and of what was written, is no observation of files:
 * what was executed stays, as it says whose calls they are.
 */
static void drop_files(struct model *m)
{
	struct recorded_run *run = &m->r->run;
	size_t n = 0;

	run->files_written = recording_wrote_files(m->r);
	vec_each(&m->r->files, f)
		if (f->perms & PERM_X)
			m->r->files.v[n++] = *f;
	m->r->files.n = n;
	m->r->listings.n = m->r->lost.n = m->r->rules.n = m->r->signals.n = 0;
	run->disconnected = run->namespace_files = run->unseen_exec = run->core_dumps = 0;
	run->elsewhere = run->unkept = run->looks_below = 0;
	run->looks_observed = false;
	run->losses.paths_full = run->losses.paths_truncated = 0;
	run->losses.paths_unresolved = run->losses.paths_relinked = 0;
}

static void finish_here(struct model *m)
{
	size_t n;

	settle_moved(m);
	n = m->r->files.n;
	for (size_t i = 0; i < n; i++)
		if (m->r->files.v[i].ran && m->r->files.v[i].elsewhere)
			m->r->run.unread++;
		else if (m->r->files.v[i].ran)
			add_interpreters(m, i);
	settle_links(m);
	look_at_files(m);
	find_libc(m);
	recording_sort(m->r);
	listing_take(m->arena, m->r);
	model_leave(m);
}

void model_finish(struct model *m)
{
	drop_x32(m);
	if (model_enter(m)) {
		finish_here(m);
	} else {
		m->r->run.libc = "not known";
		model_finish_apart(m);
	}
	if (m->r->run.no_files)
		drop_files(m);
}
