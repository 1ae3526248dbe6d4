/* SPDX-License-Identifier: Apache-2.0 */
/* A line or a paragraph a finding: text, concise, gcc. */
#include "compiler/lint/out/parts.h"

static void put_number_of(struct buf *out, size_t n, const char *what)
{
	if (n)
		buf_printf(out, ", %zu %s", n, what);
}

void text_file(struct report *r, const struct findings *all)
{
	size_t counts[SEVERITY_NR] = { 0 }, suppressed = 0, known = 0;

	vec_each(&all->list, f) {
		suppressed += f->fate == FINDING_SUPPRESSED;
		known += f->fate == FINDING_KNOWN;
		if (f->fate != FINDING_TOLD)
			continue;
		counts[f->diag->severity]++;
		diag_print_text(all->diags, f->diag, r->colour, &r->body);
		buf_putc(&r->body, '\n');
	}
	buf_safe(&r->body, str_c(all->file));
	buf_puts(&r->body, ": ");
	put_counts(&r->body, counts);
	put_number_of(&r->body, suppressed, "suppressed");
	put_number_of(&r->body, known, "in the baseline");
	buf_printf(&r->body, "; for %s\n", all->reader);
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
