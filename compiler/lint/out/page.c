/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/lint/out/page.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/select.h"

const char *rule_formats(const struct lint_rule *r)
{
	unsigned all = LINT_PALE | LINT_JSON | LINT_APPARMOR;

	return (r->formats & all) == all                         ? "apparmor,json,pale" :
	       r->formats == (LINT_PALE | LINT_JSON)             ? "json,pale" :
	       r->formats == LINT_JSON                           ? "json" :
	       r->formats == LINT_DEPLOYMENT                     ? "deployment" :
	       r->formats & (LINT_APPARMOR | LINT_APPARMOR_FILE) ? "apparmor" :
								   "pale";
}

/* What Markdown would take for its own stands behind a backslash; a blank line parts paragraphs. */
static void put_text(struct buf *out, const char *text)
{
	for (; *text; text++) {
		if (strchr("\\`*_[]<>|#~", *text))
			buf_putc(out, '\\');
		buf_putc(out, *text);
	}
}

static void put_comment(struct buf *out, const struct lint_rule *r)
{
	const char *id = diag_info(r->id)->id;
	const struct diag example = { .id = r->id, .severity = diag_info(r->id)->severity };

	if (r->id == DIAG_DS517 ||
	    selection_stays(&example)) /* no comment keeps them from being told */
		return;
	buf_puts(out, "\nWhere it is meant: ");
	if (r->formats != LINT_JSON)
		buf_printf(out, "`# pale: ignore %s REASON` in its line or the line above", id);
	if (r->formats & LINT_JSON)
		buf_printf(out, "%s`\"comment\": \"pale: ignore %s REASON\"` in its entry",
			   r->formats != LINT_JSON ? "; in JSON " : "", id);
	buf_puts(out, ".\n");
}

void rule_page(const struct lint_rule *r, struct buf *out)
{
	const struct diag_info *info = diag_info(r->id);

	buf_printf(out, "# %s %s\n\n", info->id, info->slug);
	put_text(out, info->doc);
	buf_printf(out, " (%s; of %s)\n\n", severity_name(info->severity), rule_formats(r));
	put_text(out, r->explain);
	buf_putc(out, '\n');
	if (lint_rule_fix(r->id))
		buf_printf(out, "\nFixed by `pale lint --fix%s`.\n",
			   strcmp(lint_rule_fix(r->id), "safe") != 0 ? "=unsafe" : "");
	put_comment(out, r);
	buf_puts(out, "\nAll rules: [README.md](README.md)\n");
}

static const char *family_of(const char *id)
{
	static const struct {
		const char *family, *what;
	} families[] = {
		{ "SJ", "the form of seccomp JSON" },
		{ "SC", "what a filter means" },
		{ "SR", "what it lets through" },
		{ "SP", "what a policy leaves open" },
		{ "DS", "policies" },
		{ "AP", "AppArmor profiles" },
		{ "DP", "deployments" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (!strncmp(families[i].family, id, 2))
			return families[i].what;
	return "others";
}

static void put_left_out(struct buf *out)
{
	const struct lint_left_out *l;

	buf_puts(out,
		 "\n## Not rules\n\nAsked for, and left out.\n\n| id | | why |\n|---|---|---|\n");
	for (size_t i = 0; (l = lint_left_out_at(i)); i++) {
		buf_printf(out, "| %s | %s | ", l->id, l->slug);
		put_text(out, l->why);
		buf_puts(out, " |\n");
	}
}

void rule_index(struct buf *out)
{
	const char *family = "";

	buf_puts(out, "# Rules of pale lint\n\nWritten by `pale lint --docs`.\n");
	for (size_t i = 0; i < lint_rule_count(); i++) {
		const struct diag_info *info = diag_info(lint_rule_at(i)->id);

		if (strncmp(family, info->id, 2) != 0) {
			family = info->id;
			buf_printf(
				out,
				"\n## %.2s: %s\n\n| id | rule | severity | |\n|---|---|---|---|\n",
				family, family_of(family));
		}
		buf_printf(out, "| [%s](%s.md) | %s | %s | ", info->id, info->id, info->slug,
			   severity_name(info->severity));
		put_text(out, info->doc);
		buf_puts(out, " |\n");
	}
	put_left_out(out);
}
