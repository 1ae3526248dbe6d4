/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Conditions on the environment, as `when` states them: which capabilities there are, the
 * kernel's version, the machine. `when arch` is no part of it: that is about the call, and is
 * settled for each architecture when a policy is resolved.
 *
 * A kernel's version is its first two numbers, 16 bits, major << 8 | minor, compared as a
 * whole: 5.10.3 is 5.10, more than 5.9. A machine (host) is the native architecture of its
 * kernel. Capabilities are those of the bounding set.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/str.h"
#include "compiler/tables/tables.h"

enum env_kind { ENV_CAP, ENV_KERNEL, ENV_HOST, ENV_AND, ENV_OR, ENV_NOT };

struct env_cond {
	enum env_kind kind;
	unsigned cap;                        /* CAP: this one is there */
	uint16_t version;                    /* KERNEL: at least this one */
	unsigned hosts;                      /* HOST: ARCH_BIT(); the machine is one of these */
	const struct env_cond *left, *right; /* AND, OR; NOT: left */
};

struct environment { /* what `when` asks about; a field that is not known is said so */
	bool caps_known;
	uint64_t caps;   /* bit n: capability n */
	bool held_known; /* run: what this process holds, where neither --caps nor the policy says */
	uint64_t held;
	bool kernel_known;
	uint16_t kernel;
	bool host_known;
	enum arch host;
};

/* What is not known in env is taken as its field stands. NULL cond: true. */
bool env_holds(const struct env_cond *c, const struct environment *env);

/* Environments as a box: Docker's includes and excludes. Never empty unless hosts is 0 or
 * first > last. */
struct env_cube {
	uint64_t caps, no_caps; /* all of these are there, none of these */
	uint16_t first, last;   /* kernels, both included */
	unsigned hosts;         /* ARCH_BIT() */
};

/* Every environment in which a call of one of these architectures can be made. */
struct env_cube env_all(unsigned arches);
/* Can a machine of this native architecture make calls of that one? */
bool env_runs(enum arch host, enum arch call);
/* 1: holds everywhere in the cube; 0: nowhere; -1: depends. NULL cond: 1. */
int env_decide(const struct env_cond *c, const struct env_cube *in);
/* Cuts the cube in two at something that c asks and the cube leaves open; env_decide() is -1. */
void env_split(const struct env_cond *c, const struct env_cube *in, struct env_cube *yes,
	       struct env_cube *no);
/* An environment in the cube for which both hold: 1 and *where; 0; -1: too hard to tell. */
int env_overlap(const struct env_cond *x, const struct env_cond *y, const struct env_cube *in,
		struct env_cube *where);
int env_compare(const struct env_cond *x, const struct env_cond *y);
/* "capability sys_admin, kernel 4.8, host aarch64": an environment of a cube that lies in `of`. */
void env_cube_print(const struct env_cube *c, const struct env_cube *of, struct buf *out);
