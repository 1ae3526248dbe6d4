/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/deploy/words.h"

#include <string.h>

enum { WORDS_MAX = 4096, DEPTH_MAX = 16 };

void words_start_at(struct arena *a, const struct source *src, struct span part, struct words *w)
{
	*w = (struct words){ .arena = a, .src = src, .at = part.begin, .end = part.end };
}

void words_start(struct arena *a, const struct source *src, struct words *w)
{
	words_start_at(a, src, (struct span){ src->id, 0, (uint32_t)src->text.n }, w);
}

/* NUL where there is nothing more: it ends a word, as in the shell it cannot stand in one. */
static char peek(const struct words *w, uint32_t ahead)
{
	return w->end - w->at > ahead ? w->src->text.p[w->at + ahead] : '\0';
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool ends_word(char c)
{
	return !c || is_blank(c) || strchr("\n;&|()<>", c);
}

/* ---- what the shell replaces ---- */

/* Behind a '(' or '{' of `depth`: the byte behind its end, quotes looked through. */
static uint32_t find_close(const struct words *w, uint32_t at, char open, char close)
{
	const char *p = w->src->text.p;

	for (unsigned depth = 1; at < w->end; at++) {
		if (p[at] == '\\') {
			at++;
		} else if (p[at] == '\'') {
			const char *q = memchr(p + at + 1, '\'', w->end - at - 1);
			at = q ? (uint32_t)(q - p) : w->end - 1;
		} else if (p[at] == '"') {
			for (at++; at < w->end && p[at] != '"'; at++)
				at += p[at] == '\\';
		} else if (p[at] == open) {
			depth++;
		} else if (p[at] == close && !--depth) {
			return at + 1;
		}
	}
	return w->end;
}

static void read_later(struct words *w, uint32_t begin, uint32_t end)
{
	struct words_part part = { begin, end, w->depth + 1 };

	if (w->depth < DEPTH_MAX && begin < end)
		vec_push(w->arena, &w->parts, part);
}

/* At '$' or '`'. A '$' that nothing follows stands for itself: false. */
static bool skip_expansion(struct words *w)
{
	char next = peek(w, 1);
	uint32_t begin = w->at + 2, end;

	if (peek(w, 0) == '`') {
		const char *p = w->src->text.p + w->at + 1;
		const char *q = memchr(p, '`', w->end - w->at - 1);

		end = q ? (uint32_t)(q - w->src->text.p) : w->end;
		read_later(w, w->at + 1, end);
		w->at = end + (end < w->end);
		return true;
	}
	if (next == '(' && peek(w, 2) == '(') {
		w->at = find_close(w, begin, '(', ')');
	} else if (next == '(') {
		w->at = find_close(w, begin, '(', ')');
		read_later(w, begin, w->at - (w->at < w->end));
	} else if (next == '{') {
		w->at = find_close(w, begin, '{', '}');
	} else if (ends_word(next) || next == '"' || next == '\'') {
		return false;
	} else {
		w->at++;
	}
	return true;
}

/* ---- words ---- */

struct making { /* a word */
	struct buf text;
	struct shell_word out;
};

static void put(struct making *m, char c)
{
	buf_putc(&m->text, c);
}

static void replaced(struct words *w, struct making *m, bool quoted)
{
	if (!skip_expansion(w)) {
		put(m, peek(w, 0));
		w->at++;
		return;
	}
	m->out.unknown = true;
	m->out.splits |= !quoted;
	put(m, '$');
}

static void in_quotes(struct words *w, struct making *m)
{
	while (w->at < w->end && peek(w, 0) != '"') {
		char c = peek(w, 0);

		if (c == '$' || c == '`') {
			replaced(w, m, true);
			continue;
		}
		if (c == '\\' && peek(w, 1) && strchr("$`\"\\\n", peek(w, 1))) {
			w->at++;
			c = peek(w, 0);
			if (c == '\n')
				c = '\0';
		}
		if (c)
			put(m, c);
		w->at++;
	}
	w->at += w->at < w->end;
}

static void in_apostrophes(struct words *w, struct making *m)
{
	while (w->at < w->end && peek(w, 0) != '\'') {
		if (peek(w, 0))
			put(m, peek(w, 0));
		w->at++;
	}
	w->at += w->at < w->end;
}

static void read_piece(struct words *w, struct making *m)
{
	char c = peek(w, 0);

	if (c == '$' || c == '`') {
		replaced(w, m, false);
		return;
	}
	w->at++;
	if (c == '"')
		in_quotes(w, m);
	else if (c == '\'')
		in_apostrophes(w, m);
	else if (c != '\\')
		put(m, c);
	else if (peek(w, 0)) {
		if (peek(w, 0) != '\n')
			put(m, peek(w, 0));
		w->at++;
	}
}

static struct shell_word read_word(struct words *w)
{
	struct making m = { .out.span = { w->src->id, w->at, w->at } };

	while (!ends_word(peek(w, 0)))
		read_piece(w, &m);
	m.out.span.end = w->at;
	struct str raw = { w->src->text.p + m.out.span.begin, w->at - m.out.span.begin };
	struct str text = { m.text.p ? m.text.p : "", m.text.n };
	m.out.literal = str_eq(raw, text);
	m.out.text = m.out.literal ? raw : str_c(str_dup(w->arena, text));
	buf_free(&m.text);
	return m.out;
}

/* ---- commands ---- */

static void skip_line(struct words *w)
{
	while (w->at < w->end && peek(w, 0) != '\n')
		w->at++;
}

static struct str next_line(struct words *w)
{
	uint32_t begin = w->at;

	skip_line(w);
	struct str line = { w->src->text.p + begin, w->at - begin };
	w->at += w->at < w->end;
	return line;
}

/* At the line below the one that has them. */
static void skip_documents(struct words *w)
{
	vec_each(&w->documents, end) {
		while (w->at < w->end) {
			struct str line = next_line(w);

			while (line.n && line.p[0] == '\t' && end->splits) /* <<-END */
				line = (struct str){ line.p + 1, line.n - 1 };
			if (str_eq(line, end->text))
				break;
		}
	}
	w->documents.n = 0;
}

static void skip_blanks(struct words *w)
{
	for (;;) {
		if (is_blank(peek(w, 0)))
			w->at++;
		else if (peek(w, 0) == '\\' && peek(w, 1) == '\n')
			w->at += 2;
		else if (peek(w, 0) == '\\' && peek(w, 1) == '\r' && peek(w, 2) == '\n')
			w->at += 3;
		else
			return;
	}
}

/* At '<' or '>': with the file's name, or the word that ends the here-document. */
static void skip_redirection(struct words *w, shell_words *out)
{
	uint32_t begin = w->at;
	bool document;

	if (out->n && out->v[out->n - 1].span.end == begin && out->v[out->n - 1].literal) {
		struct str last = out->v[out->n - 1].text; /* 2>: a number of a file */

		out->n -= last.n == 1 && last.p[0] >= '0' && last.p[0] <= '9';
	}
	while (peek(w, 0) == '<' || peek(w, 0) == '>')
		w->at++;
	document = w->at - begin == 2 && w->src->text.p[begin] == '<' &&
		   w->src->text.p[begin + 1] == '<';
	bool tabs = document && peek(w, 0) == '-';
	if (tabs || (!document && peek(w, 0) && strchr("&|", peek(w, 0))))
		w->at++;
	skip_blanks(w);
	if (ends_word(peek(w, 0)))
		return; /* <(...) too, of which the commands are read as they come */
	struct shell_word word = read_word(w);
	if (document) {
		word.splits = tabs;
		vec_push(w->arena, &w->documents, word);
	}
}

static void take_comment(struct words *w)
{
	struct span sp = { w->src->id, w->at, w->at };

	skip_line(w);
	sp.end = w->at;
	vec_push(w->arena, &w->comments, sp);
}

/* One command of the part at hand, which may have no words. */
static void read_command(struct words *w, shell_words *out)
{
	while (w->at < w->end) {
		skip_blanks(w);
		char c = peek(w, 0);

		if (w->at >= w->end)
			return;
		if (c == '#') {
			take_comment(w);
		} else if (c == '<' || c == '>') {
			skip_redirection(w, out);
		} else if (c == '&' && peek(w, 1) == '>') {
			w->at++;
		} else if (ends_word(c)) {
			w->at++;
			if (c == '\n')
				skip_documents(w);
			return;
		} else {
			struct shell_word word = read_word(w);

			if (out->n < WORDS_MAX)
				vec_push(w->arena, out, word);
		}
	}
}

bool words_next(struct words *w, shell_words *out)
{
	for (;;) {
		out->n = 0;
		while (w->at < w->end && !out->n)
			read_command(w, out);
		if (out->n)
			return true;
		if (!w->parts.n)
			return false;
		struct words_part part = w->parts.v[--w->parts.n];
		w->at = part.begin;
		w->end = part.end;
		w->depth = part.depth;
		w->documents.n = 0;
	}
}
