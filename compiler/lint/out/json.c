/* SPDX-License-Identifier: Apache-2.0 */
/* pale's own JSON: findings.schema.json says what stands in it, and its version. */
#include "compiler/lint/out/parts.h"

enum { JSON_VERSION = 1 }; /* another one where a key goes, or means something else */

static void put_finding(const struct findings *all, const struct finding *f, struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	if (!f->source)
		json_text(&w, "file", f->file);
	diag_put_members(all->diags, f->diag, &w);
	json_hex(&w, "fingerprint", f->fingerprint);
	if (f->fate != FINDING_TOLD) {
		json_open(&w, "suppression", '{');
		json_text(&w, "kind", f->fate == FINDING_KNOWN ? "baseline" : "inline");
		if (f->fate == FINDING_SUPPRESSED)
			json_text(&w, "reason", f->reason);
		json_close(&w, '}');
	}
	json_close(&w, '}');
}

void json_file(struct report *r, const struct findings *all)
{
	vec_each(&all->list, f) {
		bool told = f->fate == FINDING_TOLD;
		struct buf *out = told ? &r->body : &r->aside;

		buf_puts(out, out->n ? ",\n" : "\n");
		put_finding(all, f, out);
	}
}

static void put_lists(struct report *r, struct json_writer *w)
{
	json_open(w, "findings", '[');
	body_end(r, w->out);
	json_line(w, "\n");
	json_close(w, ']');
	json_open(w, "suppressed", '[');
	if (r->aside.n) {
		buf_add(w->out, r->aside.p, r->aside.n);
		json_line(w, "\n");
	}
	json_close(w, ']');
}

void json_end(struct report *r, struct buf *out)
{
	struct json_writer w = { .out = out, .compact = true };

	json_open(&w, NULL, '{');
	json_number(&w, "version", JSON_VERSION);
	if (r->statistics)
		statistics_json(r, &w);
	else
		put_lists(r, &w);
	json_open(&w, "summary", '{');
	for (unsigned i = 0; i < SEVERITY_NR; i++)
		json_number(&w, severity_name((enum severity)i), r->counts[i]);
	json_close(&w, '}');
	json_text(&w, "runtime", r->runtime);
	json_close(&w, '}');
	buf_putc(out, '\n');
}
