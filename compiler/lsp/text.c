/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lsp/text.h"

const char *const lsp_encoding_names[] = { [LSP_UTF16] = "utf-16", [LSP_UTF8] = "utf-8" };

/* Where the line that begins here ends, without its LF, CRLF or CR. */
static size_t line_end(struct str text, size_t at)
{
	const char *lf = memchr(text.p + at, '\n', text.n - at);
	size_t end = lf ? (size_t)(lf - text.p) : text.n;
	const char *cr = memchr(text.p + at, '\r', end - at);

	return cr ? (size_t)(cr - text.p) : end;
}

/* Where the next one begins; `end` is of line_end(), and no end of the text. */
static size_t next_line(struct str text, size_t end)
{
	bool both = text.p[end] == '\r' && end + 1 < text.n && text.p[end + 1] == '\n';

	return end + 1 + both;
}

/* The character here: its bytes, and the units that it counts for. A byte of none is one of both. */
static size_t character(struct str text, size_t at, enum lsp_encoding e, uint32_t *units)
{
	size_t n = utf8_len(text.p + at, text.n - at);

	n = n ? n : 1;
	*units = e == LSP_UTF8 ? (uint32_t)n : n == 4 ? 2 : 1;
	return n;
}

void lsp_lines_of(struct arena *a, struct str text, enum lsp_encoding e, struct lsp_lines *out)
{
	*out = (struct lsp_lines){ .text = text, .encoding = e };
	vec_push(a, &out->starts, 0u);
	for (size_t at = line_end(text, 0); at < text.n; at = line_end(text, at)) {
		at = next_line(text, at);
		vec_push(a, &out->starts, (uint32_t)at);
	}
}

struct lsp_position lsp_position_of(struct lsp_lines *l, uint32_t offset)
{
	size_t lo = 0, hi = l->starts.n;

	offset = offset < l->text.n ? offset : (uint32_t)l->text.n;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (l->starts.v[mid] <= offset)
			lo = mid;
		else
			hi = mid;
	}
	if (lo != l->line || offset < l->at || l->at < l->starts.v[lo]) {
		l->line = (uint32_t)lo;
		l->at = l->starts.v[lo];
		l->units = 0;
	}
	while (l->at < offset) {
		uint32_t units;
		size_t n = character(l->text, l->at, l->encoding, &units);

		if (l->at + n > offset) /* amid it */
			break;
		l->at += (uint32_t)n;
		l->units += units;
	}
	return (struct lsp_position){ l->line, l->units };
}

uint32_t lsp_offset_of(struct str text, enum lsp_encoding e, struct lsp_position p)
{
	size_t at = 0, end = line_end(text, 0);

	for (; p.line; p.line--) {
		if (end >= text.n)
			return (uint32_t)text.n;
		at = next_line(text, end);
		end = line_end(text, at);
	}
	for (uint32_t left = p.character; at < end;) {
		uint32_t units;
		size_t n = character(text, at, e, &units);

		if (units > left)
			break;
		left -= units;
		at += n;
	}
	return (uint32_t)at;
}

static void put_position(struct json_writer *w, const char *key, struct lsp_position p)
{
	json_open(w, key, '{');
	json_number(w, "line", p.line);
	json_number(w, "character", p.character);
	json_close(w, '}');
}

void lsp_put_range(struct json_writer *w, const char *key, struct lsp_lines *l, uint32_t begin,
		   uint32_t end)
{
	json_open(w, key, '{');
	put_position(w, "start", lsp_position_of(l, begin));
	put_position(w, "end", lsp_position_of(l, end < begin ? begin : end));
	json_close(w, '}');
}
