/* SPDX-License-Identifier: Apache-2.0 */
/* What the forms of output share. */
#include "compiler/lint/out/parts.h"

#include <string.h>

#include "compiler/base/bug.h"

bool report_fails(const struct report *r, const struct finding *f)
{
	if (f->fate != FINDING_TOLD)
		return false;
	return (!r->never && f->diag->severity <= r->threshold) ||
	       r->fail_on.selected[f->diag->id] || (r->fail_on.any && selection_stays(f->diag));
}

void body_end(struct report *r, struct buf *out)
{
	if (r->body.n)
		buf_add(out, r->body.p, r->body.n);
}

/*
 * security-severity: GitHub shows 9.0 and more as critical, which is for what a profile lets through
 * and not for one that does not load.
 */
const struct severity_words *severity_words(enum severity s)
{
	static const struct severity_words words[SEVERITY_NR] = {
		[SEVERITY_ERROR] = { "error", "error", "error", "blocker", "error", "8.9" },
		[SEVERITY_HIGH] = { "error", "error", "error", "critical", "error", "7.5" },
		[SEVERITY_WARNING] = { "warning", "warning", "warning", "major", "warning", "5.0" },
		[SEVERITY_INFO] = { "note", "note", "notice", "info", "info", "2.0" },
	};

	BUG_ON(s >= SEVERITY_NR);
	return &words[s];
}

struct region region_of(const struct source *src, struct span sp)
{
	struct place from, to;

	if (!src)
		return (struct region){ 1, 1, 1, 1 };
	from = source_place(src, sp.begin);
	to = source_place(src, sp.end);
	return (struct region){ from.line, from.column, to.line, to.column };
}

static void put_count(struct buf *out, const char **sep, size_t n, const char *what)
{
	if (!n)
		return;
	buf_printf(out, "%s%zu %s", *sep, n, what);
	*sep = ", ";
}

void put_counts(struct buf *out, const struct counts *c)
{
	size_t total = 0;
	const char *sep = ": ";

	for (unsigned i = 0; i < SEVERITY_NR; i++)
		total += c->of[i];
	buf_printf(out, "%zu finding%s", total, total == 1 ? "" : "s");
	for (unsigned i = 0; i < SEVERITY_NR; i++)
		put_count(out, &sep, c->of[i], severity_name((enum severity)i));
	sep = ", ";
	put_count(out, &sep, c->suppressed, "suppressed");
	put_count(out, &sep, c->known, "in the baseline");
}

const char *repository_path(const char *path)
{
	while (path[0] == '.' && path[1] == '/')
		for (path += 2; *path == '/';)
			path++;
	return path;
}

/* RFC 3986: unreserved characters and '/' stay; ':' would make a scheme of a name. */
void put_uri(struct buf *out, const char *path)
{
	static const char plain[] = "-._~/+@,=";

	path = repository_path(path);
	if (*path == '/')
		buf_puts(out, "file://");
	for (; *path; path++) {
		char c = *path;
		bool stays = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
			     (c >= '0' && c <= '9') || strchr(plain, c);

		if (stays)
			buf_putc(out, c);
		else
			buf_printf(out, "%%%02X", (unsigned char)c);
	}
}
