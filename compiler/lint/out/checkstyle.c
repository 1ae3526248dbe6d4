/* SPDX-License-Identifier: Apache-2.0 */
/* Checkstyle's XML: findings by the file that they are in. */
#include <string.h>

#include "compiler/lint/out/parts.h"
#include "compiler/base/xml.h"

static void put_error(struct buf *out, const struct finding *f)
{
	struct region at = region_of(f->source, f->diag->span);
	BUF_AUTO rule = { 0 };

	buf_printf(&rule, "pale.%s", diag_info(f->diag->id)->id);
	buf_puts(out, "<error");
	xml_number(out, "line", at.line);
	xml_number(out, "column", at.column);
	xml_attribute(out, "severity", severity_words(f->diag->severity)->checkstyle);
	xml_attribute(out, "message", f->diag->text);
	xml_attribute(out, "source", rule.p);
	buf_puts(out, "/>\n");
}

static void open_file(struct buf *out, const char *name)
{
	buf_puts(out, "<file");
	xml_attribute(out, "name", name);
	buf_puts(out, ">\n");
}

/* A file without findings has an element, too: it was looked at. */
void checkstyle_file(struct report *r, const struct findings *all)
{
	const char *open = all->file;
	struct buf *out = &r->body;

	open_file(out, open);
	vec_each(&all->list, f) {
		if (f->fate != FINDING_TOLD)
			continue;
		if (strcmp(f->file, open) != 0) { /* what is included */
			buf_puts(out, "</file>\n");
			open_file(out, f->file);
			open = f->file;
		}
		put_error(out, f);
	}
	buf_puts(out, "</file>\n");
}

void checkstyle_end(struct report *r, struct buf *out)
{
	buf_puts(out, XML_HEAD "<checkstyle version=\"4.3\">\n");
	body_end(r, out);
	buf_puts(out, "</checkstyle>\n");
}
