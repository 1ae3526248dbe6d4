/* SPDX-License-Identifier: Apache-2.0 */
/* The page of `learn --report` and `propose --report`, with Docker's default beside what was recorded. */
#include <unistd.h>

#include "compiler/cmd/recordings.h"
#include "learn/report/report.h"

/* profiles/docker-default.pale, which lies above the sets; NULL: it is not there, or not as it was. */
static const struct decision *docker_default(struct session *s, const struct recording *r)
{
	struct input_options opt = { 0 };
	struct session own = *s; /* what is wrong with it is not the user's */
	struct input in;

	environment_docker(&opt.resolve.env);
	opt.resolve.env.host_known = true;
	opt.resolve.env.host = r->run.host;
	opt.resolve.env.kernel_known = true;
	opt.resolve.env.kernel = tables_level;
	own.diags = diags_new(s->arena, s->sources);
	for (const char *const *dir = set_directories(s->arena, NULL); *dir; dir++) {
		const char *path = arena_printf(s->arena, "%s/../docker-default.pale", *dir);

		if (access(path, R_OK) || input_load(&own, path, &opt, &in) != EXIT_OK)
			continue;
		if (in.policies && in.policies->list.n == 1)
			return decision_build(s->arena, in.policies->list.v[0], own.diags);
	}
	return NULL;
}

void report_make(struct session *s, const struct recordings *rs, const struct recording *r,
		 const struct ast_file *proposal, struct buf *out)
{
	struct report rep = { .r = r,
			      .runs = rs,
			      .proposal = proposal,
			      .beside = docker_default(s, r),
			      .beside_name = "Docker's default" };

	report_put(out, s->arena, &rep);
}
