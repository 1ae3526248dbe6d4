/* SPDX-License-Identifier: Apache-2.0 */
/* A line or a paragraph a finding: text, concise, gcc. */
#include "compiler/lint/out/parts.h"

void text_file(struct report *r, const struct findings *all)
{
	struct counts counts = { 0 };

	vec_each(&all->list, f) {
		counts.suppressed += f->fate == FINDING_SUPPRESSED;
		counts.known += f->fate == FINDING_KNOWN;
		if (f->fate != FINDING_TOLD)
			continue;
		counts.of[f->diag->severity]++;
		diag_print_text(all->diags, f->diag, r->colour, &r->body);
		buf_putc(&r->body, '\n');
	}
	buf_safe(&r->body, str_c(all->file));
	buf_puts(&r->body, ": ");
	put_counts(&r->body, &counts);
	buf_printf(&r->body, "; for %s\n", all->reader);
}

/* The one form that --statistics makes another of: what was collected is of all files. */
void text_end(struct report *r, struct buf *out)
{
	if (r->statistics)
		statistics_text(r, out);
	else
		body_end(r, out);
}

/* "file:line:column: ", the file's name alone where there is no place. */
static void put_place(struct buf *out, const struct finding *f)
{
	struct region at = region_of(f->source, f->diag->span);

	buf_safe(out, str_c(f->file));
	if (f->source)
		buf_printf(out, ":%u:%u", at.line, at.column);
	buf_puts(out, ": ");
}

void concise_file(struct report *r, const struct findings *all)
{
	vec_each(&all->list, f) {
		if (f->fate != FINDING_TOLD)
			continue;
		put_place(&r->body, f);
		buf_printf(&r->body, "%s %s: ", severity_name(f->diag->severity),
			   diag_info(f->diag->id)->id);
		buf_safe(&r->body, str_c(f->diag->text));
		buf_putc(&r->body, '\n');
	}
}

/* As compilers write them, so that editors and problem matchers read them. */
void gcc_file(struct report *r, const struct findings *all)
{
	vec_each(&all->list, f) {
		if (f->fate != FINDING_TOLD)
			continue;
		put_place(&r->body, f);
		buf_printf(&r->body, "%s: ", severity_words(f->diag->severity)->gcc);
		buf_safe(&r->body, str_c(f->diag->text));
		buf_printf(&r->body, " [%s]\n", diag_info(f->diag->id)->id);
	}
}
