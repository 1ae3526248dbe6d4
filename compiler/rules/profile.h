/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What AppArmor text says once its includes are followed, its conditions decided and its blocks
 * dissolved: profiles with their rules in order, each rule still a statement of the tree, with
 * what it begins with and the way that it came in. rules.h gives them types, apparmor/means.h a meaning.
 *
 * What a text may say and means depends on the parser that reads it: on its release, and on the
 * features of its abi file and kernel (apparmor.d(5), FEATURE ABI).
 */
#include "compiler/automata/glob.h"
#include "grammar/apparmor_tree.h"

/* Releases whose behaviour differs and was measured; what lies between is taken as the older. */
enum aa_release {
	AA_RELEASE_3_0,   /* 3.0.8, Debian 12 */
	AA_RELEASE_4_0,   /* not measured: syntax as 4.1.0 */
	AA_RELEASE_4_1,   /* 4.1.0, Debian 13 */
	AA_RELEASE_4_1_2, /* no Debian has it: 4.1.2 and 4.1.7 were built, and compared by hand */
	AA_RELEASE_4_1_8, /* 4.1.8, Debian 14; it mends what 5.0.2, which is older, does not */
	AA_RELEASE_5_0,   /* 5.0.2 */
	AA_RELEASE_NR
};

/* Classes of rules; classes.def has the words. */
enum aa_class {
	AA_CLASS_FILE, /* paths, links, exec */
	AA_CLASS_CAPABILITY,
	AA_CLASS_NETWORK,
	AA_CLASS_UNIX,
	AA_CLASS_MOUNT, /* mount, remount, umount */
	AA_CLASS_PIVOT_ROOT,
	AA_CLASS_PTRACE,
	AA_CLASS_SIGNAL,
	AA_CLASS_DBUS,
	AA_CLASS_MQUEUE,
	AA_CLASS_USERNS,
	AA_CLASS_IO_URING,
	AA_CLASS_RLIMIT,
	AA_CLASS_CHANGE_PROFILE,
	AA_CLASS_ALL, /* `all,` */
	AA_CLASS_NR
};

/*
 * Kernels as measured (Debian's 6.1, 6.12, 7.2, 7.3), and between them by the pull requests that
 * brought it: userns and io_uring from 6.7 on ("AppArmor updates for 6.7"; 6.12 has them, 6.1 not),
 * addresses and peers of unix sockets from 6.17 (7.2 has them, 6.12 not), with them that messages are
 * asked about by the bus; message queues and addresses of inet in none.
 */
enum { AA_KERNEL_NAMES = 6 << 8 | 7, AA_KERNEL_UNIX = 6 << 8 | 17 };

/* For whom a profile is read: `--target apparmor=5.0`. */
struct aa_target {
	enum aa_release release;
	/* Classes that a kernel mediates under the file's abi: bit N is class N. Set by expanding. */
	unsigned mediated;
	/* Those whose patterns the parser compiles, and refuses where they are wrong: at least these. */
	unsigned compiled;
	bool addresses; /* the kernel is known to match what network rules say of addresses */
	bool unstacked; /* neither it nor the abi stacks profiles */
	bool ownerless; /* owners have a flag there that the release does not write */
};

struct aa_features; /* features.h */
struct aa_header;   /* rules.h */
struct aa_known;    /* known.h */

enum aa_mode { AA_MODE_ALLOW, AA_MODE_DENY, AA_MODE_PROMPT };
enum aa_owner { AA_OWNER_ANY, AA_OWNER_ONLY, AA_OWNER_OTHER };

enum { AA_PRIORITY_MIN = -1000, AA_PRIORITY_MAX = 1000 }; /* parser.h, MIN_POLICY_PRIORITY */

/* What a rule begins with, its blocks' words too. */
struct aa_prefix {
	int priority; /* 0 where none is said */
	enum aa_mode mode : 8;
	enum aa_mode own : 8; /* as the rule, or a block between, says it: 'x' must fit both */
	enum aa_owner owner : 8;
	bool audit;
	bool mode_said; /* `allow` is written */
};

/* The way by which a statement came in; NULL: it stands in the file that was asked about. */
struct aa_from {
	const struct aa_from *parent;
	const struct aa_stmt *include;
	const char *path; /* of the file that was read for it */
	unsigned depth;   /* 1: in a file that the first one includes */
};

/*
 * What becomes of a rule. Whatever it is, the parser reads its words, and refuses those that are
 * wrong; but variables are opened, patterns compiled and conflicts found only for what is live.
 */
enum aa_reach {
	AA_REACH_LIVE,
	AA_REACH_FALSE, /* in the branch of an `if` that does not hold */
	AA_REACH_LOST,  /* the parser of this release drops it without a word: told */
};

struct aa_use {
	const struct aa_stmt *stmt; /* AA_STMT_RULE */
	struct aa_prefix prefix;    /* as the release's parser combines it with those of blocks */
	unsigned blocks;            /* around it: 1 << what it says with each */
	enum aa_class class;        /* by its first word; what is no keyword is FILE */
	enum aa_reach reach;
	const struct aa_from *from;
};

struct aa_profile {
	const struct aa_stmt *stmt; /* AA_STMT_PROFILE */
	const struct aa_from *from;
	struct aa_profile *parent; /* of a child or hat */
	struct str ns;             /* "" none */
	struct str name;           /* unescaped, variables not opened, without its parents */
	struct str label;          /* as the kernel shows it: parent//name, variables opened */
	const struct aa_word *attachment; /* NULL: its name where that is a path, or none */
	struct str attached;              /* that with its variables opened; p NULL: none */
	struct aa_header *header;         /* rules.h */
	bool hat;
	enum aa_reach reach;     /* of a child in a branch or block; FALSE or LOST: not loaded */
	VEC(struct aa_use) uses; /* in the order of the text */
	VEC(struct aa_profile *) children; /* children and hats, in the order of the text */
};

struct aa_alias {
	struct aa_word from, to;
	const struct aa_from *way;
};

/* Everything that one file says. Owner: the arena it was expanded in. */
struct aa_policy {
	struct aa_target target;
	const struct aa_word *abi; /* the file that names the features, NULL: none */
	const struct aa_from *abi_from;
	const struct aa_features *features; /* of the abi; NULL: none is named, or <kernel> */
	VEC(struct aa_profile *) profiles;
	VEC(struct aa_alias) aliases;
	struct glob_variables variables; /* @{V}, as rules see them but for a profile's own */
};
