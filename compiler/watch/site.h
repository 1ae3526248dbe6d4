/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Where a process runs: in which container and pod, by the path of its cgroup. */
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
	char id[65];
	char name[64]; /* of the container, where its engine left it in a file */
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
void site_names_end(struct site_names *n); /* what it holds beside its arena */

bool site_same(const struct site *x, const struct site *y);
/*
 * Is it what `wanted` says: the container's name, its id or the beginning of it, with its engine in
 * front or without ("docker:3f2a91c0"), the pod's uid or name, with its namespace or without?
 */
bool site_is(const struct site *p, const char *wanted);
/* "docker:3f2a91c0d5e1 (web)", "pod default/web", "system.slice/cron.service": may be printed. */
void site_put(struct buf *out, const struct site *p);
