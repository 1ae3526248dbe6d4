/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/container/follow.h"

#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"

#define LOOKS_MOST 25 /* at a new cgroup, until it is nobody's that is known */

static void add_candidate(struct follow *f, const char *cgroup)
{
	vec_each(&f->candidates, c)
		if (!strcmp(c->cgroup, cgroup))
			return;
	vec_push(f->arena, &f->candidates,
		 ((struct candidate){ .cgroup = arena_strdup(f->arena, cgroup) }));
}

struct follow *follow_new(struct arena *a, struct containers *cs, const struct container_want *w)
{
	struct follow *f = ARENA_NEW(a, struct follow);

	f->arena = a;
	f->all = cs;
	f->want = w;
	BUG_ON(w->nnames > FOLLOW_NAMES);
	tree_open(&f->tree, a, cs->tree, false);
	f->fd = f->tree.fd;
	return f;
}

/* ---- whose it is ---- */

/* Of one engine, and of one namespace of it: what is called the same elsewhere is another's. */
static bool is_beside(const struct container *a, const struct container *b)
{
	return a->engine == b->engine && (!a->space || !b->space || !strcmp(a->space, b->space));
}

bool follow_wants(const struct follow *f, const struct container *c)
{
	for (size_t i = 0; i < f->want->nnames; i++)
		if (container_is_called(c, f->want->names[i]) &&
		    (!f->first[i] || is_beside(f->first[i], c)))
			return true;
	for (size_t i = 0; i < f->want->nlabels; i++)
		if (container_has_label(c, f->want->labels[i]))
			return true;
	return false;
}

void follow_meet(struct follow *f, struct container *c)
{
	for (size_t i = 0; i < f->want->nnames; i++)
		if (!f->first[i] && container_is_called(c, f->want->names[i]))
			f->first[i] = c;
	vec_each(&f->met, m)
		if (*m == c)
			return;
	vec_push(f->arena, &f->met, c);
}

static struct container *container_at(struct follow *f, const char *cgroup)
{
	enum container_engine e;
	struct container *c;
	struct str id;

	if (!container_of_name(cgroup, &id, &e))
		return containers_by_place(f->all, cgroup);
	c = containers_meet(f->all, id, e);
	if (c && c->engine == ENGINE_UNKNOWN)
		c->engine = e;
	if (c)
		containers_pod(f->all, c, cgroup);
	return c;
}

/* Podman tells the pods of its containers when it is asked, and keeps them in no file. */
static bool lacks_pod(const struct follow *f, const struct container *c)
{
	for (size_t i = 0; i < f->want->nnames; i++)
		if (strchr(f->want->names[i], '/') && c->engine == ENGINE_PODMAN && !c->pod)
			return true;
	return false;
}

/* Is there nothing more to know of it that a wish may look at? */
static bool is_known(const struct follow *f, const struct container *c)
{
	return c->name && (!f->want->nlabels || container_labels_known(c)) && !lacks_pod(f, c);
}

/* 1: it is wanted; 0: it is not; -1: not all that there is to know of it is known yet. */
static int judge(struct follow *f, const char *cgroup, struct container **out)
{
	struct container *c = container_at(f, cgroup);

	if (!c)
		return -1;
	if (follow_wants(f, c)) {
		c->cgroup = arena_strdup(f->arena, cgroup);
		follow_meet(f, c);
		*out = c;
		return 1;
	}
	return is_known(f, c) ? 0 : -1;
}

/*
 * Only what runtimes call as they like can turn out to be one, and that they have written down. A
 * container's own may be gone meanwhile: that it was wanted, and missed, is known later.
 */
static unsigned looks_most(const char *cgroup)
{
	enum container_engine e;
	struct str id;

	return container_of_name(cgroup, &id, &e) ? LOOKS_MOST : 2;
}

/* Whose name is known from an earlier look may have another one by now, until it was looked where it was found. */
static bool may_be_renamed(struct follow *f, const char *cgroup, enum containers_at looked)
{
	const struct container *c = container_at(f, cgroup);

	return c && c->told_by && c->told_at >= looked;
}

/* The first that is wanted; what is not, or is gone, is dropped. looked: so far, behind which it has been. */
static struct container *pick(struct follow *f, enum containers_at looked)
{
	struct container *out = NULL;

	for (size_t i = 0; !out && i < f->candidates.n;) {
		struct candidate *c = &f->candidates.v[i];
		unsigned most = looks_most(c->cgroup);
		int is = judge(f, c->cgroup, &out);

		if (!is && may_be_renamed(f, c->cgroup, looked))
			is = -1;
		c->looks += looked == AT_NR;
		if (is < 0 && c->looks < most && (most == LOOKS_MOST || !access(c->cgroup, F_OK)))
			i++;
		else
			f->candidates.v[i] = f->candidates.v[--f->candidates.n];
	}
	return out;
}

static bool must_ask(const struct follow *f)
{
	vec_each(&f->candidates, c)
		if (looks_most(c->cgroup) == LOOKS_MOST)
			return true;
	return false;
}

/* Inotify told not all of it: what runs, and was not met. */
static void look_at_all(struct follow *f)
{
	containers_look(f->all);
	vec_each(&f->all->list, c)
		if ((*c)->cgroup)
			add_candidate(f, (*c)->cgroup);
}

struct container *follow_next(struct follow *f)
{
	struct container *c;

	tree_read(&f->tree);
	vec_each(&f->tree.made, cgroup)
		add_candidate(f, *cgroup);
	f->tree.made.n = 0;
	if (f->tree.overflowed || f->fd < 0) {
		f->tree.overflowed = false;
		look_at_all(f);
	}
	c = pick(f, AT_STATE);
	for (enum containers_at at = 0; at < AT_NR && !c && f->candidates.n; at++) {
		if (at != AT_ENGINES || must_ask(f))
			containers_look_at(f->all, at);
		c = pick(f, at + 1);
	}
	return c;
}

bool follow_waits(const struct follow *f)
{
	if (!f->want->wait)
		return false;
	for (size_t i = 0; i < f->want->nnames; i++)
		if (!f->first[i])
			return true;
	return f->want->nlabels && !f->met.n;
}

void follow_close(struct follow *f)
{
	if (f)
		tree_close(&f->tree);
}
