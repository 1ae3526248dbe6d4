/* SPDX-License-Identifier: Apache-2.0 */
/* How many findings a rule has, in all files: the most first. */
#include <stdlib.h>
#include <string.h>

#include "compiler/lint/out/parts.h"

struct tally {
	enum diag_id id;
	size_t n;
};

static int compare_tallies(const void *x, const void *y)
{
	const struct tally *a = x, *b = y;

	if (a->n != b->n)
		return a->n > b->n ? -1 : 1;
	return (a->id > b->id) - (a->id < b->id);
}

static size_t sorted(const struct report *r, struct tally out[DIAG_NR])
{
	size_t n = 0;

	for (unsigned i = 0; i < DIAG_NR; i++)
		if (r->count_of[i])
			out[n++] = (struct tally){ (enum diag_id)i, r->count_of[i] };
	qsort(out, n, sizeof(*out), compare_tallies);
	return n;
}

void statistics_text(const struct report *r, struct buf *out)
{
	struct tally all[DIAG_NR];
	struct counts sum = { .suppressed = r->suppressed, .known = r->known };
	size_t n = sorted(r, all);

	for (size_t i = 0; i < n; i++) {
		const struct diag_info *info = diag_info(all[i].id);

		buf_printf(out, "%6zu  %-6s %-28s %s\n", all[i].n, info->id, info->slug, info->doc);
	}
	memcpy(sum.of, r->counts, sizeof(sum.of));
	put_counts(out, &sum);
	buf_printf(out, " in %zu file%s\n", r->files, r->files == 1 ? "" : "s");
}

void statistics_json(const struct report *r, struct json_writer *w)
{
	struct tally all[DIAG_NR];
	size_t n = sorted(r, all);

	json_open(w, "statistics", '[');
	for (size_t i = 0; i < n; i++) {
		json_line(w, "\n");
		json_open(w, NULL, '{');
		json_text(w, "id", diag_info(all[i].id)->id);
		json_text(w, "slug", diag_info(all[i].id)->slug);
		json_number(w, "count", all[i].n);
		json_close(w, '}');
	}
	json_line(w, "\n");
	json_close(w, ']');
}
