/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/targets.h"

#include <string.h>
#include <unistd.h>

#include "compiler/base/suggest.h"

#define LISTED 8 /* containers that a message, or a run, names */

static const char *quoted(struct arena *a, const char *word)
{
	return str_safe(a, word);
}

/* ---- what is wrong ---- */

static bool tell(struct diags *ds, const char *what, const char *help)
{
	diag_help(ds, diag_add(ds, DIAG_PL421, NO_SPAN, "%s", what), "%s", help);
	return false;
}

/* "docker:web, podman:db", of those that run. */
static const char *list_running(struct arena *a, const struct containers *cs)
{
	BUF_AUTO out = { 0 };
	size_t n = 0;

	vec_each(&cs->list, c) {
		if (!(*c)->cgroup)
			continue;
		if (n++ < LISTED)
			buf_printf(&out, "%s%s", out.n ? ", " : "", container_called(a, *c));
	}
	if (n > LISTED)
		buf_printf(&out, " and %zu more", n - LISTED);
	return buf_keep(a, &out);
}

static bool tell_no_tree(struct diags *ds)
{
	return tell(ds,
		    "containers are watched by their cgroups of version 2, and no such hierarchy "
		    "is mounted",
		    "'mount -t cgroup2 none DIR' at /sys/fs/cgroup/unified, and start the "
		    "containers again; '--pid P' records a process");
}

static bool tell_no_engine(struct arena *a, const struct containers *cs, struct diags *ds)
{
	if (cs->silent)
		return tell(ds,
			    arena_printf(a, "no container is known here: '%s' does not answer: %s",
					 quoted(a, cs->silent),
					 strerror(cs->silent_error < 0 ? -cs->silent_error : 0)),
			    geteuid() ? "run pale as root, or as who may ask it" :
					"see whether its engine works; '--cgroup DIR' needs none");
	return tell(
		ds, "no container engine is found here",
		"Docker, Podman, containerd and CRI-O are looked for by their sockets and in "
		"/run; DOCKER_HOST=unix://PATH names another socket, '--cgroup DIR' needs none");
}

static bool tell_unknown(struct arena *a, const struct containers *cs, const char *wanted,
			 struct diags *ds)
{
	const char *running = list_running(a, cs);
	struct suggest near;

	suggest_start(&near, str_c(wanted));
	vec_each(&cs->list, c)
		if ((*c)->name)
			suggest_offer(&near, str_c((*c)->name));
	return tell(ds,
		    arena_printf(a, "no container is called '%s'" PRINEAR, quoted(a, wanted),
				 NEARARG(near)),
		    *running ? arena_printf(a,
					    "there are %s; '--wait' waits for one that is not "
					    "there yet",
					    running) :
			       "none runs here; '--wait' waits for one that is not there yet");
}

static bool tell_stopped(struct arena *a, const struct container *c, struct diags *ds)
{
	const char *called = container_called(a, c);

	if (c->pid && container_is_runtime(c->pid) == false)
		return tell(ds,
			    arena_printf(a, "the container %s has no cgroup of its own", called),
			    arena_printf(a, "its engine may not make one; '--pid %d' records it",
					 (int)c->pid));
	return tell(ds, arena_printf(a, "the container %s does not run", called),
		    "say '--wait' and start it then: it is recorded from its first call on");
}

/* Of ctr's, which are names, as a name is. */
static const char *short_id(struct arena *a, const struct container *c)
{
	int n = strlen(c->id) == CONTAINER_ID ? CONTAINER_SHORT : CONTAINER_ID;

	return quoted(a, arena_printf(a, "%.*s", n, c->id));
}

static bool tell_several(struct arena *a, const char *wanted, const struct container *one,
			 const struct container *other, struct diags *ds)
{
	const char *by_engine =
		one->engine == other->engine && one->space && other->space &&
				strcmp(one->space, other->space) != 0 ?
			arena_printf(a, "'--container %s'", container_called_whole(a, one)) :
		one->engine != other->engine && one->name ?
			arena_printf(a, "'--container %s'", container_called(a, one)) :
		one->pod && other->pod && strcmp(one->pod, other->pod) != 0 ?
			arena_printf(a, "'--container %s'", container_called(a, one)) :
			"more of its id";

	return tell(ds,
		    arena_printf(a, "'%s' is the container %s (%s), and also %s (%s)",
				 quoted(a, wanted), container_called(a, one), short_id(a, one),
				 container_called(a, other), short_id(a, other)),
		    arena_printf(a, "name one of them by %s; '--label' takes all that have one",
				 by_engine));
}

/* ---- finding ---- */

/* Of those that are called so the one that is meant: by its whole name before a part of its id. */
static int find_named(const struct containers *cs, const char *wanted, bool running,
		      struct container *out[2])
{
	int n = 0;

	for (int part = 0; !n && part < 2; part++)
		vec_each(&cs->list, c) {
			if ((running && !(*c)->cgroup) || !(part ? container_is_called(*c, wanted) :
								   container_is_named(*c, wanted)))
				continue;
			if (n < 2)
				out[n] = *c;
			n++;
		}
	return n;
}

/* One that runs is met. False after a diagnostic. */
static bool find_name(struct arena *a, struct follow *f, const char *wanted, struct diags *ds)
{
	const struct containers *cs = f->all;
	struct container *found[2];
	int running = find_named(cs, wanted, true, found), stopped;

	if (running > 1)
		return tell_several(a, wanted, found[0], found[1], ds);
	if (running) {
		follow_meet(f, found[0]);
		return true;
	}
	if (f->want->wait)
		return true;
	stopped = find_named(cs, wanted, false, found);
	if (stopped > 1)
		return tell_several(a, wanted, found[0], found[1], ds);
	if (stopped)
		return tell_stopped(a, found[0], ds);
	if (!cs->has_engine && !cs->list.n)
		return tell_no_engine(a, cs, ds);
	return tell_unknown(a, cs, wanted, ds);
}

static bool find_label(struct arena *a, struct follow *f, const char *wanted, struct diags *ds)
{
	const struct containers *cs = f->all;
	bool found = false;

	vec_each(&cs->list, c)
		if ((*c)->cgroup && container_has_label(*c, wanted)) {
			follow_meet(f, *c);
			found = true;
		}
	if (found || f->want->wait)
		return true;
	if (!cs->has_engine && !cs->list.n)
		return tell_no_engine(a, cs, ds);
	return tell(
		ds, arena_printf(a, "no container that runs has the label '%s'", quoted(a, wanted)),
		"'--wait' waits for one; of Docker, Podman and containerd's pods labels are asked at their "
		"sockets, of the others their annotations are taken");
}

struct follow *targets_find(struct arena *a, const struct learn_options *opt, struct diags *ds)
{
	struct containers *cs = containers_new(a, "");
	struct follow *f;
	bool good = true;

	if (!cs->tree) {
		tell_no_tree(ds);
		return NULL;
	}
	f = follow_new(a, cs, opt->containers);
	containers_look(cs);
	for (size_t i = 0; good && i < f->want->nnames; i++)
		good = find_name(a, f, f->want->names[i], ds);
	for (size_t i = 0; good && i < f->want->nlabels; i++)
		good = find_label(a, f, f->want->labels[i], ds);
	if (good && f->met.n > LEARN_WATCHED)
		good = tell(ds,
			    arena_printf(a,
					 "%zu containers run that have the label, and %d can be "
					 "watched at once",
					 f->met.n, LEARN_WATCHED),
			    "name some of them, or a label that fewer have");
	if (good)
		return f;
	follow_close(f);
	return NULL;
}

/* ---- saying ---- */

void targets_describe(const struct follow *f, struct recorded_run *run)
{
	BUF_AUTO out = { 0 };

	if (!f->met.n)
		return;
	if (!run->name)
		run->name = f->met.v[0]->name ? f->met.v[0]->name : f->met.v[0]->id;
	if (!run->image)
		run->image = f->met.v[0]->image;
	for (size_t i = 0; i < f->met.n && i < LISTED; i++)
		buf_printf(&out, "%s%s %s", i ? ", " : "", container_called(f->arena, f->met.v[i]),
			   short_id(f->arena, f->met.v[i]));
	if (f->met.n > LISTED)
		buf_printf(&out, " and %zu more", f->met.n - LISTED);
	run->containers = buf_keep(f->arena, &out);
}

const char *targets_name(struct arena *a, const struct container_want *w)
{
	size_t more = w->nnames + w->nlabels - 1;
	const char *first =
		w->nnames ?
			arena_printf(a, "the container '%s'", quoted(a, w->names[0])) :
			arena_printf(a, "a container with the label '%s'", quoted(a, w->labels[0]));

	return more ? arena_printf(a, "%s and %zu more", first, more) : first;
}
