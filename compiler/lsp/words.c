/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/words.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/tables/tables.h"

/* ---- what words mean ---- */

enum { TOP = LSP_TOP, RULE = LSP_RULE, COND = LSP_COND };

static const struct lsp_word_row pale_rows[] = {
#define PALE(word, where, text) { word, where, text },
#include "compiler/lsp/words.def"
};

static const struct lsp_word_row apparmor_rows[] = {
#define AA(word, where, text) { word, where, text },
#include "compiler/lsp/words.def"
};

static const struct lsp_word_row json_rows[] = {
#define JSON(word, text) { word, 0, text },
#include "compiler/lsp/words.def"
};

const struct lsp_word_row *lsp_word_rows(enum lsp_language language, size_t *n)
{
	switch (language) {
	case LSP_PALE: *n = ARRAY_SIZE(pale_rows); return pale_rows;
	case LSP_APPARMOR: *n = ARRAY_SIZE(apparmor_rows); return apparmor_rows;
	case LSP_JSON:
	case LSP_YAML: break;
	}
	*n = ARRAY_SIZE(json_rows);
	return json_rows;
}

const struct lsp_word_row *lsp_word_find(enum lsp_language language, struct str word)
{
	size_t n;
	const struct lsp_word_row *rows = lsp_word_rows(language, &n);

	for (size_t i = 0; i < n; i++)
		if (str_is(word, rows[i].word))
			return &rows[i];
	return NULL;
}

/* ---- a statement ---- */

struct looking {
	struct arena *arena;
	struct str text;
	size_t at, offset;
	bool apparmor;
	struct lsp_around *out;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

static char here(const struct looking *l, size_t i)
{
	return i < l->text.n ? l->text.p[i] : '\0';
}

static size_t line_end(const struct looking *l, size_t i)
{
	const char *lf = memchr(l->text.p + i, '\n', l->text.n - i);

	return lf ? (size_t)(lf - l->text.p) : l->text.n;
}

static void new_statement(struct looking *l)
{
	l->out->before.n = 0;
	l->out->parens = 0;
}

/* "/a/{b,c}/@{D}": where it ends. */
static size_t path_end(const struct looking *l, size_t i)
{
	unsigned nested = 0;

	for (; i < l->text.n && !is_blank(l->text.p[i]); i++) {
		char c = l->text.p[i], next = here(l, i + 1);

		if (c == '\\' && i + 1 < l->text.n) {
			i++;
		} else if (c == '{') {
			nested++;
		} else if (c == '}' && nested) {
			nested--;
		} else if (c == ',' && !nested) {
			if (!l->apparmor || l->out->parens || !next || is_blank(next))
				return i;
		} else if (c == ';' && !l->apparmor) {
			return i;
		} else if (strchr(l->apparmor ? "()=\"}" : "}\"", c) && !nested) {
			return i;
		}
	}
	return i;
}

static size_t word_end(const struct looking *l, size_t i)
{
	if (l->apparmor || l->text.p[i] == '/' || (l->text.p[i] == '@' && here(l, i + 1) == '{')) {
		size_t end = path_end(l, i);
		return end > i ? end : i + 1;
	}
	if (strchr("#@", l->text.p[i])) /* no name of ours begins with '@' */
		i++;
	while (i < l->text.n) {
		char c = l->text.p[i], next = here(l, i + 1);

		if (!is_letter(c) && !((c == '-' || c == '.') && is_letter(next)))
			break;
		i++;
	}
	return i;
}

/* The end of a text in quotes, or in < >, which ends with its line. */
static size_t quoted_end(const struct looking *l, size_t i, char quote)
{
	size_t end = line_end(l, i);

	for (i++; i < end && l->text.p[i] != quote; i++)
		i += l->text.p[i] == '\\' && i + 1 < end;
	return i;
}

/* True: the place is in it, or at one of its ends. */
static bool is_at(struct looking *l, size_t begin, size_t end)
{
	if (l->offset < begin || l->offset > end)
		return false;
	l->out->word = (struct str){ l->text.p + begin, end - begin };
	l->out->begin = (uint32_t)begin;
	l->out->end = (uint32_t)end;
	return true;
}

static bool take_word(struct looking *l, size_t begin, size_t end)
{
	if (is_at(l, begin, end))
		return true;
	vec_push(l->arena, &l->out->before, ((struct str){ l->text.p + begin, end - begin }));
	return false;
}

static bool take_comment(struct looking *l)
{
	size_t begin = l->at, end = line_end(l, begin);

	l->at = end;
	if (l->offset <= begin || l->offset > end)
		return false;
	size_t from = l->offset, to = l->offset; /* the word of it */
	while (from > begin && is_letter(l->text.p[from - 1]))
		from--;
	while (to < end && is_letter(l->text.p[to]))
		to++;
	l->out->comment = true;
	return is_at(l, from, to);
}

static bool after_include(const struct looking *l)
{
	struct str last = lsp_behind(l->out, 0);

	return str_is(last, "include") || str_is(last, "exists") || str_is(last, "abi");
}

/* '"' or, behind an include, '<'. */
static bool take_quoted(struct looking *l, char quote)
{
	size_t begin = l->at + 1, end = quoted_end(l, l->at, quote);

	l->at = end + (end < l->text.n && l->text.p[end] == quote);
	bool include = after_include(l);
	l->out->quoted = quote == '"';
	l->out->magic = quote == '>';
	if (take_word(l, begin, end))
		return true;
	l->out->quoted = l->out->magic = false;
	if (l->apparmor && include) /* no ',' ends it */
		new_statement(l);
	return false;
}

/* Braces and what ends a statement, outside of parentheses. False: it is something else. */
static bool take_structure(struct looking *l, char c)
{
	struct lsp_around *out = l->out;
	bool ends = l->apparmor ? c == ',' : c == ';';

	if (out->parens && c != ';' && !(l->apparmor && c == '}'))
		return false;
	if (c == '{')
		out->depth++;
	else if (c == '}')
		out->depth -= out->depth > 0;
	else if (!ends)
		return false;
	new_statement(l);
	l->at++;
	return true;
}

static void take_mark(struct looking *l, char c)
{
	size_t begin = l->at++;

	if (c == '(')
		l->out->parens++;
	else if (c == ')')
		l->out->parens -= l->out->parens > 0;
	else
		while (!l->apparmor && l->at < l->text.n && strchr("=<>!&|.", c) &&
		       strchr("=.", l->text.p[l->at]) && l->text.p[l->at])
			l->at++;
	if (c == '-' && here(l, l->at) == '>')
		l->at++;
	vec_push(l->arena, &l->out->before, ((struct str){ l->text.p + begin, l->at - begin }));
}

static bool is_comment(const struct looking *l)
{
	char next = here(l, l->at + 1);

	if (l->text.p[l->at] != '#')
		return false;
	if (l->apparmor)
		return !str_starts((struct str){ l->text.p + l->at, l->text.n - l->at },
				   "#include");
	return !l->out->before.n || next < '0' || next > '9';
}

/* "@{V} = a b", which a line's end ends. */
static bool sets_variable(const struct looking *l)
{
	return l->apparmor && !l->out->depth && l->out->before.n &&
	       str_starts(l->out->before.v[0], "@{") && lsp_in_statement(l->out, "=");
}

/* True: the place was met. */
static bool take_next(struct looking *l)
{
	char c = l->text.p[l->at];

	if (is_blank(c)) {
		if (c == '\n' && l->at < l->offset && sets_variable(l))
			new_statement(l);
		l->at++;
		return false;
	}
	if (l->at > l->offset)
		return true;
	if (is_comment(l))
		return take_comment(l);
	if (c == '"')
		return take_quoted(l, '"');
	if (c == '<' && l->apparmor && after_include(l))
		return take_quoted(l, '>');
	bool mark = l->apparmor ? strchr("{}(),=", c) != NULL :
				  !is_letter(c) && c != '#' && c != '/' && c != '@';
	if (mark && l->at == l->offset)
		return true;
	if (mark || !c) {
		if (!strchr("{};,", c) || !take_structure(l, c))
			take_mark(l, c);
		return false;
	}
	size_t begin = l->at;
	begin += c == '#' && l->apparmor;
	l->at = word_end(l, begin);
	return take_word(l, begin, l->at);
}

void lsp_look_around(struct arena *a, enum lsp_language language, struct str text, uint32_t offset,
		     struct lsp_around *out)
{
	struct looking l = { .arena = a,
			     .text = text,
			     .offset = offset,
			     .apparmor = language == LSP_APPARMOR,
			     .out = out };

	*out = (struct lsp_around){ .begin = offset, .end = offset };
	while (l.at < text.n && l.at <= l.offset)
		if (take_next(&l))
			return;
}

size_t lsp_preamble(struct arena *a, enum lsp_language language, struct str text)
{
	struct lsp_around around = { 0 };
	struct looking l = { .arena = a,
			     .text = text,
			     .offset = SIZE_MAX,
			     .apparmor = language == LSP_APPARMOR,
			     .out = &around };
	size_t end = 0;

	while (l.at < text.n && !around.depth) {
		take_next(&l);
		if (!around.before.n && !around.depth)
			end = l.at;
	}
	return end;
}

struct str lsp_behind(const struct lsp_around *l, size_t i)
{
	return i < l->before.n ? l->before.v[l->before.n - 1 - i] : str_c(NULL);
}

bool lsp_in_statement(const struct lsp_around *l, const char *word)
{
	vec_each(&l->before, w)
		if (str_is(*w, word))
			return true;
	return false;
}

struct str lsp_opener(const struct lsp_around *l, size_t *at)
{
	unsigned closed = 0;

	for (size_t i = l->before.n; i-- > 0;) {
		struct str w = l->before.v[i];

		if (str_is(w, ")")) {
			closed++;
		} else if (str_is(w, "(") && closed) {
			closed--;
		} else if (str_is(w, "(") && i &&
			   (l->before.v[i - 1].p[0] == '#' ||
			    syscall_by_name(l->before.v[i - 1]))) {
			*at = i - 1;
			return l->before.v[i - 1];
		}
	}
	return str_c(NULL);
}

/* ---- JSON ---- */

struct looking_json {
	struct str text;
	size_t at;
	struct lsp_json_around *out;
	bool objects[LSP_JSON_DEPTH];
	uint32_t begins[LSP_JSON_DEPTH];
	struct str last; /* the key that a ':' stands behind */
	bool value;      /* a ':' does */
};

static size_t json_string_end(struct str text, size_t i)
{
	for (i++; i < text.n && text.p[i] != '"' && text.p[i] != '\n'; i++)
		i += text.p[i] == '\\' && i + 1 < text.n;
	return i < text.n ? i : text.n;
}

static void json_bracket(struct looking_json *l, char c)
{
	struct lsp_json_around *out = l->out;

	if (c == '{' || c == '[') {
		if (out->depth < LSP_JSON_DEPTH) {
			l->objects[out->depth] = c == '{';
			l->begins[out->depth] = (uint32_t)l->at;
			/* what an array holds goes by the array's name */
			out->keys[out->depth] = l->value ? l->last : str_c(NULL);
			if (!l->value && out->depth && !l->objects[out->depth - 1])
				out->keys[out->depth] = out->keys[out->depth - 1];
			out->depth++;
		}
	} else if (out->depth) {
		out->depth--;
	}
	l->value = false;
}

static void json_around_end(struct looking_json *l)
{
	struct lsp_json_around *out = l->out;
	bool object = out->depth && l->objects[out->depth - 1];

	out->is_key = object && !l->value;
	out->key = l->value ? l->last : out->depth ? out->keys[out->depth - 1] : str_c(NULL);
	for (unsigned d = out->depth; d-- > 0 && !out->object;)
		if (l->objects[d])
			out->object = l->begins[d];
}

/* True: the place is in it. */
static bool json_string_at(struct looking_json *l, uint32_t offset)
{
	size_t begin = l->at + 1, end = json_string_end(l->text, l->at);
	struct str word = { l->text.p + begin, end > begin ? end - begin : 0 };

	l->at = end + (end < l->text.n);
	if (offset >= begin && offset <= end) {
		l->out->string = true;
		l->out->word = word;
		l->out->begin = (uint32_t)begin;
		l->out->end = (uint32_t)end;
		return true;
	}
	if (!l->value)
		l->last = word;
	return false;
}

void lsp_look_around_json(struct str text, uint32_t offset, struct lsp_json_around *out)
{
	struct looking_json l = { .text = text, .out = out };

	*out = (struct lsp_json_around){ .begin = offset, .end = offset };
	while (l.at < text.n && l.at < offset) {
		char c = text.p[l.at];

		if (c == '"') {
			if (json_string_at(&l, offset))
				break;
			continue;
		}
		if (c && strchr("{}[]", c))
			json_bracket(&l, c);
		else if (c == ':')
			l.value = true;
		else if (c == ',')
			l.value = false;
		l.at++;
	}
	json_around_end(&l);
}
