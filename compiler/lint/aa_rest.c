/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/aa_rest.h"

#include "compiler/base/bug.h"

/* Of a file that is not there, or not read; else of one that was, and has errors itself. */
static bool is_of_include(const struct aa_file *file, const struct diag *d)
{
	return d->id == DIAG_PL350 || d->id == DIAG_PL351 || d->id == DIAG_PL352 ||
	       d->span.source != file->source->id;
}

struct wrong {
	struct arena *arena;
	const struct aa_file *file;
	VEC(uint32_t) sources;
};

static bool is_wrong(const struct wrong *w, const struct aa_stmt *s)
{
	vec_each(&w->sources, id)
		if (*id == s->head.source)
			return true;
	return false;
}

static void set_aside(const struct wrong *w, struct aa_profile *p)
{
	size_t n = 0;

	vec_each(&p->uses, use)
		if (!is_wrong(w, use->stmt))
			p->uses.v[n++] = *use;
	p->uses.n = n;
	if (is_wrong(w, p->stmt))
		p->reach = AA_REACH_LOST;
	vec_each(&p->children, child)
		set_aside(w, *child);
}

bool aa_rest(struct arena *a, struct aa_policy *policy, const struct aa_file *file, size_t errors,
	     const struct diags *ds, size_t before)
{
	struct wrong w = { .arena = a, .file = file };
	size_t counted = 0;

	for (size_t i = before; i < ds->list.n; i++) {
		const struct diag *d = ds->list.v[i];

		if (d->severity != SEVERITY_ERROR)
			continue;
		if (!is_of_include(file, d))
			return false;
		counted++;
		if (d->span.source != file->source->id)
			vec_push(w.arena, &w.sources, d->span.source);
	}
	if (counted != ds->errors - errors) /* past the cap */
		return false;
	vec_each(&policy->profiles, p)
		set_aside(&w, *p);
	return true;
}

void aa_rest_told(const struct aa_file *file, struct diags *ds, size_t before, size_t told)
{
	if (ds->list.n == told)
		return;
	for (size_t i = before; i < told; i++) {
		struct diag *d = ds->list.v[i];

		if (d->severity == SEVERITY_ERROR && is_of_include(file, d))
			diag_note(ds, d, d->span,
				  "what the rest of the file allows is told as if this %s",
				  d->span.source == file->source->id ? "were empty" :
								       "file were empty");
	}
}
