/* SPDX-License-Identifier: Apache-2.0 */
/* The list of what is known of containers, by their ids. */
#include "learn/container/container.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const char *const engine_names[ENGINE_NR] = { "container", "docker", "podman", "containerd",
						     "cri-o" };

const char *container_engine_name(enum container_engine e)
{
	return engine_names[e];
}

/* Also by another name, as /run has one in /var. */
static bool is_one_place(const struct containers *cs, const char *a, const char *b)
{
	char at[2][4096];
	struct stat st[2];

	if (!strcmp(a, b))
		return true;
	for (int i = 0; i < 2; i++)
		if (snprintf(at[i], sizeof(at[i]), "%s%s", cs->root, i ? b : a) >=
			    (int)sizeof(at[i]) ||
		    stat(at[i], &st[i]))
			return false;
	return st[0].st_dev == st[1].st_dev && st[0].st_ino == st[1].st_ino;
}

/* Docker's, Podman's and nerdctl's ids are random, whoever else has seen them; ctr's are names. */
static bool is_same(const struct containers *cs, const struct container *c, struct str id,
		    const char *bundles)
{
	return str_is(id, c->id) && (!bundles || id.n == CONTAINER_ID || !c->bundles ||
				     is_one_place(cs, c->bundles, bundles));
}

static struct container *find(const struct containers *cs, struct str id, const char *bundles)
{
	struct table_walk it = table_start(hash_str(id));
	size_t at;

	while ((at = table_next(&cs->by_id, &it)) != TABLE_END)
		if (is_same(cs, cs->list.v[at], id, bundles))
			return cs->list.v[at];
	return NULL;
}

struct container *containers_by_id(const struct containers *cs, struct str id)
{
	return find(cs, id, NULL);
}

static struct container *meet(struct containers *cs, struct str id, enum container_engine e,
			      const char *bundles)
{
	struct container *c = find(cs, id, bundles);

	if (c || cs->list.n == CONTAINERS_MOST || memchr(id.p, 0, id.n))
		return c;
	c = ARENA_NEW(cs->arena, struct container);
	c->id = str_dup(cs->arena, id);
	c->engine = e;
	table_add(cs->arena, &cs->by_id, hash_str(id), cs->list.n);
	vec_push(cs->arena, &cs->list, c);
	return c;
}

struct container *containers_meet(struct containers *cs, struct str id, enum container_engine e)
{
	return meet(cs, id, e, NULL);
}

struct container *containers_meet_in(struct containers *cs, struct str id, const char *bundles)
{
	struct container *c = meet(cs, id, ENGINE_CONTAINERD, bundles);

	if (c && !c->bundles)
		c->bundles = arena_strdup(cs->arena, bundles);
	return c;
}
