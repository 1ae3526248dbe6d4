/* SPDX-License-Identifier: Apache-2.0 */
/* GitHub's workflow commands: a line a finding, which becomes a note at its place. */
#include "compiler/lint/out/parts.h"

/* As the runner reads it back: a value of a property ends at ':' and ','. */
static void put_data(struct buf *out, const char *text, bool property)
{
	BUF_AUTO safe = { 0 };

	buf_safe(&safe, str_c(text)); /* no line end is left */
	out->failed |= safe.failed;
	for (size_t i = 0; i < safe.n; i++) {
		char c = safe.p[i];

		if (c == '%' || (property && (c == ':' || c == ',')))
			buf_printf(out, "%%%02X", (unsigned char)c);
		else
			buf_putc(out, c);
	}
}

void github_file(struct report *r, const struct findings *all)
{
	struct buf *out = &r->body;

	vec_each(&all->list, f) {
		const struct diag_info *info = diag_info(f->diag->id);
		struct region at = region_of(f->source, f->diag->span);

		if (f->fate != FINDING_TOLD)
			continue;
		buf_printf(out, "::%s file=", severity_words(f->diag->severity)->github);
		put_data(out, repository_path(f->file), true);
		if (f->source)
			buf_printf(out, ",line=%u,endLine=%u", at.line, at.end_line);
		if (f->source && at.line == at.end_line) /* of one line alone, says the runner */
			buf_printf(out, ",col=%u,endColumn=%u", at.column, at.end_column);
		buf_printf(out, ",title=%s %s::", info->id, info->slug);
		put_data(out, f->diag->text, false);
		if (f->diag->help) {
			buf_puts(out, "%0Ahelp: ");
			put_data(out, f->diag->help, false);
		}
		buf_putc(out, '\n');
	}
}
