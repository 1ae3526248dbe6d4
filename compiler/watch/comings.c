/* SPDX-License-Identifier: Apache-2.0 */
#include "compiler/watch/comings.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "learn/container/container.h"
#include "learn/container/tree.h"

#define SECOND UINT64_C(1000000000)

enum {
	LIVE_MOST = 4096,  /* containers */
	MADE_MOST = 16384, /* until all is looked at anew, which takes back what is held */
	FRESH_S = 3,       /* so long one has just come */
	FRESH_MS = 10,
	DEEP = 3,        /* cgroups below a container's own */
	BELOW_MOST = 64, /* and so many in one */
};

struct coming {
	char *cgroup;
	uint64_t since_ns;
};

struct comings {
	struct whose *whose;
	comings_met *met;
	void *who;
	const char *root;
	struct arena *arena; /* of what follows */
	struct cgroup_tree tree;
	size_t top; /* so long is the hierarchy's own path */
	VEC(struct coming) live;
	size_t made;
	uint64_t ticked_ns;
	bool fresh;
};

static void open_tree(struct comings *c)
{
	const char *top;

	c->arena = arena_new(NULL);
	c->live = (__typeof__(c->live)){ 0 };
	c->made = 0;
	top = containers_new(c->arena, c->root)->tree;
	c->top = top ? strlen(top) : 0;
	tree_open(&c->tree, c->arena, top, true);
}

static void close_tree(struct comings *c)
{
	tree_close(&c->tree);
	arena_free(c->arena);
}

struct comings *comings_new(struct arena *a, const char *root, struct whose *w, comings_met *met,
			    void *who)
{
	struct comings *c = ARENA_NEW(a, struct comings);

	c->whose = w;
	c->met = met;
	c->who = who;
	c->root = root;
	open_tree(c);
	return c;
}

void comings_end(struct comings *c)
{
	if (c)
		close_tree(c);
}

bool comings_sees(const struct comings *c)
{
	return c->top > 0;
}

int comings_fd(const struct comings *c)
{
	return c->tree.fd;
}

int comings_wait_ms(const struct comings *c)
{
	return c->fresh ? FRESH_MS : 1000;
}

/* False: the cgroup is gone. */
static bool look_at(struct comings *c, const char *cgroup, unsigned deep, uint64_t real_ns)
{
	const struct dirent *entry;
	unsigned below = 0;
	char path[PATH_MAX];
	int pid;
	FILE *f;
	DIR *d;

	if (snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup) >= PATH_MAX)
		return false;
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fscanf(f, "%d", &pid) == 1) {
		const struct site *is = whose_meet(c->whose, (uint64_t)pid, real_ns);

		if (is && c->met)
			c->met(c->who, is);
	}
	fclose(f);
	d = deep ? opendir(cgroup) : NULL;
	while (d && below < BELOW_MOST && (entry = readdir(d)))
		if (entry->d_type == DT_DIR && entry->d_name[0] != '.' &&
		    snprintf(path, sizeof(path), "%s/%s", cgroup, entry->d_name) < PATH_MAX) {
			below++;
			(void)look_at(c, path, deep - 1, real_ns);
		}
	if (d)
		closedir(d);
	return true;
}

/* By its name, or by what ctr's runtime was told, of which one look is enough for all that were made before. */
static bool is_containers(struct comings *c, const char *cgroup, uint64_t real_ns, bool *looked)
{
	enum container_engine e;
	struct str id;

	if (container_of_name(cgroup, &id, &e))
		return true;
	if (!*looked)
		whose_look(c->whose, real_ns);
	*looked = true;
	return whose_around(c->whose, cgroup + c->top);
}

static void take_made(struct comings *c, uint64_t now_ns, uint64_t real_ns)
{
	bool looked = false;

	tree_read(&c->tree);
	vec_each(&c->tree.made, cgroup)
		if (c->live.n < LIVE_MOST && is_containers(c, *cgroup, real_ns, &looked))
			vec_push(c->arena, &c->live, ((struct coming){ *cgroup, now_ns }));
	c->made += c->tree.made.n;
	c->tree.made.n = 0;
}

void comings_step(struct comings *c, uint64_t now_ns, uint64_t real_ns)
{
	bool tick = now_ns - c->ticked_ns >= SECOND;

	take_made(c, now_ns, real_ns);
	if (c->tree.overflowed || c->made > MADE_MOST || c->tree.dirs.n >= TREE_DIRS) {
		close_tree(c);
		open_tree(c);
		take_made(c, now_ns, real_ns);
	}
	c->ticked_ns = tick ? now_ns : c->ticked_ns;
	c->fresh = false;
	for (size_t i = 0; i < c->live.n;) {
		bool fresh = now_ns - c->live.v[i].since_ns < FRESH_S * SECOND;

		if ((fresh || tick) && !look_at(c, c->live.v[i].cgroup, DEEP, real_ns)) {
			c->live.v[i] = c->live.v[--c->live.n];
			continue;
		}
		c->fresh |= fresh;
		i++;
	}
}
