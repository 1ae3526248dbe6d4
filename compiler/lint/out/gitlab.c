/* SPDX-License-Identifier: Apache-2.0 */
/* GitLab's code quality report: an array of issues, each with a fingerprint of its own. */
#include <string.h>

#include "compiler/base/table.h"
#include "compiler/lint/out/parts.h"

static void put_issue(const struct finding *f, struct json_writer *w)
{
	const struct diag_info *info = diag_info(f->diag->id);
	struct region at = region_of(f->source, f->diag->span);
	const char *path = repository_path(f->file);
	uint64_t print = hash_bytes(f->fingerprint, path, strlen(path));

	json_line(w, "\n");
	json_open(w, NULL, '{');
	json_text(w, "type", "issue");
	json_text(w, "check_name", info->id);
	json_text(w, "description", f->diag->text);
	json_hex(w, "fingerprint", print);
	json_text(w, "severity", severity_words(f->diag->severity)->gitlab);
	json_open(w, "location", '{');
	json_text(w, "path", path);
	json_open(w, "lines", '{');
	json_number(w, "begin", at.line);
	json_number(w, "end", at.end_line);
	json_close(w, '}');
	json_close(w, '}');
	json_close(w, '}');
}

void gitlab_file(struct report *r, const struct findings *all)
{
	struct json_writer w = { .out = &r->body, .compact = true };

	vec_each(&all->list, f) {
		if (f->fate != FINDING_TOLD)
			continue;
		w.begun = r->written++ > 0;
		put_issue(f, &w);
	}
}

void gitlab_end(struct report *r, struct buf *out)
{
	buf_putc(out, '[');
	body_end(r, out);
	buf_puts(out, "\n]\n");
}
