/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The language server: any bytes as a client's. 'R' first: as they come, in pieces; else each line is
 * the body of a message. What it answers is whole messages, and each of them JSON. Its host says of a
 * policy what the parser does, and offers that as it is: proofs have a fuzzer of their own.
 */
#include <stdlib.h>
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lsp/lsp.h"
#include "grammar/json.h"
#include "grammar/parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct host {
	struct arena *arena; /* of one linting */
	struct findings all;
};

static const struct findings *find(struct host *h, const struct lsp_file *file)
{
	arena_empty(h->arena);
	struct sources *sources = sources_new(h->arena);
	struct diags *ds = diags_new(h->arena, sources);

	pale_parse_source(h->arena, source_give(sources, file->path, file->text), ds);
	findings_of(ds, file->path, &h->all);
	return &h->all;
}

static const char *lint(void *who, const struct lsp_file *file, lsp_findings_fn *put, void *to)
{
	put(to, find(who, file), file->guessed ? "https://host/rules" : NULL);
	return file->text.n ? NULL : "an empty one";
}

static void fixes(void *who, const struct lsp_file *file, struct span at, lsp_fix_fn *put, void *to)
{
	const struct findings *all = find(who, file);

	vec_each(&all->list, f)
		if (f->diag->fix.edits.n && f->diag->span.begin >= at.begin)
			put(to, all, f);
}

static void fix_all(void *who, const struct lsp_file *file, lsp_text_fn *put, void *to)
{
	(void)who;
	put(to, (struct str){ file->text.p, file->text.n / 2 });
}

static void context(void *who, const char *path, struct lsp_context *out)
{
	static const char *const nowhere[] = { NULL };

	(void)who;
	(void)path;
	*out = (struct lsp_context){ .set_dirs = nowhere };
}

static void forget(void *who)
{
	(void)who;
}

/* Whole messages, one after another. */
static void check_answers(const struct buf *out)
{
	struct str left = { out->p, out->n };

	while (left.n) {
		const char *end = memmem(left.p, left.n, "\r\n\r\n", 4);
		BUG_ON(!end || !str_starts(left, "Content-Length: "));
		size_t n = strtoul(left.p + strlen("Content-Length: "), NULL, 10);
		struct str body = { end + 4, n };
		BUG_ON(n > left.n - (size_t)(body.p - left.p));
		struct arena *a = arena_new(NULL);
		struct sources *sources = sources_new(a);
		struct diags *ds = diags_new(a, sources);
		const struct json *root = json_parse(a, source_add(sources, "answer", body), ds);
		BUG_ON(!root || ds->errors || root->kind != JSON_OBJECT);
		arena_free(a);
		left.n -= (size_t)(body.p - left.p) + n;
		left.p = body.p + n;
	}
}

static void send_lines(struct lsp *l, struct str text, struct buf *out)
{
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;
		BUF_AUTO frame = { 0 };

		buf_printf(&frame, "Content-Length: %zu\r\n\r\n", n);
		buf_add(&frame, text.p, n);
		lsp_take(l, (struct str){ frame.p, frame.n }, out);
		lsp_settle(l, out);
		text.p += n + (end != NULL);
		text.n -= n + (end != NULL);
	}
}

static void send_raw(struct lsp *l, struct str text, struct buf *out)
{
	for (size_t n; text.n; text.p += n, text.n -= n) {
		n = text.n < 7 ? text.n : 7;
		lsp_take(l, (struct str){ text.p, n }, out);
		lsp_settle(l, out);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct host h = { .arena = arena_new(NULL) };
	const struct lsp_host host = { .who = &h,
				       .arena = a,
				       .lint = lint,
				       .fixes = fixes,
				       .fix_all = fix_all,
				       .context = context,
				       .forget = forget };
	struct lsp *l = lsp_new(&host);
	struct str text = { (const char *)data, size };
	BUF_AUTO out = { 0 };
	int status;

	if (size && data[0] == 'R')
		send_raw(l, (struct str){ text.p + 1, text.n - 1 }, &out);
	else
		send_lines(l, text, &out);
	check_answers(&out);
	BUG_ON(lsp_ended(l, &status) && status != 0 && status != 1);
	lsp_free(l);
	arena_free(h.arena);
	arena_free(a);
	return 0;
}
