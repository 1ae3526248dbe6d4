/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the rules of one class mean together, for every class but files: for every object that the
 * kernel asks about (a signal and whose process it goes to, a mount, an address of a socket), what
 * is allowed, denied, audited, refused without a word. An object is one text, its fields one behind
 * the other as the kernel matches them, and the rules are one machine over such texts; so equal
 * rules are equal machines, and a walk over two of them finds an object that they answer otherwise.
 *
 * Capabilities and limits need none. Network rules are answered by family and type, as every
 * kernel up to 7.3 does it.
 */
#include "compiler/apparmor/access.h"
#include "compiler/apparmor/weigh.h"
#include "compiler/automata/machine.h"

struct aa_objects_pool;

/* For all classes of all profiles that are compared. Owner: the arena. */
struct aa_objects_pool *aa_objects_pool_new(struct arena *a);

bool aa_has_objects(enum aa_class class);

struct aa_objects {
	const struct aa_objects_pool *pool;
	enum aa_release release;
	enum aa_class class;
	struct machine machine;
	bool decided; /* false: more than MACHINE_STATES_MAX or MACHINE_STEPS_MAX, or no memory */
};

/*
 * The rules of `class` among these, and those of `all,`, as the release's parser compiles them; they
 * and their globs must live as long as the pool.
 */
struct aa_objects aa_objects_build(struct aa_objects_pool *p, enum aa_release release,
				   const struct aa_rule *const *rules, size_t n,
				   enum aa_class class);

struct aa_asking; /* answer.h */
/*
 * Those of a profile under its abi: what is not mediated is allowed whole. Sockets of unix are
 * UNIX's alone: network rules count there, and they and what the parser makes network rules of
 * alone, where only those are mediated. What was asked must live as long as the pool.
 */
struct aa_objects aa_objects_under(struct aa_objects_pool *p, const struct aa_asking *q,
				   enum aa_class class);

/* By class of the machine: in permissions of the rules' class (of those that have none AA_ACCESS_*). */
const struct aa_halves *aa_objects_class(const struct aa_objects_pool *p, unsigned class);

/* Permissions that the two answer otherwise: allowed, logged, refused without a word, asked for. */
unsigned aa_halves_differ(const struct aa_halves *a, const struct aa_halves *b);

/*
 * As machine_walk(): objects that the kernel can ask about, y NULL: of x alone. A pair of classes
 * is found once for each kind of object (mounts, binds, moves). Both must be of one pool and class.
 * Owner: the arena.
 */
struct machine_walk aa_objects_walk(struct arena *a, const struct aa_objects *x,
				    const struct aa_objects *y, bool differ);

/* The same of objects of which `in` says something too, as machine_walk_within(). */
struct machine_walk aa_objects_walk_within(struct arena *a, const struct aa_objects *x,
					   const struct aa_objects *y, const struct aa_objects *in,
					   bool differ, size_t *left);

/* As machine_meet(): of objects of which both say something. */
struct machine_walk aa_objects_meet(struct arena *a, const struct aa_objects *x,
				    const struct aa_objects *y);

/*
 * The object as a user asks about it (access.h): "signal send term peer=p". perm: one bit, which
 * the class's rules could speak of for such an object. In the arena.
 */
const char *aa_objects_witness(struct arena *a, enum aa_class class, struct str object,
			       unsigned perm);
