/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/apparmor/access_raw.h"

#include <string.h>

struct fields {
	struct str rest;
	bool ended;
};

/* Up to the next TAB. False: there is none left. */
static bool next_field(struct fields *f, struct str *out)
{
	const char *tab;

	if (f->ended)
		return false;
	tab = f->rest.n ? memchr(f->rest.p, '\t', f->rest.n) : NULL;
	out->p = f->rest.p;
	out->n = tab ? (size_t)(tab - f->rest.p) : f->rest.n;
	f->ended = !tab;
	if (tab)
		f->rest = (struct str){ tab + 1, f->rest.n - out->n - 1 };
	return true;
}

static enum aa_access_kind kind_of(struct str word)
{
	if (str_is(word, "open"))
		return AA_ACCESS_OPEN;
	if (str_is(word, "exec"))
		return AA_ACCESS_EXEC;
	return str_is(word, "link") ? AA_ACCESS_LINK : AA_ACCESS_NR;
}

bool aa_raw_is_file(struct str line)
{
	struct fields f = { line, false };
	struct str word;

	return next_field(&f, &word) && kind_of(word) != AA_ACCESS_NR;
}

static int digit(char c, unsigned base)
{
	unsigned v = c >= '0' && c <= '9' ? (unsigned)(c - '0') :
		     c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10) :
		     c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10) :
					    base;

	return v < base ? (int)v : -1;
}

/* The byte of as many digits as stand there, and how many; -1: none, or no byte. */
static int number(struct str s, size_t at, size_t most, unsigned base, size_t *used)
{
	unsigned v = 0;
	size_t n = 0;

	for (int d; n < most && at + n < s.n && (d = digit(s.p[at + n], base)) >= 0; n++)
		v = v * base + (unsigned)d;
	*used += n;
	return n && v <= UINT8_MAX ? (int)v : -1;
}

/* What stands behind a '\\': the byte, and how many characters said it; -1: nothing. */
static int escaped(struct str s, size_t at, size_t *used)
{
	static const char letters[] = "\\\"*?[]{}^,tn", bytes[] = "\\\"*?[]{}^,\t\n";
	char c = at < s.n ? s.p[at] : 0;
	const char *found = c ? strchr(letters, c) : NULL;

	*used = c == 'x' || c == 'd' || found;
	if (found)
		return bytes[found - letters];
	if (c == 'x')
		return number(s, at + 1, 2, 16, used);
	return c == 'd' ? number(s, at + 1, 3, 10, used) : number(s, at, 3, 8, used);
}

static const char *read_path(struct fields *f, char **room, struct str *out)
{
	struct str t;
	size_t n = 0;

	if (!next_field(f, &t))
		return "a path is missing";
	if (t.n && memchr(t.p, '\\', t.n)) {
		for (size_t i = 0, used; i < t.n; i++) {
			int c = (unsigned char)t.p[i];
			if (c == '\\') {
				c = escaped(t, i + 1, &used);
				if (c <= 0)
					return "'\\' is no escape";
				i += used;
			}
			(*room)[n++] = (char)c;
		}
		t = (struct str){ *room, n };
		*room += n;
	}
	*out = t;
	return aa_path_fault(t);
}

static const char *read_letters(struct fields *f, unsigned *out)
{
	struct str t;

	if (!next_field(f, &t) || !t.n)
		return "what it is opened for is not said";
	for (size_t i = 0; i < t.n; i++) {
		unsigned bit = aa_open_letter(t.p[i]);
		if (!bit)
			return "a file is opened for r, w, a, m or k";
		*out |= bit;
	}
	return NULL;
}

const char *aa_raw_read(struct str line, char *room, struct aa_access *out)
{
	struct fields f = { line, false }, behind;
	const char *why = NULL;
	struct str word;

	*out = (struct aa_access){ .who = FILE_WHO_NR };
	next_field(&f, &word);
	out->kind = kind_of(word);
	behind = f;
	if (next_field(&behind, &word) && (str_is(word, "owner") || str_is(word, "other"))) {
		out->who = str_is(word, "owner") ? FILE_OWNER : FILE_OTHER;
		f = behind;
	}
	why = read_path(&f, &room, &out->path);
	if (why)
		return why;
	switch (out->kind) {
	case AA_ACCESS_OPEN: why = read_letters(&f, &out->perms); break;
	case AA_ACCESS_LINK:
		out->perms = PERM_L;
		why = read_path(&f, &room, &out->target);
		break;
	default: out->perms = PERM_X; break;
	}
	return why ? why : f.ended ? NULL : "nothing may follow";
}
