/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JUnit: a file is a suite, a finding a case. What counts for the exit status fails, what is
 * suppressed or in the baseline is skipped, the rest passes with its text as output; so does a
 * file in which nothing was found.
 */
#include "compiler/lint/out/parts.h"
#include "compiler/base/xml.h"

static void put_text(struct buf *out, const struct finding *f)
{
	struct region at = region_of(f->source, f->diag->span);

	xml_put(out, str_c(f->file));
	if (f->source)
		buf_printf(out, ":%u:%u", at.line, at.column);
	buf_printf(out, ": %s: ", severity_name(f->diag->severity));
	xml_put(out, str_c(f->diag->text));
	if (f->diag->help) {
		buf_puts(out, "\nhelp: ");
		xml_put(out, str_c(f->diag->help));
	}
}

static void put_result(const struct report *r, const struct finding *f, struct buf *out)
{
	if (f->fate != FINDING_TOLD) {
		buf_puts(out, "<skipped");
		xml_attribute(out, "message",
			      f->fate == FINDING_KNOWN ? "in the baseline" : f->reason);
		buf_puts(out, "/>");
	} else if (report_fails(r, f)) {
		buf_puts(out, "<failure");
		xml_attribute(out, "message", f->diag->text);
		xml_attribute(out, "type", severity_name(f->diag->severity));
		buf_putc(out, '>');
		put_text(out, f);
		buf_puts(out, "</failure>");
	} else {
		buf_puts(out, "<system-out>");
		put_text(out, f);
		buf_puts(out, "</system-out>");
	}
}

static void put_case(const struct report *r, const struct findings *all, const struct finding *f,
		     struct buf *out)
{
	const struct diag_info *info = diag_info(f->diag->id);
	struct region at = region_of(f->source, f->diag->span);
	BUF_AUTO name = { 0 };

	buf_printf(&name, "%s %s, line %u", info->id, info->slug, at.line);
	buf_puts(out, "<testcase");
	xml_attribute(out, "classname", all->file);
	xml_attribute(out, "name", name.p);
	xml_attribute(out, "file", f->file);
	xml_number(out, "line", at.line);
	buf_putc(out, '>');
	put_result(r, f, out);
	buf_puts(out, "</testcase>\n");
}

void junit_file(struct report *r, const struct findings *all)
{
	struct buf *out = &r->body;
	size_t failures = 0, skipped = 0, tests = all->list.n ? all->list.n : 1;

	vec_each(&all->list, f) {
		failures += report_fails(r, f);
		skipped += f->fate != FINDING_TOLD;
	}
	buf_puts(out, "<testsuite");
	xml_attribute(out, "name", all->file);
	xml_number(out, "tests", tests);
	xml_number(out, "failures", failures);
	xml_number(out, "errors", 0);
	xml_number(out, "skipped", skipped);
	buf_puts(out, ">\n");
	if (!all->list.n) {
		buf_puts(out, "<testcase");
		xml_attribute(out, "classname", all->file);
		xml_attribute(out, "name", "no findings");
		buf_puts(out, "/>\n");
	}
	vec_each(&all->list, f)
		put_case(r, all, f, out);
	buf_puts(out, "</testsuite>\n");
	r->written += tests;
	r->set_aside += skipped;
}

void junit_end(struct report *r, struct buf *out)
{
	buf_puts(out, XML_HEAD "<testsuites");
	xml_attribute(out, "name", "pale lint");
	xml_number(out, "tests", r->written);
	xml_number(out, "failures", r->failed);
	xml_number(out, "errors", 0);
	xml_number(out, "skipped", r->set_aside);
	buf_puts(out, ">\n");
	body_end(r, out);
	buf_puts(out, "</testsuites>\n");
}
