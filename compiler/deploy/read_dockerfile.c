/* SPDX-License-Identifier: Apache-2.0 */
/* Dockerfiles: the images that they begin with (https://docs.docker.com/reference/dockerfile/#from). */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/deploy/deploy.h"

enum { STAGES_MAX = 1024 };

struct docker_reader {
	struct deployment *d;
	const struct source *src;
	deploy_texts stages; /* names of earlier ones */
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

/* The next word of the line that ends at `end`. */
static struct deploy_text next_word(const struct source *src, uint32_t *at, uint32_t end)
{
	const char *p = src->text.p;

	while (*at < end && is_blank(p[*at]))
		++*at;
	uint32_t begin = *at;
	while (*at < end && !is_blank(p[*at]))
		++*at;
	return (struct deploy_text){ { p + begin, *at - begin }, { src->id, begin, *at } };
}

static bool is_stage(const struct docker_reader *r, struct str name)
{
	vec_each(&r->stages, s)
		if (str_ieq(s->text, name))
			return true;
	return str_is(name, "scratch");
}

/* "FROM [--platform=X] IMAGE [AS NAME]" */
static void read_from(struct docker_reader *r, uint32_t at, uint32_t end)
{
	struct deploy_text image, as, name;

	do
		image = next_word(r->src, &at, end);
	while (str_starts(image.text, "--"));
	as = next_word(r->src, &at, end);
	name = next_word(r->src, &at, end);
	if (image.text.n && !is_stage(r, image.text) && !memchr(image.text.p, '$', image.text.n))
		vec_push(r->d->arena, &r->d->images, image);
	if (str_ieq(as.text, STR("as")) && name.text.n && r->stages.n < STAGES_MAX)
		vec_push(r->d->arena, &r->stages, name);
}

void deploy_read_dockerfile(struct deployment *d, const struct source *src)
{
	struct docker_reader r = { .d = d, .src = src };
	VEC(struct ast_comment *) comments = { 0 };
	const char *p = src->text.p;
	bool goes_on = false;

	for (uint32_t at = 0, next; at < src->text.n; at = next) {
		const char *nl = memchr(p + at, '\n', src->text.n - at);
		uint32_t end = nl ? (uint32_t)(nl - p) : (uint32_t)src->text.n, first = at;

		next = end + (nl != NULL);
		while (first < end && is_blank(p[first]))
			first++;
		while (end > first && is_blank(p[end - 1]))
			end--;
		if (first < end && p[first] == '#') {
			struct ast_comment *c = ARENA_NEW(d->arena, struct ast_comment);

			c->span = (struct span){ src->id, first, end };
			c->text = (struct str){ p + first + 1, end - first - 1 };
			vec_push(d->arena, &comments, c);
			continue;
		}
		struct deploy_text word = next_word(src, &first, end);
		if (!goes_on && str_ieq(word.text, STR("FROM")))
			read_from(&r, first, end);
		goes_on = end > at && p[end - 1] == '\\';
	}
	d->comments = (struct comment_list){ comments.v, comments.n };
}
