/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/file/unit.h"

#include <glob.h>
#include <string.h>

#include "compiler/systemd/filter.h"

enum { OVER_MAX = 256 };

void unit_read_over(struct session *s, const char *path, struct deployment *d)
{
	const char *end = strrchr(path, '.'), *folder = strrchr(path, '/');
	glob_t found;

	d->part = end && !strcmp(end, ".conf") && folder && folder - path > 2 &&
		  !strncmp(folder - 2, ".d", 2);
	if (d->part || !strcmp(path, "-") || strpbrk(path, "*?[\\"))
		return;
	if (glob(arena_printf(s->arena, "%s.d/*.conf", path), 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc && i < OVER_MAX; i++) {
		struct source *src;

		if (!source_load_regular(s->sources, found.gl_pathv[i], &src))
			deploy_read_unit(d, src, true);
	}
	globfree(&found);
}

struct source *unit_policy(struct session *s, struct source *src, const char *path)
{
	struct deployment *d = deploy_read(s->arena, src, DEPLOY_UNIT, s->diags);
	struct unit_filter filter;
	struct diag *told;

	unit_read_over(s, path, d);
	if (unit_filter(s->arena, d, s->systemd, &filter))
		return source_add(s->sources, arena_printf(s->arena, "<policy of %s>", src->name),
				  filter.text);
	told = diag_add(s->diags, DIAG_PL022, (struct span){ src->id, 0, 0 },
			"nothing in this unit filters calls: every call is allowed");
	diag_help(s->diags, told,
		  "SystemCallFilter= and its like do; 'pale lint' says what else there is to say");
	return NULL;
}
