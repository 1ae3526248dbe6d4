/* SPDX-License-Identifier: Apache-2.0 */
/* DP: the images that containers are made of. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

static const struct ended {
	const char *repository, *version, *codename, *day;
} ended[] = {
#define IMAGE(repository, version, codename, day) { repository, version, codename, day },
#include "compiler/lint/deploy_images.def"
#undef IMAGE
};

struct image {
	struct str repository, tag;
};

/* "docker.io/library/debian:9-slim@sha256:..." */
static struct image part_image(struct str s)
{
	static const char *const official[] = { "docker.io/library/", "docker.io/", "library/" };
	struct image out = { s, STR("") };
	const char *at = memchr(s.p, '@', s.n), *slash, *colon;

	if (at)
		s.n = (size_t)(at - s.p);
	for (size_t i = 0; i < ARRAY_SIZE(official); i++) {
		size_t n = strlen(official[i]);
		if (str_starts(s, official[i]))
			s = (struct str){ s.p + n, s.n - n };
	}
	slash = memrchr(s.p, '/', s.n);
	colon = memrchr(s.p, ':', s.n);
	out.repository = s;
	if (colon && (!slash || colon > slash)) {
		out.repository.n = (size_t)(colon - s.p);
		out.tag = (struct str){ colon + 1, s.n - out.repository.n - 1 };
	}
	return out;
}

/* "9" of "9", "9.13", "9-slim" */
static bool begins_with(struct str tag, const char *version)
{
	size_t n = strlen(version);

	return str_starts(tag, version) && (tag.n == n || tag.p[n] == '.' || tag.p[n] == '-');
}

/* "stretch" of "3.7-slim-stretch", "stretch-20220622" */
static bool has_part(struct str tag, const char *codename)
{
	while (*codename && tag.n) {
		const char *dash = memchr(tag.p, '-', tag.n);
		size_t n = dash ? (size_t)(dash - tag.p) : tag.n;

		if (str_is((struct str){ tag.p, n }, codename))
			return true;
		n += dash != NULL;
		tag = (struct str){ tag.p + n, tag.n - n };
	}
	return false;
}

static const struct ended *find_ended(struct str image)
{
	struct image i = part_image(image);

	for (size_t n = 0; n < ARRAY_SIZE(ended); n++)
		if ((str_is(i.repository, ended[n].repository) &&
		     begins_with(i.tag, ended[n].version)) ||
		    has_part(i.tag, ended[n].codename))
			return &ended[n];
	return NULL;
}

static void judge_image(struct lint *l, enum diag_id id, const struct deploy_text *image)
{
	const struct ended *e = image->text.n ? find_ended(image->text) : NULL;

	if (!e)
		return;
	diag_help(l->ds,
		  diag_add(l->ds, id, image->span,
			   "'%s' is made of %s %s, which gets no security fixes since %s",
			   str_safe_of(l->arena, image->text), e->repository, e->version, e->day),
		  "a release that is maintained; what is found in it meanwhile stays open");
}

RULE(DP606, "ended-base", WARNING, DEPLOYMENT, dp_ended_base,
     "an image of a release that nobody mends any more",
     "An image is named whose distribution gets no security fixes any more: Debian behind its LTS, Ubuntu "
     "behind its standard support, releases of Alpine, CentOS Linux, Fedora, Amazon Linux, Oracle Linux and openSUSE Leap (deploy_images.def has the days and where they stand, as "
     "of November 2026). Told by the tag: the version of the distribution's own image, or its codename in the tag of another one, as "
     "in 'python:3.7-stretch' and 'node:14-alpine3.12'. Support that is paid for is not known here. Its package servers move to an archive, so builds fail, too.\n\n"
     "Way out: a maintained release.")
void dp_ended_base(struct lint *l, enum diag_id id)
{
	vec_each(&l->deployment->images, image)
		judge_image(l, id, image);
	vec_each(&l->deployment->containers, c)
		judge_image(l, id, &(*c)->image);
}
