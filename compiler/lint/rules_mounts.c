/* SPDX-License-Identifier: Apache-2.0 */
/* DP: what of the machine a container is given beside its namespaces: capabilities, folders, devices. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/internal.h"

#define EACH_CONTAINER(l, c)                                                                       \
	vec_each(&(l)->deployment->containers, it_)                                                \
		for (const struct deploy_container *c = *it_; c; c = NULL)

/* ---- capabilities that there are not ---- */

/* As the table spells it: "CAP_NET_ADMIN". */
static void suggest_capability(struct lint *l, struct str name, struct suggest *near)
{
	bool whole = name.n > 4 && str_ieq((struct str){ name.p, 4 }, STR("CAP_"));
	char *word = arena_printf(l->arena, "%s" PRISTR, whole ? "" : "CAP_", STRARG(name));

	for (char *p = word; *p; p++)
		*p = (char)(*p >= 'a' && *p <= 'z' ? *p - 0x20 : *p);
	suggest_start(near, str_c(word));
	for (size_t i = 0; i < constant_count(); i++) {
		struct constant_row row = constant_at(i);

		if (!strcmp(row.domain, "capability"))
			suggest_offer(near, str_c(row.name));
	}
}

static bool is_capability(struct str name)
{
	return str_ieq(name, STR("ALL")) || str_ieq(name, STR("CAP_ALL")) ||
	       capability_find(name) >= 0 || memchr(name.p, '$', name.n);
}

RULE(DP630, "capability-that-is-none", ERROR, DEPLOYMENT, dp_capability_that_is_none,
     "a capability that does not exist is added to a container",
     "A container is to have a capability that Linux does not have. Docker, Podman and nerdctl refuse it ('unknown capability'), and "
     "nothing starts; in a pod the API server takes any name, and the runtime passes over it or refuses the container: a warning. "
     "Docker's client takes the value of --cap-add for one name: 'SYS_ADMIN,NET_ADMIN' is none; Podman parts it.\n\n"
     "Way out: a name of capabilities(7), with or without CAP_.")
void dp_capability_that_is_none(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	vec_each(&c->caps, cap) {
		bool refused = c->form != DEPLOY_KUBERNETES;
		struct suggest near;
		struct diag *d;

		if (is_capability(cap->text))
			continue;
		suggest_capability(l, cap->text, &near);
		d = diag_add_as(l->ds, id, refused ? SEVERITY_ERROR : SEVERITY_WARNING, cap->span,
				"no capability is called '%s': " PRISTR " %s",
				str_safe_of(l->arena, cap->text), STRARG(c->name.text),
				refused ? "does not start" : "does not get it");
		if (memchr(cap->text.p, ',', cap->text.n))
			diag_help(l->ds, d, "say --cap-add once for each");
		else if (near.best.p)
			diag_help(l->ds, d, "did you mean '" PRISTR "'?", STRARG(near.best));
		else
			diag_help(l->ds, d, "capabilities(7) names them");
	}
}

/* ---- folders and devices of the machine ---- */

struct risky_path { /* what harms a machine through a path: the rows of aa_paths.def */
	enum diag_id id;
	enum severity severity;
	const char *glob;
	bool secret;
	const char *does;
};

static const struct risky_path risky[] = {
#define PATH(rule, severity, glob, perm, does)                                                     \
	{ DIAG_##rule, SEVERITY_##severity, glob, false, does },
#define FOLDER(rule, severity, glob, sample, does)                                                 \
	{ DIAG_##rule, SEVERITY_##severity, glob, false, does },
#define SECRET(glob, name, what) { DIAG_AP319, SEVERITY_WARNING, glob, true, what },
#include "compiler/lint/aa_paths.def"
};

/* Letters that stand for themselves in a glob. */
static bool is_plain(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!memchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+:",
			    s.p[i], 68))
			return false;
	return s.n > 0;
}

/*
 * Of a mount: '/', /run and the sockets are DP607's, nodes of devices are kept by the cgroup of devices, /proc/kcore by
 * a capability, and release_agent is of the first version of cgroups.
 */
static bool counts_for(const struct risky_path *p, bool read_only)
{
	if (p->secret)
		return read_only && strncmp(p->glob, "/dev", 4) != 0 &&
		       strncmp(p->glob, "/proc", 5) != 0;
	return !read_only && p->severity == SEVERITY_HIGH && p->id != DIAG_AP317 &&
	       p->id != DIAG_AP318 && p->id != DIAG_AP320 &&
	       strncmp(p->glob, "/sys/fs/cgroup", 14) != 0;
}

struct reached {
	const char *path, *does; /* the first */
	size_t n;
};

static struct reached reach(struct lint *l, const struct deploy_mount *m, size_t *budget)
{
	struct str folder = m->text;
	struct reached out = { 0 };
	const struct glob *g;

	while (folder.n > 1 && folder.p[folder.n - 1] == '/')
		folder.n--;
	if (folder.n < 2 || !is_plain(folder) || str_is(folder, "/run") ||
	    str_is(folder, "/var/run"))
		return out;
	g = glob_parse(l->arena, str_c(arena_printf(l->arena, PRISTR "{,/**}", STRARG(folder))),
		       GLOB_PATH, NULL, NULL);
	for (size_t i = 0; g && i < ARRAY_SIZE(risky); i++) {
		const struct risky_path *p = &risky[i];
		const struct glob *row;
		const char *witness;

		if (!counts_for(p, m->read_only))
			continue;
		row = glob_parse(l->arena, str_c(p->glob), GLOB_PATH, NULL, NULL);
		if (!row || glob_overlap(l->arena, g, row, budget, &witness) != GLOB_YES)
			continue;
		if (!out.n++)
			out = (struct reached){ witness, p->does, 1 };
	}
	return out;
}

/* A secret that is given alone is meant to be read. */
static bool is_meant(const struct deploy_mount *m, const char *path)
{
	return m->read_only && str_is(m->text, path);
}

RULE(DP631, "machine-folder", HIGH, DEPLOYMENT, dp_machine_folder,
     "a container that may write folders of the machine from which it is taken over",
     "A folder of the machine is mounted into a container, not read-only, and what is written below it leads out: the "
     "kernel or root runs what stands there. The message has one such path, as the machine has it, and what it does; the table is that of AppArmor's rules "
     "(AP315, AP316, AP321). AppArmor's default profile does not help: it speaks of /proc, and the mount is at another "
     "path. It needs root in the container, without a user namespace of its own. Read-only it is told, as a warning, where secrets can be read. Of engines "
     "that commonly run without root (Podman, nerdctl) it is a warning. '/' and /run are told of as DP607. CIS Docker Benchmark 1.6: 5.6 (5.5 in 1.5).\n\n"
     "Way out: the files that are needed, read-only (':ro').")
void dp_machine_folder(struct lint *l, enum diag_id id)
{
	size_t budget = GLOB_BUDGET;

	EACH_CONTAINER(l, c)
	vec_each(&c->mounts, m) {
		struct reached r = { 0 };
		struct diag *d;

		if (c->privileged.said != DEPLOY_YES)
			r = reach(l, m, &budget);
		if (!r.n || is_meant(m, r.path))
			continue;
		d = diag_add_as(l->ds, id,
				m->read_only || c->other_engine ? SEVERITY_WARNING : SEVERITY_HIGH,
				m->span, PRISTR " may %s '%s' of the machine, with '%s' in it: %s",
				STRARG(c->name.text), m->read_only ? "read" : "write",
				str_safe_of(l->arena, m->text), r.path, r.does);
		diag_help(l->ds, d,
			  m->read_only ? "give it the files that it needs, and not the folder" :
					 "':ro' behind it, or the files that it needs");
	}
}

static const char *does_device(struct lint *l, struct str path)
{
	for (size_t i = 0; i < ARRAY_SIZE(risky); i++) {
		const struct risky_path *p = &risky[i];
		const struct glob *row;

		if (p->secret || p->id != DIAG_AP318 || p->severity != SEVERITY_HIGH)
			continue;
		row = glob_parse(l->arena, str_c(p->glob), GLOB_PATH, NULL, NULL);
		if (row && glob_match(l->arena, row, path))
			return p->does;
	}
	return NULL;
}

RULE(DP632, "machine-device", HIGH, DEPLOYMENT, dp_machine_device,
     "a container that is given a device which leads to the machine",
     "A disk, the machine's memory or an input device is given to a container: its cgroup of devices lets it be opened, "
     "and who may read and write a disk below its file system has all files of the machine. CIS Docker Benchmark 1.6: 5.18 (5.17 in 1.5).\n\n"
     "Way out: leave it out; a volume for a disk's files.")
void dp_machine_device(struct lint *l, enum diag_id id)
{
	EACH_CONTAINER(l, c)
	vec_each(&c->devices, t) {
		const char *does = does_device(l, t->text);

		if (does && c->privileged.said != DEPLOY_YES)
			diag_help(l->ds,
				  diag_add(l->ds, id, t->span, PRISTR " is given '%s': %s",
					   STRARG(c->name.text), str_safe_of(l->arena, t->text),
					   does),
				  "leave it out");
	}
}
