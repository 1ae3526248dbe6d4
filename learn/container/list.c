/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is known of containers, by their ids. */
#include "learn/container/container.h"

static const char *const engine_names[ENGINE_NR] = { "container", "docker", "podman", "containerd",
						     "cri-o" };

const char *container_engine_name(enum container_engine e)
{
	return engine_names[e];
}

struct container *containers_by_id(const struct containers *cs, struct str id)
{
	struct table_walk it = table_start(hash_str(id));
	size_t at;

	while ((at = table_next(&cs->by_id, &it)) != TABLE_END)
		if (str_is(id, cs->list.v[at]->id))
			return cs->list.v[at];
	return NULL;
}

struct container *containers_meet(struct containers *cs, struct str id, enum container_engine e)
{
	struct container *c = containers_by_id(cs, id);

	if (c || cs->list.n == CONTAINERS_MOST || memchr(id.p, 0, id.n))
		return c;
	c = ARENA_NEW(cs->arena, struct container);
	c->id = str_dup(cs->arena, id);
	c->engine = e;
	table_add(cs->arena, &cs->by_id, hash_str(id), cs->list.n);
	vec_push(cs->arena, &cs->list, c);
	return c;
}
