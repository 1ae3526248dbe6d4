/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/baseline.h"

#include <string.h>

#include "compiler/base/table.h"

enum { BASELINE_VERSION = 1, PRINT_DIGITS = 16 };

struct entry {
	struct str file;
	uint64_t fingerprint;
	bool met;
};

struct baseline {
	struct arena *arena;
	VEC(struct entry) list;
	struct table table, looked_at; /* entries by both; files that were marked */
	VEC(struct str) files;
};

/* "./a.json" is a.json; what is no text, or no UTF-8, as messages show it. */
static const char *name_of(struct arena *a, const char *file)
{
	while (file[0] == '.' && file[1] == '/')
		for (file += 2; *file == '/';)
			file++;
	return str_safe(a, file);
}

static uint64_t key_of(struct str file, uint64_t fingerprint)
{
	return hash_bytes(hash_bytes(HASH_START, file.p, file.n), &fingerprint,
			  sizeof(fingerprint));
}

static struct entry *find(const struct baseline *b, struct str file, uint64_t fingerprint)
{
	struct table_walk w = table_start(key_of(file, fingerprint));
	size_t at;

	while ((at = table_next(&b->table, &w)) != TABLE_END)
		if (b->list.v[at].fingerprint == fingerprint && str_eq(b->list.v[at].file, file))
			return &b->list.v[at];
	return NULL;
}

static bool was_looked_at(const struct baseline *b, struct str file)
{
	struct table_walk w = table_start(hash_str(file));
	size_t at;

	while ((at = table_next(&b->looked_at, &w)) != TABLE_END)
		if (str_eq(b->files.v[at], file))
			return true;
	return false;
}

/* ---- reading ---- */

static bool read_print(struct str s, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < s.n; i++) {
		const char *digits = "0123456789abcdef";
		const char *hit = s.p[i] ? strchr(digits, s.p[i]) : NULL;

		if (!hit)
			return false;
		*out = *out << 4 | (uint64_t)(hit - digits);
	}
	return s.n == PRINT_DIGITS;
}

static bool wrong(struct diags *ds, struct span place, const char *what)
{
	struct diag *d = diag_add(ds, DIAG_PL431, place, "this is no baseline: %s", what);

	diag_help(ds, d, "'pale lint --write-baseline FILE' writes one");
	return false;
}

static bool read_entry(struct baseline *b, const struct json *j, struct diags *ds)
{
	const struct json *file = json_get(j, "file"), *print = json_get(j, "fingerprint");
	struct entry e = { 0 };

	if (j->kind != JSON_OBJECT || !file || file->kind != JSON_STRING || !print ||
	    print->kind != JSON_STRING || !read_print(print->text, &e.fingerprint))
		return wrong(ds, j->span, "an entry needs a file and a fingerprint of 16 digits");
	e.file = file->text;
	if (!find(b, e.file, e.fingerprint)) {
		table_add(b->arena, &b->table, key_of(e.file, e.fingerprint), b->list.n);
		vec_push(b->arena, &b->list, e);
	}
	return true;
}

struct baseline *baseline_read(struct arena *a, const struct json *root, struct diags *ds)
{
	struct baseline *b = ARENA_NEW(a, struct baseline);
	const struct json *version, *findings;

	b->arena = a;
	version = root->kind == JSON_OBJECT ? json_get(root, "version") : NULL;
	findings = root->kind == JSON_OBJECT ? json_get(root, "findings") : NULL;
	if (!version || !version->is_u64 || !findings || findings->kind != JSON_ARRAY) {
		wrong(ds, root->span, "it has no version and no list of findings");
		return NULL;
	}
	if (version->u64 != BASELINE_VERSION) {
		wrong(ds, version->span, "its version is another than 1");
		return NULL;
	}
	for (const struct json *j = findings->first; j; j = j->next)
		if (!read_entry(b, j, ds))
			return NULL;
	return b;
}

/* ---- marking ---- */

static void look_at(struct baseline *b, const char *name)
{
	struct str file = str_c(str_dup(b->arena, str_c(name)));

	if (was_looked_at(b, file))
		return;
	table_add(b->arena, &b->looked_at, hash_str(file), b->files.n);
	vec_push(b->arena, &b->files, file);
}

void baseline_mark(struct baseline *b, struct findings *all)
{
	struct arena *a = all->diags->arena;

	look_at(b, name_of(a, all->file));
	vec_each(&all->list, f) {
		struct entry *e = find(b, str_c(name_of(a, f->file)), f->fingerprint);

		if (!e)
			continue;
		e->met = true;
		if (f->fate == FINDING_TOLD && !selection_stays(f->diag))
			f->fate = FINDING_KNOWN;
	}
}

size_t baseline_gone(const struct baseline *b)
{
	size_t gone = 0;

	vec_each(&b->list, e)
		gone += !e->met && was_looked_at(b, e->file);
	return gone;
}

/* ---- writing ---- */

void baseline_add(struct findings *all, struct buf *body)
{
	struct json_writer w = { .out = body, .compact = true, .begun = body->n > 0 };

	vec_each(&all->list, f) {
		if (f->fate != FINDING_TOLD || selection_stays(f->diag))
			continue;
		json_line(&w, "\n");
		json_open(&w, NULL, '{');
		json_text(&w, "file", name_of(all->diags->arena, f->file));
		json_text(&w, "id", diag_info(f->diag->id)->id);
		json_hex(&w, "fingerprint", f->fingerprint);
		json_text(&w, "message", f->diag->text);
		json_close(&w, '}');
		f->fate = FINDING_KNOWN;
	}
}

void baseline_end(const struct buf *body, struct buf *out)
{
	buf_printf(out, "{\"version\":%d,\"findings\":[", BASELINE_VERSION);
	if (body->n)
		buf_add(out, body->p, body->n);
	buf_puts(out, "\n]}\n");
	out->failed |= body->failed;
}
