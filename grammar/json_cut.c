/* SPDX-License-Identifier: Apache-2.0 */
#include "grammar/json_cut.h"

/* Where it begins with its key, if it has one. */
static uint32_t begin_of(const struct json *j, const struct json *parent)
{
	return parent->kind == JSON_OBJECT ? j->key_span.begin : j->span.begin;
}

static void cut_bytes(struct diags *ds, struct diag *d, const struct json *parent, uint32_t begin,
		      uint32_t end)
{
	diag_fix(ds, d, (struct span){ parent->span.source, begin, end }, STR(""));
}

static bool has_newline(struct diags *ds, const struct json *parent, uint32_t begin, uint32_t end)
{
	struct str text = span_text(ds->sources, (struct span){ parent->span.source, begin, end });

	return text.n && memchr(text.p, '\n', text.n);
}

/* Do they stand behind `kept` in its line, and `next` in another? */
static bool ends_line(struct diags *ds, const struct json *parent, const struct json *kept,
		      const struct json *from, const struct json *last, const struct json *next)
{
	return !has_newline(ds, parent, kept->span.end, begin_of(from, parent)) &&
	       has_newline(ds, parent, last->span.end, begin_of(next, parent));
}

void json_fix_cut(struct diags *ds, struct diag *d, const struct json *parent, const json_list *cut)
{
	const struct json *kept = NULL, *from = NULL, *last = NULL;
	size_t at = 0;

	for (const struct json *j = parent->first; j; j = j->next) {
		if (at < cut->n && cut->v[at] == j) {
			from = from ? from : j;
			last = j;
			at++;
			continue;
		}
		if (from && kept && ends_line(ds, parent, kept, from, last, j))
			cut_bytes(ds, d, parent, kept->span.end, last->span.end);
		else if (from) /* what follows takes their place */
			cut_bytes(ds, d, parent, begin_of(from, parent), begin_of(j, parent));
		from = NULL;
		kept = j;
	}
	if (!from)
		return;
	if (kept)
		cut_bytes(ds, d, parent, kept->span.end, last->span.end);
	else
		cut_bytes(ds, d, parent, parent->span.begin + 1, parent->span.end - 1);
}

/* What stands between two elements, or before the only one: its blanks, and a comma in front. */
static struct str layout_of(struct diags *ds, const struct json *parent, const struct json *last,
			    const struct json *before)
{
	uint32_t begin = before ? before->span.end : parent->span.begin + 1;
	struct str blanks = span_text(
		ds->sources, (struct span){ parent->span.source, begin, begin_of(last, parent) });
	const char *comma = memchr(blanks.p, ',', blanks.n);

	if (comma)
		blanks = (struct str){ comma + 1, blanks.n - (size_t)(comma + 1 - blanks.p) };
	else if (!memchr(blanks.p, '\n', blanks.n))
		blanks = STR(" ");
	return blanks;
}

void json_fix_append(struct diags *ds, struct diag *d, const struct json *array,
		     const struct str *texts, size_t n)
{
	const struct json *last = NULL, *before = NULL;
	uint32_t at = array->span.begin + 1;
	struct str layout = STR(" ");
	BUF_AUTO out = { 0 };

	for (const struct json *j = array->first; j; j = j->next) {
		before = last;
		last = j;
	}
	if (last) {
		at = last->span.end;
		layout = layout_of(ds, array, last, before);
	}
	for (size_t i = 0; i < n; i++) {
		if (last || i) {
			buf_putc(&out, ',');
			buf_add(&out, layout.p, layout.n);
		}
		buf_add(&out, texts[i].p, texts[i].n);
	}
	diag_fix(ds, d, (struct span){ array->span.source, at, at },
		 str_c(buf_keep(ds->arena, &out)));
}

void json_fix_member(struct diags *ds, struct diag *d, const struct json *object, const char *text)
{
	uint32_t at = object->span.begin + 1;
	struct str blanks = STR("");
	const char *comma = "";

	if (object->first) {
		uint32_t end = begin_of(object->first, object);
		blanks = span_text(ds->sources, (struct span){ object->span.source, at, end });
		comma = ",";
		if (!blanks.n)
			blanks = STR(" ");
		diag_fix(
			ds, d, (struct span){ object->span.source, end, end },
			str_c(arena_printf(ds->arena, "%s%s" PRISTR, text, comma, STRARG(blanks))));
		return;
	}
	diag_fix(ds, d, (struct span){ object->span.source, at, at }, str_c(text));
}
