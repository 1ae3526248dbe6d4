/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/tell/denial.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tell/accessed.h"
#include "compiler/tell/denials.h"
#include "compiler/tell/explained.h"
#include "grammar/apparmor_print.h"

/* ---- files ---- */

/* Letters of the kernel's log, of which a rule has one for several (lib.c, aa_file_perm_chrs;
 * policy_unpack of old permissions, file.c, map_old_perms). */
static unsigned letter_perm(char c)
{
	return c == 'c' || c == 'd' ? PERM_W : aa_perm_of(c); /* create, delete */
}

static bool read_letters(struct str s, unsigned *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		unsigned bit = letter_perm(s.p[i]);
		if (!bit)
			return false;
		*out |= bit;
	}
	return *out;
}

static const char *file_words(const struct denied *d)
{
	static const struct {
		const char *operation, *words;
	} rows[] = {
		{ "exec", "to execute" },
		{ "link", "to make the link" },
		{ "mknod", "to create" },
		{ "mkdir", "to make the directory" },
		{ "rmdir", "to remove the directory" },
		{ "unlink", "to remove" },
		{ "symlink", "to make the symbolic link" },
		{ "rename_src", "to rename" },
		{ "rename_dest", "to rename to" },
		{ "truncate", "to truncate" },
		{ "chmod", "to change the mode of" },
		{ "chown", "to change the owner of" },
		{ "file_mmap", "to map" },
		{ "file_mprotect", "to make executable in memory" },
		{ "file_lock", "to lock" },
		{ "file_inherit", "to keep open across an execution" },
		{ "file_receive", "to receive, open," },
		{ "file_perm", "to use, open," },
		{ "getattr", "to look at" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (str_is(d->operation, rows[i].operation))
			return rows[i].words;
	return "to open";
}

static const char *file_of(struct arena *a, struct denial *n)
{
	const struct denied *d = &n->d;
	BUF_AUTO words = { 0 };

	n->file = true;
	n->access.path = d->name;
	n->access.who = !d->whose ? FILE_WHO_NR : d->owned ? FILE_OWNER : FILE_OTHER;
	if (!d->name.n)
		return "it has no name=";
	if (memmem(d->name.p, d->name.n, "//", 2))
		return "its name= holds '//', as no path does that the kernel asks about";
	if (!d->requested.n && !d->denied.n)
		return "it has no requested_mask=";
	if (!read_letters(d->denied.n ? d->denied : d->requested, &n->access.perms))
		return "its denied_mask= has letters that are none of a file's";
	n->access.kind = AA_ACCESS_OPEN;
	if (n->access.perms == PERM_X)
		n->access.kind = AA_ACCESS_EXEC;
	if (str_is(d->operation, "link")) {
		if (!d->target.n)
			return "it has no target=";
		n->access.kind = AA_ACCESS_LINK;
		n->access.perms = PERM_L;
		n->access.target = d->target;
	}
	buf_printf(&words, "%s ", file_words(d));
	buf_safe(&words, d->name);
	if (n->access.kind == AA_ACCESS_LINK) {
		buf_puts(&words, " to ");
		buf_safe(&words, d->target);
	}
	n->words = buf_keep(a, &words);
	/* Asked with attach_disconnected, as the hint says. */
	if (*d->name.p != '/')
		n->access.path = str_c(arena_printf(a, "/" PRISTR, STRARG(d->name)));
	return NULL;
}

void denial_put_parts(struct buf *out, const struct denial *n, const struct denial_text *t,
		      unsigned parts)
{
	const char *gap = "";

	buf_puts(out, t->before);
	if (!t->after)
		return;
	for (unsigned i = 0; i < n->nperms; i++) {
		if (!(parts >> i & 1))
			continue;
		buf_printf(out, "%s%s", gap, n->perms[i]);
		gap = ", ";
	}
	buf_puts(out, t->after);
}

static void put_file(struct buf *out, const struct denial *n)
{
	static const char *const kinds[] = {
		[AA_ACCESS_OPEN] = "open", [AA_ACCESS_EXEC] = "exec", [AA_ACCESS_LINK] = "link"
	};
	const struct aa_access *x = &n->access;

	buf_puts(out, kinds[x->kind]);
	buf_puts(out, x->who == FILE_OWNER ? " owner " : x->who == FILE_OTHER ? " other " : " ");
	aa_access_put_path(out, x->path);
	buf_putc(out, ' ');
	if (x->kind == AA_ACCESS_OPEN)
		aa_perms_put(out, x->perms);
	else if (x->kind == AA_ACCESS_LINK)
		aa_access_put_path(out, x->target);
	else
		out->n--; /* the blank */
}

void denial_put_access(struct buf *out, const struct denial *n, unsigned part)
{
	BUF_AUTO text = { 0 };

	if (n->file) {
		put_file(out, n);
		return;
	}
	denial_put_parts(&text, n, &n->text, 1u << part);
	buf_safe(out, (struct str){ text.p ? text.p : "", text.n });
}

/* w lets append, too, and AppArmor refuses both letters in one rule. */
static unsigned minimal(unsigned perms)
{
	return perms & PERM_W ? perms & ~(unsigned)PERM_A : perms;
}

/* "rwix": with the letters of an execution, whose target stands behind the path. */
static void put_perms(struct buf *out, unsigned perms, const struct aa_transition *exec)
{
	if (minimal(perms) & ~(unsigned)PERM_X)
		aa_perms_put(out, minimal(perms) & ~(unsigned)PERM_X);
	if (perms & PERM_X)
		put_exec(out, exec->exec, exec->unsafe, STR(""));
}

static bool is_owner(const struct denial *n)
{
	return n->access.who == FILE_OWNER;
}

void denial_put_rule(struct buf *out, const struct denial *n, unsigned perms,
		     const struct aa_transition *exec, const char *prefix)
{
	buf_printf(out, "%s%s", prefix, is_owner(n) ? "owner " : "");
	if (n->access.kind == AA_ACCESS_LINK) {
		buf_puts(out, "link ");
		aa_print_literal(out, n->access.path);
		buf_puts(out, " -> ");
		aa_print_literal(out, n->access.target);
		return;
	}
	aa_print_literal(out, n->access.path);
	buf_putc(out, ' ');
	put_perms(out, perms, exec);
	if (!(perms & PERM_X) || !exec->target.n)
		return;
	buf_puts(out, " -> ");
	aa_print_literal(out, exec->target);
}

bool denial_put_statement(struct buf *out, const struct denial *n, unsigned perms,
			  const struct aa_transition *exec)
{
	if (n->access.kind == AA_ACCESS_LINK && perms != PERM_L)
		return false;
	buf_printf(out, "%sfile ", is_owner(n) ? "owner " : "");
	put_perms(out, perms, exec);
	buf_putc(out, ' ');
	denials_put_name(out, n->access.path);
	if (perms & PERM_X && exec->target.n) {
		buf_puts(out, " -> ");
		denials_put_name(out, exec->target);
	}
	return true;
}

/* ---- what info= means ---- */

struct info_row {
	const char *info;
	const char *hint;
	bool certain;
};

/* security/apparmor: path.c, domain.c, file.c, capability.c, resource.c. */
static const struct info_row infos[] = {
	{ "Failed name lookup - disconnected path",
	  "the path cannot be followed to the root that the process sees (of another mount "
	  "namespace, an unmounted file system, a message queue): no rule of a path matches it "
	  "until the profile has flags=(attach_disconnected), and then its name begins with '/'",
	  true },
	{ "Failed name lookup - deleted entry",
	  "the file was removed while it was open: flags=(mediate_deleted) lets the rules of its "
	  "old name speak of it",
	  true },
	{ "Failed name lookup", "the kernel found no path for the file", true },
	{ "profile transition not found",
	  "a rule allows the execution under another profile, which is not loaded: load it, or let "
	  "the rule fall back with 'pix' or 'cix'",
	  true },
	{ "no new privs",
	  "the process has no_new_privs set, and then no execution may change to a profile that is "
	  "not part of its own: let the rule be 'ix', or start it without no_new_privs",
	  true },
	{ "link not subset of target",
	  "the new name would have permissions that what it leads to has not", false },
	{ "target restricted", "a rule allows the new name to lead to other files only", false },
	{ "label not found", "the profile to change to is not loaded", true },
	{ "hat not found", "the profile has no hat of this name that is loaded", true },
	{ "profile has no hats", "the profile has no hats, or none is loaded", true },
	{ "optional: no audit",
	  "the kernel only asked whether it may: what the program does works without it", false },
	{ "ptrace prevents transition",
	  "a tracer of the process may not trace the profile that it would change to", true },
	{ "conflicting profile attachments",
	  "two profiles attach to this program equally well: let one name it exactly", true },
	{ "not policy admin",
	  "who loads policy needs the capability mac_admin, in the profile, too", false },
};

static void find_hint(struct denial *n)
{
	if (str_is(n->d.profile, "unconfined") && n->d.status != DENIED_AUDIT) {
		n->hint =
			"it has no profile, and this kernel refuses it to those that have none (see "
			"'sysctl kernel | grep apparmor_restrict'): give the program a profile that "
			"allows it";
		n->certain = true;
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(infos); i++)
		if (str_starts(n->d.info, infos[i].info)) {
			n->hint = infos[i].hint;
			n->certain = infos[i].certain;
			return;
		}
}

const char *denial_of(struct arena *a, const struct denied *d, struct denial *out)
{
	const char *wrong;

	*out = (struct denial){ .d = *d };
	wrong = denials_is_file(d) ? file_of(a, out) : denials_rule(a, out);
	if (!wrong)
		find_hint(out);
	return wrong;
}
