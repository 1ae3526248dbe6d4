/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AppArmor profiles compared: those of one label on both sides, children and hats too, by what
 * they answer to every access under their modes; and what only one side holds. Each line has an
 * access that shows it, as `pale sim` reads it.
 */
#include "compiler/apparmor/answer.h"
#include "compiler/apparmor/objects.h"
#include "compiler/tell/diff.h"

struct diff_profiles_side {
	const struct aa_policy *policy;
	const struct aa_profile *only; /* it, and what is in it; NULL: all of the file */
	/* Instead of those: a policy that counts on AppArmor; NULL: none. */
	const struct policy *pale;
	struct aa_asked asked; /* for whom */
	unsigned open; /* of a policy, bits of kinds: it counts on nobody to ask about them */
};

/*
 * Into d->resources, d->has and d->notes. False: rules could not be read, which is told. Both
 * sides' checks have taken their files.
 */
bool diff_profiles(struct session *s, struct diff *d, const struct diff_profiles_side *a,
		   const struct diff_profiles_side *b);

/*
 * Of two policies: the kinds whose bits are set, but limits, and where there are such of
 * RESOURCE_MOUNT and on, classes that one side's abi alone has mediated. Sockets of unix are
 * compared with RESOURCE_UNIX where that is set, else with RESOURCE_SOCKETS. NULL, or why nothing is
 * compared: what of one of them AppArmor cannot say.
 */
const char *diff_policies(struct session *s, struct diff *d, const struct diff_profiles_side *a,
			  const struct diff_profiles_side *b, unsigned kinds);

/* ---- what the files of this comparison share: diff_profile*.c ---- */

struct profile_side {
	const struct policy *pale; /* whose profile it is; NULL: of an AppArmor file */
	struct aa_asking made;     /* of that */
	struct aa_asked asked;     /* for whom */
	struct aa_asking opened;   /* of kinds that nobody asks about */
	unsigned open;
	bool is_open; /* the kind at hand is among them */
	const struct aa_policy *policy;
	VEC(const struct aa_profile *) list; /* all that are compared, in the order of the text */
	/* of the pair at hand */
	struct aa_asking q;
	struct aa_matched matched;
	bool is_matched;
};

enum { PROFILE_ALSO_MAX = 6 };

/* One answer, and by which rule. */
struct profile_said {
	enum aa_outcome outcome;
	bool quiet;
	struct aa_transition exec;
	enum aa_environment environment;
	const struct aa_rule *by;                     /* NULL: none */
	const struct aa_rule *also[PROFILE_ALSO_MAX]; /* that agree with it */
	unsigned also_n, also_more;
	bool added;      /* one of nobody's, that the parser adds */
	const char *why; /* NULL: nothing more */
};

struct profile_told { /* a change that was told, and of what */
	enum resource_kind kind;
	enum change change;
	struct profile_said a, b;
	unsigned perms[FILE_WHO_NR];
	struct str where; /* the path, or access, that it was told of */
};

struct profiles {
	struct session *session;
	struct arena *arena;
	struct diff *out;
	struct profile_side a, b;
	const struct aa_rule *naming;    /* changes that are told are those that it has a part in */
	bool naming_a;                   /* it is A's */
	size_t left;                     /* pairs that may still be walked for that */
	struct str from, to;             /* A's label that is called otherwise in B, and how */
	struct aa_means_pool *pool;      /* of both */
	struct aa_objects_pool *objects; /* of both */
	const char *name;                /* of the pair at hand; "": there is one pair */
	size_t shown, untold;            /* lines */
	bool undecided;                  /* of the pair at hand: told once */
	VEC(struct profile_told) told;
};

/* Adds one difference of the pair at hand; what is NULL becomes "". */
void profile_add(struct profiles *c, struct diff_resource r);
/* Is there no room for more lines? Further ones are counted. */
bool profile_is_full(const struct profiles *c);
void profile_not_decided(struct profiles *c, enum resource_kind kind, const char *reason);
/* Are two labels one profile, by what it is called in A and in B? */
bool profile_same_label(const struct profiles *c, struct str a, struct str b);

/* CHANGE_NR: they are the same. */
enum change profile_change(const struct profiles *c, const struct profile_said *a,
			   const struct profile_said *b);
/* The rule that decides, or that there is none. */
const char *profile_by(struct profiles *c, const struct profile_side *s,
		       const struct profile_said *x);
/* Of a verdict whose rules are known. */
struct profile_said profile_said_of(const struct aa_verdict *v);
/* Has it the rule that decides be `rule`, where that agrees with it? False: it does not. */
bool profile_said_by(struct profile_said *said, const struct aa_verdict *v,
		     const struct aa_rule *rule);
/* A difference with who decides it on both sides. */
struct diff_resource profile_row(struct profiles *c, const struct profile_told *told);
/* One change, of the same answers by the same rules? */
bool profile_same_told(const struct profile_told *x, const struct profile_told *y);
/* Is what changes there by the rule that is being named told, or counted, with another rule? */
bool profile_is_named(const struct profiles *c, const struct profile_told *now);
/* What was told alike, a new row where nothing was. */
struct profile_told *profile_told_of(struct profiles *c, const struct profile_told *now);

/* "web.apparmor:2:1: profile web /usr/bin/web" */
void put_head(struct buf *out, const struct sources *sources, const struct aa_profile *p);

/* Do equal rules answer alike on both sides? */
bool profile_same_modes(const struct profiles *c);
/* Mode, flags, xattrs and the like: what a policy's line of its profile's head says, too. */
void compare_profile_heads(struct profiles *c);
/* These, and what the two abis have mediated. */
void compare_profile_headers(struct profiles *c);
/* Classes that one side's abi alone has mediated, unless its rules allow all of one. */
void compare_profile_mediation(struct profiles *c);

/*
 * Are accesses of the class answered alike, if one side's abi alone has it mediated? True too where
 * both have, or neither. False: *logged: all of them are allowed, and some are logged.
 */
bool profile_same_mediation(struct profiles *c, enum aa_class class, bool *logged);
/* Whose executions a profile confines; NULL: the side has no such profile. */
void compare_attachments(struct profiles *c, const struct aa_profile *a,
			 const struct aa_profile *b);
void compare_profile_files(struct profiles *c);
void compare_profile_links(struct profiles *c);
void compare_profile_capabilities(struct profiles *c);
void compare_profile_limits(struct profiles *c);
void compare_profile_objects(struct profiles *c);
/* Kinds by their bits; of sockets those of unix alone, with their kind. */
void compare_policy_objects(struct profiles *c, unsigned kinds);
void compare_policy_sockets(struct profiles *c, bool but_unix);

/* False: the text is no access. */
bool profile_read_access(struct profiles *c, const char *text, struct aa_access *out);
/* CHANGE_NR as well where the rule that is being named has no part in it. */
struct profile_told profile_ask_both(struct profiles *c, enum resource_kind kind,
				     const struct aa_access *access);
/* All signals that change as the access does, with its peer: "signals: send kill (peer 'p')". */
const char *profile_signals(struct profiles *c, const struct profile_told *is, const char *access);
/* That so many rules of one side alone are not named, for there is no room. */
void profile_note_unnamed(struct profiles *c, const char *kind, size_t n);
