/* SPDX-License-Identifier: Apache-2.0 */
/* Accesses as text. */
#include "compiler/apparmor/access_parts.h"

#include <string.h>

#include "compiler/base/bug.h"

/* ---- what they say ---- */

static bool read_path(struct reading *r, size_t at, const char *missing, struct str *out)
{
	const struct access_word *w = &r->words[at];

	if (at >= r->n)
		return access_vague(r, missing, "such as: open /etc/passwd r");
	*out = w->text;
	return access_is_path(r, w->text, w->span);
}

static bool read_letters(struct reading *r, size_t at, unsigned *out)
{
	if (at >= r->n)
		return access_fault(
			r, r->words[r->n - 1].span, "what it is opened for is not said",
			"behind the path: r, w, a (append), m (map to execute), k (lock)");
	const struct access_word *w = &r->words[at];
	for (size_t i = 0; i < w->text.n; i++) {
		unsigned bit = aa_open_letter(w->text.p[i]);
		if (!bit)
			return access_fault(r, w->span, "a file is opened for r, w, a, m or k",
					    "'exec PATH' executes, 'link NEW OLD' links");
		*out |= bit;
	}
	return *out || access_fault(r, w->span, "what it is opened for is not said", "such as: r");
}

/* Shown as it is: no byte that a terminal obeys or hides, and UTF-8. */
static bool is_shown(struct str s)
{
	BUF_AUTO safe = { 0 };

	buf_safe(&safe, s);
	return safe.n == s.n && (!s.n || !memcmp(safe.p, s.p, s.n));
}

static bool is_plain(struct str path)
{
	for (size_t i = 0; i < path.n; i++)
		if (!path.p[i] || strchr(" \t\"\\", path.p[i]))
			return false;
	return path.n && is_shown(path) && !str_is(path, "->");
}

/* The character at p, of n bytes at most, in octal where it is not shown. How many it has. */
static size_t put_shown(struct buf *out, const char *p, size_t n)
{
	size_t len = utf8_len(p, n);

	if (len && !utf8_is_control(p, len)) {
		buf_add(out, p, len);
		return len;
	}
	for (size_t i = 0; i < (len ? len : 1); i++)
		buf_printf(out, "\\%03o", (unsigned char)p[i]);
	return len ? len : 1;
}

void aa_access_put_path(struct buf *out, struct str path)
{
	if (is_plain(path)) {
		buf_add(out, path.p, path.n);
		return;
	}
	buf_putc(out, '"');
	for (size_t i = 0; i < path.n;) {
		if (path.p[i] == '"' || path.p[i] == '\\')
			buf_printf(out, "\\%c", path.p[i++]);
		else
			i += put_shown(out, path.p + i, path.n - i);
	}
	buf_putc(out, '"');
}

/* Words that are in quotes stay so; what else holds a byte that is not shown is put into them. */
static void put_quoting(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n;) {
		size_t from = i;

		if (access_is_blank(text.p[i])) {
			buf_putc(out, ' ');
			i++;
			continue;
		}
		if (text.p[i] == '"') {
			for (i++; i < text.n && text.p[i] != '"'; i++)
				i += text.p[i] == '\\' && i + 1 < text.n;
			i += i < text.n;
			while (from < i)
				from += put_shown(out, text.p + from, i - from);
			continue;
		}
		while (i < text.n && !access_is_blank(text.p[i]))
			i++;
		struct str word = { text.p + from, i - from };
		if (is_shown(word))
			buf_add(out, word.p, word.n);
		else
			aa_access_put_path(out, word);
	}
}

/* A rule's words read octal anywhere. */
static void put_rule_text(struct buf *out, struct str text)
{
	for (size_t i = 0; i < text.n;) {
		if (!access_is_blank(text.p[i])) {
			i += put_shown(out, text.p + i, text.n - i);
			continue;
		}
		buf_putc(out, ' ');
		i++;
	}
}

void aa_access_put(struct buf *out, const struct aa_access *access)
{
	struct str text = access->source->text;
	bool change = access->kind == AA_ACCESS_RULE && access->class == AA_CLASS_CHANGE_PROFILE;

	if (is_shown(text))
		buf_add(out, text.p, text.n);
	else if (text.n && *text.p == '/')
		aa_access_put_path(out, text);
	else if (access->kind != AA_ACCESS_RULE || change)
		put_quoting(out, text);
	else
		put_rule_text(out, text);
}

const char *aa_access_json_path(struct arena *a, struct str path)
{
	BUF_AUTO text = { 0 };

	for (size_t i = 0, n; i < path.n; i += n) {
		n = utf8_len(path.p + i, path.n - i);
		if (!n) {
			aa_access_put_path(&text, path);
			return buf_keep(a, &text);
		}
	}
	return str_dup(a, path);
}

static bool read_end(struct reading *r, size_t at)
{
	return at >= r->n || access_fault(r, r->words[at].span, "nothing may stand here",
					  "put a path that holds blanks in quotes");
}

static size_t read_who(const struct reading *r, struct aa_access *out)
{
	out->who = FILE_WHO_NR;
	if (r->n < 2)
		return 1;
	if (str_is(r->words[1].text, "owner"))
		out->who = FILE_OWNER;
	else if (str_is(r->words[1].text, "other"))
		out->who = FILE_OTHER;
	return out->who == FILE_WHO_NR ? 1 : 2;
}

static bool read_open(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	return read_path(r, at, "a path is missing", &out->path) &&
	       read_letters(r, at + 1, &out->perms) && read_end(r, at + 2);
}

static bool read_exec(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	out->perms = PERM_X;
	return read_path(r, at, "a path is missing", &out->path) && read_end(r, at + 1);
}

static bool read_link(struct reading *r, struct aa_access *out)
{
	size_t at = read_who(r, out);

	out->perms = PERM_L;
	return read_path(r, at, "the new name is missing", &out->path) &&
	       read_path(r, at + 1, "what it leads to is missing", &out->target) &&
	       read_end(r, at + 2);
}

struct access_word_of {
	const char *word;
	enum aa_access_kind kind;
	bool quotes; /* else its words are a rule's */
	access_read_fn *read;
};

static const struct access_word_of kinds[] = {
	{ "open", AA_ACCESS_OPEN, true, read_open },
	{ "exec", AA_ACCESS_EXEC, true, read_exec },
	{ "link", AA_ACCESS_LINK, true, read_link },
	{ "cap", AA_ACCESS_RULE, false, access_cap },
	{ "socket", AA_ACCESS_RULE, false, access_socket },
	{ "network", AA_ACCESS_RULE, false, access_network },
	{ "signal", AA_ACCESS_RULE, false, access_signal },
	{ "ptrace", AA_ACCESS_RULE, false, access_ptrace },
	{ "mount", AA_ACCESS_RULE, false, access_mount },
	{ "remount", AA_ACCESS_RULE, false, access_mount },
	{ "umount", AA_ACCESS_RULE, false, access_mount },
	{ "pivot_root", AA_ACCESS_RULE, false, access_pivot },
	{ "change_profile", AA_ACCESS_RULE, true, access_change_profile },
	{ "change_hat", AA_ACCESS_RULE, true, access_change_hat },
	{ "unix", AA_ACCESS_RULE, false, access_unix },
	{ "dbus", AA_ACCESS_RULE, false, access_dbus },
	{ "mqueue", AA_ACCESS_RULE, false, access_mqueue },
	{ "userns", AA_ACCESS_RULE, false, access_userns },
	{ "io_uring", AA_ACCESS_RULE, false, access_uring },
};

/* NULL: told. */
static const struct access_word_of *kind_of_access(struct reading *r)
{
	struct access_word first = { .text = { "", 0 } }, *w = &first;
	struct str t = r->source->text;
	BUF_AUTO safe = { 0 };
	struct suggest near;
	struct diag *d;
	size_t at = 0;

	while (at < t.n && access_is_blank(t.p[at]))
		at++;
	if (at >= t.n) {
		access_vague(r, "no access is said", "such as: open /etc/passwd r");
		return NULL;
	}
	access_bare(r, at, w);
	suggest_start(&near, w->text);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (str_is(w->text, kinds[i].word))
			return &kinds[i];
		suggest_offer(&near, str_c(kinds[i].word));
	}
	buf_safe(&safe, w->text);
	d = diag_add(
		r->diags, DIAG_PL372, w->span,
		"there is no access '%s'; of an AppArmor profile accesses are asked, not calls",
		safe.p ? safe.p : "");
	if (!diag_suggest(r->diags, d, w->span, &near))
		diag_help(r->diags, d,
			  "such as: 'open /etc/passwd r', 'exec /bin/sh', 'cap chown'");
	return NULL;
}

bool aa_access_is(struct str text)
{
	size_t n = 0, next;
	bool known = false;

	while (n < text.n && !access_is_blank(text.p[n]))
		n++;
	for (next = n; next < text.n && access_is_blank(text.p[next]);)
		next++;
	struct str word = { text.p, n };
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		known |= str_is(word, kinds[i].word);
	if (!known || (next < text.n && text.p[next] == '('))
		return false;
	return next < text.n || !syscall_by_name(word);
}

bool aa_access_read(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds)
{
	struct reading *r = ARENA_NEW(a, struct reading);
	const struct access_word_of *k;

	r->arena = a;
	r->diags = ds;
	r->source = src;
	*out = (struct aa_access){ .source = src };
	k = kind_of_access(r);
	if (!k || !access_words(r, k->quotes))
		return false;
	out->kind = k->kind;
	return k->read(r, out);
}

bool aa_access_path(struct arena *a, const struct source *src, struct aa_access *out,
		    struct diags *ds)
{
	struct reading *r = ARENA_NEW(a, struct reading);

	r->arena = a;
	r->diags = ds;
	r->source = src;
	*out = (struct aa_access){ .source = src,
				   .kind = AA_ACCESS_OPEN,
				   .who = FILE_WHO_NR,
				   .perms = PERM_R | PERM_W | PERM_A | PERM_M | PERM_K | PERM_L |
					    PERM_X };
	if (src->text.n && *src->text.p != '"')
		r->words[r->n++] =
			(struct access_word){ src->text, access_span(r, 0, src->text.n), false };
	else if (!access_words(r, true))
		return false;
	return read_path(r, 0, "a path is missing", &out->path) && read_end(r, 1);
}

bool aa_access_is_path(struct str text)
{
	return str_starts(text, "/") || str_starts(text, "\"/");
}
