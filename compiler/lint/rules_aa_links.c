/* SPDX-License-Identifier: Apache-2.0 */
/* AP2: paths that the kernel never asks about, and rules for a directory that are meant for what lies in it. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_probe.h"
#include "compiler/lint/aa_risk.h"

static bool is_own_file(const struct aa_opened *f)
{
	return f->rule && f->rule->use && f->rule->class == AA_CLASS_FILE && !f->alias &&
	       aa_is_own(f->rule->use) && !f->rule->file.all && f->mode != AA_MODE_PROMPT;
}

/* The access that the rule is for, of another path, where it is answered otherwise; NULL. */
static const char *missed(struct lint *l, const struct aa_opened *f, struct str path)
{
	enum file_who half = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER;
	unsigned perm = aa_probe_perm(aa_opened_bits(f, half));
	struct aa_verdict v;

	if (!perm || !path.p || aa_path_fault(path))
		return NULL;
	v = aa_asks_path(l, path, perm, half);
	if (f->mode == AA_MODE_DENY ? !aa_allows(&v) : !aa_refuses(&v))
		return NULL;
	return aa_path_access(l, path, perm, f->owner == AA_OWNER_ANY ? FILE_WHO_NR : half);
}

/* ---- paths that are not asked about ---- */

/* "/a/../b/./c" is "/b/c": what the text of a pattern without braces was meant to be. */
static struct str without_dots(struct lint *l, struct str t)
{
	BUF_AUTO b = { 0 };

	for (size_t i = 0; i < t.n;) {
		const char *slash = memchr(t.p + i + 1, '/', t.n - i - 1);
		size_t end = slash ? (size_t)(slash - t.p) : t.n;
		struct str part = { t.p + i, end - i }; /* with its '/' */

		if (str_is(part, "/..")) {
			while (b.n && b.p[--b.n] != '/')
				;
		} else if (!str_is(part, "/.")) {
			buf_add(&b, part.p, part.n);
		}
		i = end;
	}
	return str_c(buf_keep(l->arena, &b));
}

/* A path that the rule was meant for; p NULL: it is asked about as it stands, or nobody knows. */
static struct str meant_without_dots(struct lint *l, const struct aa_opened *f)
{
	struct str t = f->path->text;
	const struct glob *g;

	if (memchr(t.p, '{', t.n) || memchr(t.p, '[', t.n) || memchr(t.p, '\\', t.n) ||
	    aa_probe_path(l->arena, f->path).p)
		return (struct str){ NULL, 0 };
	t = without_dots(l, t);
	g = t.n ? glob_parse(l->arena, t, GLOB_PATH, NULL, NULL) : NULL;
	return g ? aa_probe_path(l->arena, g) : (struct str){ NULL, 0 };
}

/* Links of /proc itself, on every kernel (proc(5)): what the kernel asks about stands behind. */
static const struct proc_link {
	const char *link, *process;
} proc_links[] = {
	{ "/proc/self/", "/proc/1/" },
	{ "/proc/thread-self/", "/proc/1/task/1/" },
	{ "/proc/net/", "/proc/1/net/" },
	{ "/proc/mounts", "/proc/1/mounts" },
};

/* Below a process these lead on to what it has open, runs or sees. */
static bool leads_on(struct str rest)
{
	static const char *const links[] = { "fd/", "exe", "cwd", "root", "map_files/", "ns/" };

	for (size_t i = 0; i < ARRAY_SIZE(links); i++)
		if (str_starts(rest, links[i]))
			return true;
	return false;
}

static struct str meant_of_link(struct lint *l, const struct aa_opened *f, const char **link)
{
	struct str path = { NULL, 0 };

	for (size_t i = 0; i < ARRAY_SIZE(proc_links); i++) {
		const struct proc_link *k = &proc_links[i];
		size_t n = strlen(k->link);
		bool whole = k->link[n - 1] != '/';

		if (!str_starts(f->path->prefix, k->link) || (whole && f->path->prefix.n > n))
			continue;
		path = aa_probe_path(l->arena, f->path);
		if (!path.p || leads_on((struct str){ path.p + n, path.n - n }))
			return (struct str){ NULL, 0 };
		*link = k->link;
		return str_c(arena_printf(l->arena, "%s" PRISTR, k->process,
					  STRARG(((struct str){ path.p + n, path.n - n }))));
	}
	return path;
}

/* "self" of the text is any process. */
static void fix_self(struct lint *l, struct diag *d, const struct aa_opened *f)
{
	const struct aa_word *w = f->rule->file.path.word;
	const char *at = w && !w->quoted ? memmem(w->text.p, w->text.n, "/self/", 6) : NULL;
	struct str raw;

	if (!at)
		return;
	raw = (struct str){ source_of(l->ds->sources, w->span)->text.p + w->span.begin,
			    w->span.end - w->span.begin };
	if (!str_eq(raw, w->text))
		return;
	uint32_t from = w->span.begin + (uint32_t)(at - w->text.p) + 1;
	aa_fix_word(l, d, f->rule->use, (struct span){ w->span.source, from, from + 4 }, "[0-9]*",
		    FIX_OTHER);
}

/* Of one cause: deny rules and allow rules, links and dots. */
static void tell_never(struct lint *l, enum diag_id id, const struct aa_opened *f, const char *link,
		       const char *access, struct diag **first)
{
	bool deny = f->mode == AA_MODE_DENY;
	struct diag **d = &first[deny * 2 + !link];

	if (*d) {
		diag_again(l->ds, *d, aa_place(f->rule->use));
	} else if (link) {
		*d = diag_add_as(
			l->ds, id, deny ? SEVERITY_HIGH : SEVERITY_WARNING, aa_place(f->rule->use),
			"'%.*s' is a link, and the kernel asks about what it leads to: '%s' is %s",
			(int)(strlen(link) - (link[strlen(link) - 1] == '/')), link, access,
			deny ? "allowed" : "refused");
		diag_help(l->ds, *d, "write '/proc/[0-9]*/...', or '@{PROC}/@{pid}/...'");
	} else {
		*d = diag_add_as(l->ds, id, deny ? SEVERITY_HIGH : SEVERITY_WARNING,
				 aa_place(f->rule->use),
				 "no path has '.' or '..' in it when the kernel asks: '%s' is %s",
				 access, deny ? "allowed" : "refused");
		diag_help(l->ds, *d, "write the path that it leads to");
	}
	if (link)
		fix_self(l, *d, f);
}

RULE(AP244, "path-never-asked", HIGH, APPARMOR, ap_path_never_asked,
     "a path that the kernel never asks about, for a link or '..' in it",
     "The kernel asks about the file that a path leads to, by its own name: links are followed before, and '.' and '..' are "
     "gone. /proc/self is a link to the process's own folder, and /proc/mounts and /proc/net lead there, too: `/proc/self/status "
     "r,` allows nothing, and `deny /proc/self/mem w,` denies nothing. So is `/usr/bin/../lib/x`. Told where "
     "the path that is asked about is answered otherwise than the rule says: a deny without effect is high, an allow a "
     "warning. Seen on Linux 6.1 and 6.12. What a process has open (/proc/self/fd, exe, root) leads on to other files and is not told.\n\n"
     "Way out: `@{PROC}/@{pid}/status r,`, or `/proc/[0-9]*/status r,`.")
void ap_path_never_asked(struct lint *l, enum diag_id id)
{
	struct diag *first[4] = { NULL };

	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		const char *link = NULL, *access;
		struct str path;

		if (!is_own_file(f) || f->perms & PERM_X)
			continue;
		path = meant_without_dots(l, f);
		if (!path.p)
			path = meant_of_link(l, f, &link);
		access = path.p ? missed(l, f, path) : NULL;
		if (access)
			tell_never(l, id, f, link, access, first);
	}
}

/* ---- a directory alone ---- */

/* The operator writes a deny beside each path that may only be read. */
static bool is_denied_to_write(const struct aa_asking *q, const struct aa_opened *f)
{
	vec_each(&q->files.list, other)
		if (other->mode == AA_MODE_DENY && str_eq(other->path->text, f->path->text) &&
		    other->perms & (PERM_W | PERM_A))
			return true;
	return false;
}

/* Another rule speaks of something that lies in it. */
static bool has_below(const struct aa_asking *q, struct str dir)
{
	vec_each(&q->files.list, f) {
		struct str p = f->path->prefix;
		size_t n = p.n < dir.n ? p.n : dir.n;

		if (f->mode == AA_MODE_ALLOW && !memcmp(p.p, dir.p, n) &&
		    (p.n > dir.n || !aa_probe_is_one(f->path)))
			return true;
	}
	return false;
}

RULE(AP229, "dir-entry-only", WARNING, APPARMOR, ap_dir_entry_only,
     "a rule for a directory alone, where what lies in it is likely meant",
     "A path with '/' at its end is the directory itself: `/var/log/app/ rw,` lets it be listed, made and removed, and no file in it be "
     "opened (security-profiles-operator#2951). Told of a rule that lets a directory be written where no rule speaks of what lies in it, and of one that is "
     "read beside a deny of the same path, as the operator writes its readOnlyPaths. The first is information: programs ask "
     "whether a directory is writable.\n\n"
     "Way out: `/var/log/app/{,**} rw,`.")
void ap_dir_entry_only(struct lint *l, enum diag_id id)
{
	if (!aa_risk_counts(l))
		return;
	vec_each(&l->aa->q->files.list, f) {
		struct str dir = f->path->prefix;
		enum file_who half = f->owner == AA_OWNER_ONLY ? FILE_OWNER : FILE_OTHER;
		unsigned perm = f->perms & (PERM_W | PERM_A) ? PERM_W : PERM_R;
		struct aa_verdict v;
		struct diag *d;

		if (!is_own_file(f) || f->mode != AA_MODE_ALLOW || !aa_probe_is_one(f->path) ||
		    dir.n < 2 || dir.p[dir.n - 1] != '/' ||
		    (perm == PERM_R && !is_denied_to_write(l->aa->q, f)))
			continue;
		struct str inside = str_c(arena_printf(l->arena, PRISTR "a", STRARG(dir)));
		if (has_below(l->aa->q, dir))
			continue;
		v = aa_asks_path(l, inside, perm, half);
		if (!aa_refuses(&v))
			continue;
		d = aa_tell(
			l, id, f->rule->use,
			"this is the directory alone, and nothing that lies in it: '%s' is refused",
			aa_path_access(l, inside, perm,
				       f->owner == AA_OWNER_ANY ? FILE_WHO_NR : half));
		if (d && perm == PERM_W)
			diag_severity(l->ds, d, SEVERITY_INFO);
		if (d)
			diag_help(l->ds, d,
				  "write '{,**}' behind it where what lies in it is meant");
	}
}
