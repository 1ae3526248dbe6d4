/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a process runs: in which container and pod, by the path of its cgroup. */
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"

enum site_state {
	SITE_UNASKED, /* the line may be another machine's, or names no process */
	SITE_GONE,    /* the process had ended before it could be asked */
	SITE_HOST,    /* in no container that is known as one; `unit` is the end of its cgroup */
	SITE_CONTAINER,
};

struct site { /* "": not known; bytes as they were read */
	enum site_state state;
	char engine[16]; /* container_engine_name() */
	char id[77]; /* of ctr's its name, which has 76 bytes at most (containerd's identifiers) */
	char space[77]; /* the namespace that containerd has it in */
	char name[77];  /* of the container, where its engine left it in a file */
	char image[128];
	char pod_uid[65]; /* Podman's: its id */
	char pod[128];    /* "NAMESPACE/NAME"; Podman's: "NAME" */
	char unit[64];
};

/* A word in such a field, cut off where it is longer. */
void site_keep(char *to, size_t size, struct str s);
/* Of the path in /proc/PID/cgroup. All of it but the names; `state` is HOST or CONTAINER. */
void site_of_cgroup(const char *path, struct site *out);
/*
 * The names of containers and pods, from what their engines and runtimes keep below `root` ("" here; a
 * test has another; learn/container), and kubelet's log directories. What was found is remembered.
 */
struct site_names;
struct site_names *site_names_new(struct arena *a, const char *root);
void site_names(struct site_names *n, struct site *p);
/*
 * Of ctr, which calls the cgroups of its containers as it likes: whose is this path, which names none? What is
 * not known is looked for, and kept. False: nobody's.
 */
bool site_place(struct site_names *n, const char *path, uint64_t now_ns, struct site *out);
/* Looks at what runtimes have written, which they do before they make a cgroup; false: too often in this second. */
bool site_look(struct site_names *n, uint64_t now_ns);
bool site_around(const struct site_names *n, const char *path); /* of what is known */
void site_names_end(struct site_names *n);                      /* what it holds beside its arena */

bool site_same(const struct site *x, const struct site *y);
/* Two containers of two engines, or of two namespaces of containerd's: what one name may mean both of. */
bool site_apart(const struct site *x, const struct site *y);
/* "docker:web", "containerd:demo/web", as --container takes it: may be printed. */
void site_put_called(struct buf *out, const struct site *p);
/*
 * Is it what `wanted` says: the container's name, its id or the beginning of it, with its engine in
 * front or without ("docker:3f2a91c0"), and containerd's namespace ("containerd:demo/web"); the pod's uid or
 * name, with its namespace or without?
 */
bool site_is(const struct site *p, const char *wanted);
/* The same, by the beginning of its id alone, which another one's may begin with, too. */
bool site_begins(const struct site *p, const char *wanted);
/* "docker:3f2a91c0d5e1 (web)", "pod default/web", "system.slice/cron.service": may be printed. */
void site_put(struct buf *out, const struct site *p);
