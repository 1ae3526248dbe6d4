/* SPDX-License-Identifier: Apache-2.0 */
/* The table of forms. */
#include "compiler/lint/out/out.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/out/parts.h"

struct report_format {
	const char *name;
	report_file_fn *of_file;
	report_end_fn *of_end;
};

static const struct report_format formats[] = {
#define FORMAT(name, of_file, of_end) { #name, of_file, of_end },
#include "compiler/lint/out/formats.def"
#undef FORMAT
};

const struct report_format *report_format_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	BUG("a format that options.def has and formats.def has not");
}

void report_file(struct report *r, const struct findings *all)
{
	r->files++;
	vec_each(&all->list, f) {
		r->suppressed += f->fate == FINDING_SUPPRESSED;
		r->known += f->fate == FINDING_KNOWN;
		if (f->fate != FINDING_TOLD)
			continue;
		r->counts[f->diag->severity]++;
		r->count_of[f->diag->id]++;
		r->failed += report_fails(r, f);
	}
	if (!r->statistics)
		r->format->of_file(r, all);
}

void report_end(struct report *r, struct buf *out)
{
	r->format->of_end(r, out);
	out->failed |= r->body.failed || r->aside.failed;
}

void report_free(struct report *r)
{
	buf_free(&r->body);
	buf_free(&r->aside);
}
