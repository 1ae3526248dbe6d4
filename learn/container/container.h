/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The containers of this machine, whoever runs them: which there are, what they are called and in
 * which cgroup they run. Found in the cgroup tree (version 2, also where it is mounted beside version
 * 1), by the engines' sockets (Docker, Podman; containerd as the kubelet asks it) and by what runtimes keep on disk (containerd with
 * nerdctl and Kubernetes, CRI-O, Podman, Docker). Nothing is changed, no program is run.
 * Everything lives in the arena. Bounded: CONTAINERS_MOST, 16 MiB a file or answer.
 */
#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"
#include "compiler/base/table.h"
#include "compiler/base/vec.h"

#define CONTAINERS_MOST 4096
#define CONTAINER_ID    64 /* hexadecimal digits of all engines' ids but ctr's, which are names */
#define CONTAINER_SHORT 12 /* of these, as engines show them */

enum container_engine {
	ENGINE_UNKNOWN,
	ENGINE_DOCKER,
	ENGINE_PODMAN,
	ENGINE_CONTAINERD,
	ENGINE_CRIO,
	ENGINE_NR
};

/* "docker" "podman" "containerd" "cri-o", as `--container ENGINE:NAME` has them; "container". */
const char *container_engine_name(enum container_engine e);

/* Where it is looked for one that has just come, the cheapest first: not in the tree. */
enum containers_at { AT_STATE, AT_ENGINES, AT_SHIMS, AT_NR };

struct container_label {
	const char *key, *value;
};

struct container {
	const char *id;   /* whole; of ctr's the name that it was given */
	const char *name; /* NULL: not known */
	const char *
		told_by; /* the file or socket that said the name, and alone may say another one; NULL */
	const char *monitored; /* the name that Podman's monitor of it was told as it began, NULL */
	enum containers_at told_at;
	struct timespec told_when; /* of a file: when it was written */
	const char *pod;           /* Kubernetes', Podman's; NULL */
	const char *pod_id;        /* of Podman's, which its cgroup tells as well; NULL */
	const char
		*space; /* containerd's namespace, of its own ("default"), not of Docker's; NULL */
	const char
		*bundles;  /* the directory of that one's bundles: names are another's in another */
	const char *image; /* NULL: not known */
	enum container_engine engine;
	const char *cgroup; /* directory in the v2 hierarchy; NULL: it does not run, or has none */
	const char *place; /* where its runtime says that this will be, below the hierarchy; NULL */
	pid_t pid;         /* 0: not known */
	VEC(struct container_label) labels; /* annotations too, where these are all that is kept */
	bool is_labelled;                   /* these are all */
	bool is_sandbox; /* Kubernetes: a pod itself, of which its containers have the labels */
	const struct container *sandbox; /* and that pod; NULL: it is in none */
};

typedef VEC(char *) container_places; /* paths, without the root */

struct containers {
	struct arena *arena;
	struct arena *scratch;   /* while it is looked */
	const char *root;        /* of the file system that is looked at, "" as a rule */
	const char *tree;        /* the v2 hierarchy; NULL: none is mounted */
	bool has_engine;         /* a socket answered, or there is a runtime's state */
	const char *silent;      /* a socket that is there and does not answer; NULL */
	int silent_error;        /* why */
	container_places spaces; /* where the shims that were met have containerd's bundles */
	container_places
		states; /* of containerds that are not where they are as a rule: those of all namespaces */
	container_places graphs, runs; /* where conmons that were met have containers/storage */
	container_places docker_roots,
		docker_sockets; /* of those that are not where they are as a rule */
	VEC(struct container *) list;
	struct table by_id;
};

/* Nothing is looked at yet. root: as above, for tests and for a host's tree that is mounted below. */
struct containers *containers_new(struct arena *a, const char *root);
/*
 * Looks at everything there is, again for what is new: what was known of a container stays, whether
 * and where it runs is asked anew.
 */
void containers_look(struct containers *cs);
void containers_look_at(struct containers *cs, enum containers_at at);
/* That of the whole id, of ctr's names the first; NULL: not known. */
struct container *containers_by_id(const struct containers *cs, struct str id);
/* The same, made where there is none; NULL: there are too many, or no id has such bytes. */
struct container *containers_meet(struct containers *cs, struct str id, enum container_engine e);

/* The same of a namespace of containerd's, by its directory: one name may be in several. */
struct container *containers_meet_in(struct containers *cs, struct str id, const char *bundles);

/*
 * Do they mean it: "NAME", "POD/NAME", of containerd's "NAMESPACE/NAME", an id or the beginning of one, behind
 * "ENGINE:" if given?
 */
bool container_is_called(const struct container *c, const char *wanted);
/* Its own name or id, or pod: not the beginning of an id. */
bool container_is_named(const struct container *c, const char *wanted);
/*
 * Has it, or its pod, the label "K=V", or one of the key "K"; of several with ',' between them all? What
 * a pod itself is has none.
 */
bool container_has_label(const struct container *c, const char *wanted);
/* Are all its labels known? */
bool container_labels_known(const struct container *c);
/* "docker:web", "containerd:demo/web" in a namespace that is not the default, or what of it is known; in the arena. */
const char *container_called(struct arena *a, const struct container *c);
/* The same with the namespace in any case: so nothing else of another one is called. */
const char *container_called_whole(struct arena *a, const struct container *c);
/*
 * Is it outside of any container, as what starts one is until it executes the container's program? Of one
 * that may not be looked at (CAP_SYS_PTRACE) it is not known: false.
 */
bool container_is_runtime(pid_t pid);

/* ---- cgroup.c: what names of cgroups tell, without a look at anything ---- */

/*
 * The container whose own cgroup is this directory, by the last part of its path: docker/ID,
 * docker-ID.scope, libpod-ID, libpod-payload-ID (podman-run(1), --cgroups=split), crio-ID.scope, cri-containerd-ID.scope, nerdctl-ID, kubepods/.../ID.
 * False: none, or one of an engine's monitors (conmon). The id is part of `path`.
 */
bool container_of_name(const char *path, struct str *id, enum container_engine *e);
/*
 * Is the directory called by an id alone? So are pods of Podman's, with their containers' own below, which are
 * called libpod-ID: of nothing else below such a directory is it asked whose it is.
 */
bool container_may_be_pod(const char *path);
bool container_is_pods(const char *path); /* one of these */
/* The same of the innermost such directory on the way to `path`; *end: where its name ends. */
bool container_of_cgroup(const char *path, struct str *id, enum container_engine *e, size_t *end);
/* The id of the pod of Podman's that the innermost container is in; false: it is in none. Part of `path`. */
bool container_pod_of_cgroup(const char *path, struct str *id);
/* Of /proc/PID/cgroup, below the hierarchy; NULL: none. In the arena. */
const char *container_cgroup_of_pid(const struct containers *cs, pid_t pid);

/* ---- engines.c, state.c ---- */

/* What Docker's or Podman's answer to GET /containers/json says, at the socket `from`; false: it is none. */
bool containers_read_answer(struct containers *cs, struct str json, enum container_engine e,
			    const char *from);
/* What containerd's answer to ListPodSandbox says: the labels of pods; false: it is none (cri.c). */
bool containers_read_pods(struct containers *cs, struct str answer);
void containers_ask_pods(struct containers *cs);
/* All sockets that may be there are asked. */
void containers_ask(struct containers *cs);
/* All that runtimes keep on disk, where it is as a rule, or shims are known to have it. */
void containers_read_state(struct containers *cs);
/* Docker's part of it (docker.c); one more dockerd, by its number in /proc. */
void containers_read_docker(struct containers *cs);
void containers_meet_dockerd(struct containers *cs, const char *pid);
/* containerd's: the directories where it says that they are (containerd.c); one more that runs, by its number. */
void containers_read_containerd(struct containers *cs);
void containers_meet_containerd(struct containers *cs, const char *pid);
/* Of engines whose state is elsewhere: by the shims, conmons and dockerds that run. */
void containers_read_shims(struct containers *cs);
/* Whose cgroup is in the pod of one that is known is in that pod: Podman answers when it has started it. */
void containers_pod(const struct containers *cs, struct container *c, const char *cgroup);
/* Of ctr, whose cgroups are called as it likes: is this directory a container's own? */
struct container *containers_by_place(const struct containers *cs, const char *cgroup);
/* The same of a path below the hierarchy, and of one within such a directory. */
struct container *containers_around(const struct containers *cs, const char *path);
