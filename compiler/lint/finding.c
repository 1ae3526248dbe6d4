/* SPDX-License-Identifier: Apache-2.0 */
/* Diagnostics as findings: where each is, and what it is known by. */
#include "compiler/lint/finding.h"

#include <string.h>

#include "compiler/base/table.h"

/* The first line, blanks joined to one and none at its ends: it may be indented anew. */
static uint64_t hash_place(uint64_t h, struct str text)
{
	bool blank = false, begun = false;

	for (size_t i = 0; i < text.n; i++) {
		char c = text.p[i];

		if (c == '\n' && begun)
			break;
		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			blank = true;
			continue;
		}
		if (blank && begun)
			h = hash_bytes(h, " ", 1);
		h = hash_bytes(h, &c, 1);
		blank = false;
		begun = true;
	}
	return h;
}

/*
 * What a message quotes is the file's, the rest ours: the wording may change, but not what is found.
 * "and 3 more" stands for names, too.
 */
static uint64_t hash_quoted(uint64_t h, const char *text)
{
	const char *more = strstr(text, "' and ");

	for (const char *p = text; (p = strchr(p, '\'')) != NULL; p++) {
		const char *end = strchr(p + 1, '\'');

		if (!end)
			break;
		/* "runc's": what is between an apostrophe and the next quote is no name */
		if (p > text && p[-1] != ' ' && p[-1] != '(' && p[-1] != '\n')
			continue;
		h = hash_bytes(h, p, (size_t)(end - p));
		p = end;
	}
	for (; more; more = strstr(more + 1, "' and ")) {
		size_t n = strspn(more + 6, "0123456789");

		if (n && !strncmp(more + 6 + n, " more", 5))
			h = hash_bytes(h, more + 6, n);
	}
	return h;
}

static uint64_t first_print(const struct diags *ds, const struct finding *f)
{
	const char *id = diag_info(f->diag->id)->id;
	uint64_t h = hash_bytes(HASH_START, id, strlen(id) + 1);

	if (f->source)
		h = hash_place(h, span_text(ds->sources, f->diag->span));
	h = hash_quoted(hash_bytes(h, "", 1), f->diag->text);
	return f->diag->also ? hash_bytes(h, &f->diag->also, sizeof(f->diag->also)) : h;
}

/* The n-th of those that are the same otherwise gets a print of its own. */
static void number_prints(struct arena *a, struct findings *out)
{
	struct table seen = { 0 };
	size_t *again = ARENA_ARRAY(a, size_t, out->list.n + 1);

	for (size_t i = 0; i < out->list.n; i++) {
		struct finding *f = &out->list.v[i];
		struct table_walk w = table_start(f->fingerprint);
		size_t at = table_next(&seen, &w);

		if (at == TABLE_END) {
			table_add(a, &seen, f->fingerprint, i);
			continue;
		}
		again[at]++;
		f->fingerprint = hash_bytes(f->fingerprint, &again[at], sizeof(again[at]));
	}
}

void findings_of(struct diags *ds, const char *file, struct findings *out)
{
	*out = (struct findings){ .diags = ds, .file = file };
	diags_sort(ds);
	vec_each(&ds->list, it) {
		struct finding f = { .diag = *it, .source = source_of(ds->sources, (*it)->span) };

		f.file = f.source ? f.source->name : file;
		f.fingerprint = first_print(ds, &f);
		f.reason = (*it)->suppressed;
		f.fate = f.reason ? FINDING_SUPPRESSED : FINDING_TOLD;
		vec_push(ds->arena, &out->list, f);
	}
	number_prints(ds->arena, out);
}

void findings_select(struct findings *all, const struct selection *told)
{
	size_t n = 0;

	for (size_t i = 0; i < all->list.n; i++)
		if (selection_has(told, all->list.v[i].diag))
			all->list.v[n++] = all->list.v[i];
	all->list.n = n;
}
