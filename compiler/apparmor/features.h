/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Features: what a kernel has, or what a policy is written for (`abi <abi/4.0>,`), as text of
 * names and braces: "mount {mask {mount umount}}" (libapparmor's features.c).
 */
#include "compiler/rules/profile.h"

enum {
	AA_FEATURES_MAX = 8190, /* bytes, libapparmor's own bound (load_features_file) */
	AA_FEATURES_DEPTH = 32,
};

struct aa_features {
	struct str text;
	unsigned rows; /* of features.c: which of their names it has */
};

/* NULL: more than AA_FEATURES_MAX bytes. Anything else is taken, as libapparmor takes it. */
const struct aa_features *aa_features_read(struct arena *a, struct str text);

/*
 * Is it what a kernel or a package has as features? AppArmor's parsers take any text for it, and then
 * mediate nothing. Names and braces that nest, one of the kernel's own at the top. False: told (PL394).
 */
bool aa_features_right(const struct source *src, struct diags *ds);

/* Those of a kernel of that version (6 << 8 | 12), as far as classes of rules go. */
const struct aa_features *aa_features_of_kernel(struct arena *a, unsigned version);

/* "namespaces/mask/userns_create": is it there? False where braces nest past AA_FEATURES_DEPTH. */
bool aa_features_has(const struct aa_features *f, const char *path);

/*
 * The classes that are mediated under a policy's features on a kernel: bit N is class N. policy
 * NULL: no abi is named, and the features are those that the release's distribution pins (Debian
 * 12, 13, sid: parser.conf); kernel NULL: one that has all of them.
 */
unsigned aa_features_classes(enum aa_release release, const struct aa_features *policy,
			     const struct aa_features *kernel);

/* The same, and where no abi is named also those that it has where nothing is pinned: unix. */
unsigned aa_features_compiled(enum aa_release release, const struct aa_features *policy,
			      const struct aa_features *kernel);

/* Do both say that what network rules say of addresses counts? */
bool aa_features_addresses(const struct aa_features *policy, const struct aa_features *kernel);

/*
 * May profiles be stacked, "domain/stack" of both? Without it the parser takes change_profile's targets
 * apart, and refuses some. Every kernel since 4.13 has it, and every abi that is shipped.
 */
bool aa_features_stack(const struct aa_features *policy, const struct aa_features *kernel);

/*
 * Does the kernel look for a flag at each state that says whether owners are told apart? With 6.17
 * came version 3 of its table of permissions, and parsers before 4.1.3, which write such tables since
 * 4.1.0, write no flag: what such a rule gives an owner everybody has (4.1.0's tables in Linux 7.2).
 */
bool aa_features_owner_flag(const struct aa_features *kernel);

/* The first release that ships an abi of this name ("abi/4.0"); NULL: none does. */
const char *aa_features_shipped(struct str abi);

/*
 * What a shipped abi that policies are written for, 3.0, 4.0 or 5.0, says of classes: no more than
 * aa_features_classes() asks for. NULL: another one. Owner: the arena.
 */
const struct aa_features *aa_features_of_abi(struct arena *a, struct str abi);
