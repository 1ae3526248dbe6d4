/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What mounts a rule of `mount` or `remount` speaks of, as patterns over the four things that the
 * kernel matches one behind the other: mount point, source, file system type, flags. A rule has
 * several: remounts, binds, moves, changes of the propagation and new mounts are one pattern each,
 * and each of them is asked about every mount (mount.cc, gen_flag_rules and, of 3.0, gen_policy_re;
 * the kernel's security/apparmor/mount.c, do_match_mnt).
 */
#include "compiler/rules/rules.h"

struct aa_mount_pattern {
	const struct aa_text *point, *source; /* NULL, or without a word: any */
	bool no_source;                       /* none but of a mount that has none: `detached` */
	bool typed;                           /* the rule's fstype counts, where it has one */
	bool any_flags;                       /* `set` and `may` say nothing */
	unsigned set, may; /* in the bits of mount(2): those of set but not may must be there */
};

struct aa_mount_patterns {
	VEC(struct aa_mount_pattern) list; /* of umount: none */
};

/* Texts are the rule's. Owner: the arena. */
void aa_mount_patterns(struct arena *a, enum aa_release release, const struct aa_rule *r,
		       struct aa_mount_patterns *out);

/* A mount as the kernel asks about it; what it does not look at is "". */
struct aa_mount {
	struct str point, source, fstype;
	unsigned flags;
};

bool aa_mount_matches(struct arena *a, const struct aa_rule *r, const struct aa_mount_pattern *p,
		      const struct aa_mount *m);
