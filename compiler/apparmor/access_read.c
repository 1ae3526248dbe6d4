/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of all accesses share: words, faults, values, and what reads as a rule. */
#include "compiler/apparmor/access_parts.h"

#include <string.h>

struct span access_span(const struct reading *r, size_t begin, size_t end)
{
	return (struct span){ r->source->id, (uint32_t)begin, (uint32_t)end };
}

bool access_fault(struct reading *r, struct span sp, const char *what, const char *help)
{
	struct diag *d = diag_add(r->diags, DIAG_PL372, sp, "%s", what);

	diag_help(r->diags, d, "%s", help);
	return false;
}

/* ---- words ---- */

bool access_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* What an escape at i stands for, and the bytes it takes; 0: it is none. */
static size_t read_escape(struct str t, size_t i, char *out)
{
	unsigned byte = 0;

	if (i + 1 < t.n && (t.p[i + 1] == '"' || t.p[i + 1] == '\\')) {
		*out = t.p[i + 1];
		return 2;
	}
	for (size_t k = 1; k < 4; k++) {
		if (i + k >= t.n || t.p[i + k] < '0' || t.p[i + k] > '7')
			return 0;
		byte = byte * 8 + (unsigned)(t.p[i + k] - '0');
	}
	*out = (char)byte;
	return byte && byte < 256 ? 4 : 0;
}

/* Behind the word, or 0: told. */
static size_t read_quoted(struct reading *r, size_t at, struct access_word *w)
{
	struct str t = r->source->text;
	char *text = arena_alloc(r->arena, t.n);
	size_t n = 0, i = at + 1;

	while (i < t.n && t.p[i] != '"') {
		size_t escape = t.p[i] == '\\' ? read_escape(t, i, &text[n]) : 0;

		if (t.p[i] == '\\' && !escape) {
			access_fault(
				r, access_span(r, i, i + 1),
				"only '\\\"', '\\\\' and a byte in three octal digits ('\\001') are "
				"escapes",
				"write the character itself, or its bytes");
			return 0;
		}
		if (!escape)
			text[n] = t.p[i];
		n++;
		i += escape ? escape : 1;
	}
	if (i >= t.n) {
		access_fault(r, access_span(r, at, t.n), "a quote is not closed",
			     "end the word with '\"'");
		return 0;
	}
	w->quoted = true;
	w->text = (struct str){ text, n };
	w->span = access_span(r, at, i + 1);
	return i + 1;
}

size_t access_bare(struct reading *r, size_t at, struct access_word *w)
{
	struct str t = r->source->text;
	size_t i = at;

	while (i < t.n && !access_is_blank(t.p[i]))
		i++;
	w->text = (struct str){ t.p + at, i - at };
	w->span = access_span(r, at, i);
	return i;
}

/* `quotes`: a word may stand in them. What reads as a rule has its own. */
bool access_words(struct reading *r, bool quotes)
{
	struct str t = r->source->text;
	size_t i = 0;

	for (;;) {
		while (i < t.n && access_is_blank(t.p[i]))
			i++;
		if (i >= t.n)
			return true;
		if (r->n == ACCESS_WORDS_MAX)
			return access_fault(r, access_span(r, i, t.n),
					    "an access has at most 64 words",
					    "put a path that holds blanks in quotes");
		struct access_word *w = &r->words[r->n++];
		i = t.p[i] == '"' && quotes ? read_quoted(r, i, w) : access_bare(r, i, w);
		if (!i)
			return false;
	}
}

/* ---- paths ---- */

/* A "." or ".." between slashes, or nothing between them. */
static bool is_unasked(struct str path)
{
	size_t from = 1;

	for (size_t i = 1; i <= path.n; i++) {
		if (i < path.n && path.p[i] != '/')
			continue;
		struct str part = { path.p + from, i - from };
		if ((!part.n && i < path.n) || str_is(part, ".") || str_is(part, ".."))
			return true;
		from = i + 1;
	}
	return false;
}

const char *aa_path_fault(struct str path)
{
	if (!path.n || path.p[0] != '/')
		return "a path begins with '/'";
	return is_unasked(path) ? "the kernel asks about no path that holds '//', '/./' or '/../'" :
				  NULL;
}

bool access_is_path(struct reading *r, struct str path, struct span sp)
{
	const char *why = aa_path_fault(path);

	return !why || access_fault(r, sp, why,
				    path.n && path.p[0] == '/' ? "write the path that it leads to" :
								 "write it from the root on");
}

unsigned aa_open_letter(char c)
{
	return aa_perm_of(c) & ~(unsigned)(PERM_L | PERM_X);
}

/* ---- as a rule ---- */

static void put_rule(const struct reading *r, const char *lead, const char *set, struct buf *out)
{
	struct str t = r->source->text, first = r->words[0].text;
	size_t from = r->words[0].span.end, third = r->n > 2 ? r->words[2].span.begin : t.n;

	if (lead)
		buf_puts(out, lead);
	else
		buf_printf(out, PRISTR, STRARG(first));
	if (set && r->n > 2)
		buf_printf(out, PRISTR "%s", STRARG(((struct str){ t.p + from, third - from })),
			   set);
	else
		third = from;
	buf_printf(out, PRISTR ",\n", STRARG(((struct str){ t.p + third, t.n - third })));
}

/* The rule's ',' would be a part of the word. */
static bool ends_in_escape(struct reading *r)
{
	struct str t = r->source->text;
	size_t end = t.n;

	while (end && access_is_blank(t.p[end - 1]))
		end--;
	if (!end || t.p[end - 1] != '\\')
		return false;
	access_fault(r, access_span(r, end - 1, end), "a word does not end in '\\'",
		     "write '\\134' for the character itself");
	return true;
}

const struct aa_rule *access_as_rule(struct reading *r, const char *lead, const char *set)
{
	struct aa_reader rd = {
		.arena = r->arena,
		.diags = r->diags,
		.target = { .release = AA_RELEASE_5_0, .mediated = ~0u, .compiled = ~0u }
	};
	struct aa_use *use = ARENA_NEW(r->arena, struct aa_use);
	size_t errors = r->diags->errors;
	BUF_AUTO text = { 0 };

	if (ends_in_escape(r))
		return NULL;
	put_rule(r, lead, set, &text);
	struct source *src = source_add(r->diags->sources, "<access>",
					(struct str){ text.p ? text.p : "", text.n });
	const struct aa_file *file = aa_parse_source(r->arena, src, r->diags);
	if (r->diags->errors != errors)
		return NULL;
	const struct aa_stmt *st = file->stmts;
	if (!st || st->next || st->kind != AA_STMT_RULE || st->prefix) {
		access_vague(
			r, "this is no one access",
			"such as: 'cap chown', 'socket inet stream', 'signal send term peer=p'");
		return NULL;
	}
	*use = (struct aa_use){ .stmt = st, .class = aa_class_of(&rd, st->items) };
	return aa_rule_read(&rd, use);
}

bool access_one_bit(uint64_t bits)
{
	return bits && !(bits & (bits - 1));
}

bool access_vague(struct reading *r, const char *what, const char *help)
{
	return access_fault(r, access_span(r, 0, r->source->text.n), what, help);
}

bool access_literal(struct reading *r, const struct aa_word *w, struct str *out)
{
	struct str t = glob_unescape(r->arena, w->text);
	char *text = arena_alloc(r->arena, t.n + 1);
	size_t n = 0;

	for (size_t i = 0; i < t.n; i++) {
		char c = t.p[i];
		if (c == '\\' && i + 1 < t.n)
			c = t.p[++i];
		else if (c && strchr("*?[]{}", c))
			return access_fault(r, w->span, "a pattern stands for several values",
					    "write the one that is asked about; '\\' in front of "
					    "such a character stands for itself");
		if (!c)
			return access_fault(r, w->span, "no name holds the byte 0", "leave it out");
		text[n++] = c;
	}
	*out = (struct str){ text, n };
	return true;
}

bool access_value(struct reading *r, const struct aa_cond *c, struct str *out)
{
	*out = (struct str){ "", 0 };
	if (!c)
		return true;
	if (c->values->next)
		return access_fault(r, c->item->span, "one value is asked about",
				    "write one, and ask again for others");
	return access_literal(r, c->values, out);
}

/* Labels with a namespace, or of several profiles, are matched part by part. */
bool access_label(struct reading *r, const struct aa_cond *c, struct aa_access *out)
{
	struct diag *d;

	if (!access_value(r, c, &out->peer))
		return false;
	out->peer_said = c;
	for (size_t i = 0; i < out->peer.n; i++)
		if (strchr("^\\@&:", out->peer.p[i])) {
			d = diag_add(r->diags, DIAG_PL374, c->values->span,
				     "a label with a namespace, or of several profiles, is matched "
				     "part by part, which is not answered");
			diag_help(r->diags, d, "ask for each profile by its label");
			return false;
		}
	return true;
}
