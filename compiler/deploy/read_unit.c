/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Units of systemd and what is put over them (systemd.syntax(7)): settings as they are written. A container
 * that ExecStart= and its like start is read as a line of a shell's.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

struct unit_reader {
	struct deployment *d;
	const struct source *src;
	uint32_t at;
	struct str section;
	VEC(struct ast_comment *) comments;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static struct span trim(const struct source *src, uint32_t begin, uint32_t end)
{
	while (begin < end && is_blank(src->text.p[begin]))
		begin++;
	while (end > begin && is_blank(src->text.p[end - 1]))
		end--;
	return (struct span){ src->id, begin, end };
}

static struct str text_of(const struct source *src, struct span sp)
{
	return (struct str){ src->text.p + sp.begin, sp.end - sp.begin };
}

/* To the end of the line, and on where it ends with '\'. */
static struct span take_line(struct unit_reader *r)
{
	const char *p = r->src->text.p;
	uint32_t begin = r->at, n = (uint32_t)r->src->text.n;

	for (;;) {
		const char *nl = memchr(p + r->at, '\n', n - r->at);
		uint32_t end = nl ? (uint32_t)(nl - p) : n;
		struct span line = trim(r->src, begin, end);

		r->at = end + (nl != NULL);
		if (line.begin == line.end || p[line.end - 1] != '\\' || r->at >= n ||
		    strchr("#;", p[line.begin]))
			return line;
	}
}

static void take_setting(struct unit_reader *r, struct span line)
{
	struct str text = text_of(r->src, line);
	const char *equals = memchr(text.p, '=', text.n);
	struct deploy_setting s = { .section = r->section, .src = r->src };

	if (!equals)
		return;
	uint32_t at = line.begin + (uint32_t)(equals - text.p);
	s.key = text_of(r->src, trim(r->src, line.begin, at));
	s.span = trim(r->src, at + 1, line.end);
	s.value = text_of(r->src, s.span);
	s.line = line;
	vec_push(r->d->arena, &r->d->settings, s);
}

static void take_comment(struct unit_reader *r, struct span line)
{
	struct ast_comment *c = ARENA_NEW(r->d->arena, struct ast_comment);

	c->span = line;
	c->text = (struct str){ r->src->text.p + line.begin + 1, line.end - line.begin - 1 };
	vec_push(r->d->arena, &r->comments, c);
}

/* "-/usr/bin/docker run ...": what stands before the path says how it is executed. */
static void read_command(struct deployment *d, const struct source *src,
			 const struct deploy_setting *s)
{
	static const char *const keys[] = { "ExecStart",  "ExecStartPre", "ExecStartPost",
					    "ExecReload", "ExecStop",     "ExecStopPost" };
	struct span part = s->span;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!str_is(s->key, keys[i]))
			continue;
		while (part.begin < part.end && strchr("@-:+!", src->text.p[part.begin]))
			part.begin++;
		deploy_read_line(d, src, part);
	}
}

void deploy_read_unit(struct deployment *d, const struct source *src, bool over)
{
	struct unit_reader r = { .d = d, .src = src };
	size_t before = d->settings.n;

	while (r.at < src->text.n) {
		struct span line = take_line(&r);
		struct str text = text_of(src, line);

		if (!text.n)
			continue;
		if (text.p[0] == '#' || text.p[0] == ';')
			take_comment(&r, line);
		else if (text.p[0] == '[')
			r.section = (struct str){ text.p + 1,
						  text.n - 1 - (text.p[text.n - 1] == ']') };
		else
			take_setting(&r, line);
	}
	for (size_t i = before; i < d->settings.n; i++) {
		d->settings.v[i].over = over;
		if (!over)
			read_command(d, src, &d->settings.v[i]);
	}
	if (!over)
		d->comments = (struct comment_list){ r.comments.v, r.comments.n };
}

bool deploy_next_word(const struct deploy_setting *s, uint32_t *at, struct deploy_text *out)
{
	const char *p = s->value.p;
	size_t n = s->value.n, i = *at;

	while (i < n && (is_blank(p[i]) || p[i] == '\n' ||
			 (p[i] == '\\' && i + 1 < n && (p[i + 1] == '\n' || p[i + 1] == '\r'))))
		i++;
	size_t begin = i;
	while (i < n && !is_blank(p[i]) && p[i] != '\n' &&
	       !(p[i] == '\\' && i + 1 < n && p[i + 1] == '\n'))
		i++;
	*at = (uint32_t)i;
	*out = (struct deploy_text){ { p + begin, i - begin },
				     { s->span.source, s->span.begin + (uint32_t)begin,
				       s->span.begin + (uint32_t)i } };
	return i > begin;
}
