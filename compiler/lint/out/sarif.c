/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SARIF 2.1.0 (OASIS), within what GitHub's code scanning takes of it: 25,000 results a run, 1,000
 * places a result, 20 tags a rule ("SARIF support for code scanning"). What is beyond is counted, and
 * said in the document and by the caller. Its upload adds primaryLocationLineHash itself, of lines
 * as it reads them, so that one of ours would only disagree.
 */
#include <string.h>

#include "compiler/lint/lint.h"
#include "compiler/lint/out/parts.h"

enum { RESULTS_MAX = 25000, PLACES_MAX = 1000 };

/* ---- places ---- */

static void put_region(const struct source *src, struct span sp, const char *key,
		       struct json_writer *w)
{
	struct region at = region_of(src, sp);

	json_open(w, key, '{');
	json_number(w, "startLine", at.line);
	json_number(w, "startColumn", at.column);
	json_number(w, "endLine", at.end_line);
	json_number(w, "endColumn", at.end_column);
	json_close(w, '}');
}

/* Members of an object: a place in a file, with a region where there is one. */
static void put_physical(const char *file, const struct source *src, struct span sp,
			 struct json_writer *w)
{
	BUF_AUTO uri = { 0 };

	put_uri(&uri, file);
	json_open(w, "physicalLocation", '{');
	json_open(w, "artifactLocation", '{');
	json_text(w, "uri", uri.p ? uri.p : "");
	json_close(w, '}');
	if (src)
		put_region(src, sp, "region", w);
	json_close(w, '}');
}

static void put_sentence(struct json_writer *w, const char *key, const char *text)
{
	json_open(w, key, '{');
	json_text(w, "text", text);
	json_close(w, '}');
}

/* Notes, and the other places of the same. */
static void put_related(const struct findings *all, const struct diag *d, struct json_writer *w)
{
	size_t n = d->labels.n < PLACES_MAX ? d->labels.n : PLACES_MAX - 1;

	if (!n)
		return;
	json_open(w, "relatedLocations", '[');
	for (size_t i = 0; i < n; i++) {
		const struct diag_label *l = &d->labels.v[i];
		const struct source *src = source_of(all->diags->sources, l->span);

		json_open(w, NULL, '{');
		json_number(w, "id", i + 1);
		if (src)
			put_physical(src->name, src, l->span, w);
		put_sentence(w, "message", l->text);
		json_close(w, '}');
	}
	json_close(w, ']');
}

/* ---- results ---- */

static void put_message(const struct diag *d, struct json_writer *w)
{
	size_t beyond = d->labels.n < PLACES_MAX ? 0 : d->labels.n - (PLACES_MAX - 1);
	BUF_AUTO text = { 0 };

	buf_puts(&text, d->text);
	buf_puts(&text, ".");
	if (d->help)
		buf_printf(&text, " Way out: %s.", d->help);
	if (beyond)
		buf_printf(&text, " %zu more places are not listed.", beyond);
	json_open(w, "message", '{');
	json_string(w, "text", (struct str){ text.p, text.n });
	json_close(w, '}');
}

static void put_replacement(const struct source *src, const struct edit *e, struct json_writer *w)
{
	json_open(w, NULL, '{');
	put_region(src, e->span, "deletedRegion", w);
	json_open(w, "insertedContent", '{');
	json_string(w, "text", e->replacement);
	json_close(w, '}');
	json_close(w, '}');
}

static void put_fixes(const struct findings *all, const struct diag *d, struct json_writer *w)
{
	const struct source *src =
		d->fix.edits.n ? source_of(all->diags->sources, d->fix.edits.v[0].span) : NULL;
	BUF_AUTO uri = { 0 };

	if (!src)
		return;
	put_uri(&uri, src->name);
	json_open(w, "fixes", '[');
	json_open(w, NULL, '{');
	put_sentence(w, "description", d->help ? d->help : "what it should be");
	json_open(w, "artifactChanges", '[');
	json_open(w, NULL, '{');
	json_open(w, "artifactLocation", '{');
	json_text(w, "uri", uri.p ? uri.p : "");
	json_close(w, '}');
	json_open(w, "replacements", '[');
	vec_each(&d->fix.edits, e)
		put_replacement(src, e, w);
	json_close(w, ']');
	json_close(w, '}');
	json_close(w, ']');
	json_close(w, '}');
	json_close(w, ']');
}

static void put_suppressions(const struct finding *f, struct json_writer *w)
{
	json_open(w, "suppressions", '[');
	if (f->fate != FINDING_TOLD) {
		json_open(w, NULL, '{');
		json_text(w, "kind", f->fate == FINDING_KNOWN ? "external" : "inSource");
		json_text(w, "justification",
			  f->fate == FINDING_KNOWN ? "in the baseline" : f->reason);
		json_close(w, '}');
	}
	json_close(w, ']');
}

static unsigned rule_index(struct report *r, enum diag_id id)
{
	if (!r->rule_at[id]) {
		r->rules[r->nrules++] = id;
		r->rule_at[id] = r->nrules;
	}
	return r->rule_at[id] - 1;
}

static void put_result(struct report *r, const struct findings *all, const struct finding *f,
		       struct json_writer *w)
{
	const struct diag *d = f->diag;

	json_line(w, "\n");
	json_open(w, NULL, '{');
	json_text(w, "ruleId", diag_info(d->id)->id);
	json_number(w, "ruleIndex", rule_index(r, d->id));
	json_text(w, "level", severity_words(d->severity)->sarif);
	put_message(d, w);
	json_open(w, "locations", '[');
	json_open(w, NULL, '{');
	put_physical(f->file, f->source, d->span, w);
	json_close(w, '}');
	json_close(w, ']');
	put_related(all, d, w);
	json_open(w, "partialFingerprints", '{');
	json_hex(w, "paleFinding/v1", f->fingerprint);
	json_close(w, '}');
	put_fixes(all, d, w);
	if (r->baseline)
		json_text(w, "baselineState", f->fate == FINDING_KNOWN ? "unchanged" : "new");
	put_suppressions(f, w);
	json_open(w, "properties", '{');
	json_text(w, "severity", severity_name(d->severity));
	json_close(w, '}');
	json_close(w, '}');
}

void sarif_file(struct report *r, const struct findings *all)
{
	struct json_writer w = { .out = &r->body, .compact = true };

	vec_each(&all->list, f) {
		if (r->written == RESULTS_MAX) {
			r->left_out++;
			continue;
		}
		w.begun = r->written++ > 0;
		put_result(r, all, f, &w);
	}
}

/* ---- rules ---- */

static const char *explanation(enum diag_id id)
{
	for (size_t i = 0; i < lint_rule_count(); i++)
		if (lint_rule_at(i)->id == id)
			return lint_rule_at(i)->explain;
	return NULL;
}

/* "clone3-eperm" as "Clone3Eperm", which is how SARIF writes a rule's name. */
static void put_name(struct json_writer *w, const char *slug)
{
	BUF_AUTO name = { 0 };
	bool first = true;

	for (; *slug; slug++) {
		bool lower = *slug >= 'a' && *slug <= 'z';

		if (*slug != '-')
			buf_putc(&name, (char)(first && lower ? *slug - 'a' + 'A' : *slug));
		first = *slug == '-';
	}
	json_string(w, "name", (struct str){ name.p, name.n });
}

/* What a text says and whether it is one at all (PL, SJ) is no question of security. */
static bool is_security(const char *id)
{
	return strncmp(id, "PL", 2) != 0 && strncmp(id, "SJ", 2) != 0;
}

static void put_properties(const struct diag_info *info, struct json_writer *w)
{
	char family[3] = { info->id[0], info->id[1], '\0' };

	json_open(w, "properties", '{');
	json_open(w, "tags", '[');
	json_text(w, NULL, is_security(info->id) ? "security" : "correctness");
	json_text(w, NULL, family);
	json_close(w, ']');
	json_text(w, "precision", "very-high");
	if (is_security(info->id))
		json_text(w, "security-severity", severity_words(info->severity)->security);
	json_close(w, '}');
}

static void put_rule(const struct report *r, enum diag_id id, struct json_writer *w)
{
	const struct diag_info *info = diag_info(id);
	const char *text = explanation(id);
	BUF_AUTO doc = { 0 }, page = { 0 };

	buf_printf(&doc, "%s.", info->doc);
	json_line(w, "\n");
	json_open(w, NULL, '{');
	json_text(w, "id", info->id);
	put_name(w, info->slug);
	json_open(w, "shortDescription", '{');
	json_string(w, "text", (struct str){ doc.p, doc.n });
	json_close(w, '}');
	if (text)
		put_sentence(w, "fullDescription", text);
	json_open(w, "help", '{');
	json_text(w, "text", text ? text : info->doc);
	json_close(w, '}');
	if (r->pages && text) { /* what is no rule has no page */
		buf_printf(&page, "%s%s%s.md", r->pages,
			   r->pages[strlen(r->pages) - 1] == '/' ? "" : "/", info->id);
		json_string(w, "helpUri", (struct str){ page.p, page.n });
	}
	json_open(w, "defaultConfiguration", '{');
	json_text(w, "level", severity_words(info->severity)->sarif);
	json_close(w, '}');
	put_properties(info, w);
	json_close(w, '}');
}

/* ---- the document ---- */

static void put_tool(const struct report *r, struct json_writer *w)
{
	json_open(w, "tool", '{');
	json_open(w, "driver", '{');
	json_text(w, "name", "pale");
	json_text(w, "semanticVersion", PALE_VERSION);
	json_optional(w, "informationUri", r->pages);
	json_open(w, "rules", '[');
	for (unsigned i = 0; i < r->nrules; i++)
		put_rule(r, r->rules[i], w);
	json_close(w, ']');
	json_close(w, '}');
	json_close(w, '}');
}

static void put_invocation(const struct report *r, struct json_writer *w)
{
	BUF_AUTO text = { 0 };

	json_open(w, "invocations", '[');
	json_open(w, NULL, '{');
	json_bool(w, "executionSuccessful", true);
	if (r->left_out) {
		buf_printf(&text, "%zu more findings are not listed: GitHub takes %d a run.",
			   r->left_out, RESULTS_MAX);
		json_open(w, "toolExecutionNotifications", '[');
		json_open(w, NULL, '{');
		json_text(w, "level", "warning");
		put_sentence(w, "message", text.p);
		json_close(w, '}');
		json_close(w, ']');
	}
	json_close(w, '}');
	json_close(w, ']');
}

void sarif_end(struct report *r, struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	json_text(&w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
	json_text(&w, "version", "2.1.0");
	json_open(&w, "runs", '[');
	json_open(&w, NULL, '{');
	put_tool(r, &w);
	put_invocation(r, &w);
	json_text(&w, "columnKind", "unicodeCodePoints");
	json_open(&w, "properties", '{');
	json_text(&w, "runtime", r->runtime);
	json_close(&w, '}');
	json_open(&w, "results", '[');
	body_end(r, out);
	json_line(&w, "\n");
	json_close(&w, ']');
	json_close(&w, '}');
	json_close(&w, ']');
	json_close(&w, '}');
	buf_putc(out, '\n');
}
