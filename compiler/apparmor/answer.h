/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * May a program under a profile do it, and which rules say so? What rules add up to is means.h's;
 * here is what the profile's mode makes of that, as the kernel has it (security/apparmor/file.c,
 * aa_audit_file and profile_path_link; lib.c, aa_apply_modes_to_perms).
 */
#include "compiler/apparmor/access.h"
#include "compiler/apparmor/expand.h"
#include "compiler/apparmor/means.h"

struct aa_asking {
	struct arena *arena;
	const struct aa_profile *profile;
	struct aa_target target;
	const struct aa_policy *policy; /* whose aliases count; NULL: there are none */
	struct aa_files files;
	VEC(const struct aa_rule *) rules; /* all that are live, files' too */
	struct aa_means means;
};

enum aa_outcome {
	AA_ALLOWED,
	AA_ALLOWED_AUDITED, /* and logged as a rule or flag asks for */
	AA_ALLOWED_LOGGED,  /* no rule allows it: the profile's mode does, and logs it */
	AA_ASKS,            /* a notifier is asked, if one listens; else refused */
	AA_REFUSED,
	AA_KILLED, /* refused, and the program is killed */
	AA_VARIES, /* 4.1.0: allowed or not, by where its parser's memory lies */
	AA_OUTCOME_NR
};

enum aa_role { AA_ROLE_DECIDES, AA_ROLE_AGREES, AA_ROLE_OUTRANKED };

/* A rule that speaks of the access. */
struct aa_spoken {
	const struct aa_rule *rule;   /* NULL: nobody's, file says whose */
	const struct aa_opened *file; /* NULL: it says nothing of files */
	unsigned bits;                /* of what it speaks, all that it says */
	enum aa_role role;
};

/* What becomes of it where an execution changes the profile (domain.c, profile_onexec). */
enum aa_environment {
	AA_ENVIRONMENT_NONE, /* no such execution is asked about, or it is refused */
	AA_ENVIRONMENT_SAFE, /* what is dangerous in it is cleared */
	AA_ENVIRONMENT_UNSAFE,
};

struct aa_verdict {
	enum aa_outcome outcome;
	unsigned lacking;                /* what is asked for and not granted by rules */
	bool quiet;                      /* refused, and nothing is logged */
	const char *why;                 /* beside the rules; NULL: nothing */
	struct aa_transition exec;       /* of exec, where it is granted */
	enum aa_environment environment; /* of change_profile */
	VEC(struct aa_spoken) rules;     /* in the order of the text */
};

/*
 * The rules of a profile that its parser takes. False: what they are together is not decided, or a
 * rule could not be read; told. Pool NULL: one of its own. Owner: the
 * arena.
 */
bool aa_asking_open(struct arena *a, struct aa_means_pool *pool, const struct aa_policy *p,
		    const struct aa_profile *profile, struct diags *ds, struct aa_asking *out);

/*
 * The rules of a policy, as those of the profile that is compiled of it: name, attachment, the
 * classes that its abi mediates. They have an origin and no use. False: as above, or a rule that
 * AppArmor cannot say. Pool NULL: one of its own.
 */
bool aa_asking_policy(struct arena *a, struct aa_means_pool *pool, const struct policy *p,
		      const struct aa_asked *asked, struct diags *ds, struct aa_asking *out);

/* What both do, once out has profile, target and rules. */
bool aa_asking_build(struct arena *a, struct aa_means_pool *pool, struct diags *ds,
		     struct aa_asking *out);

/* Is the access answered? What is not yet is told. */
bool aa_can_ask(const struct aa_asking *q, const struct aa_access *access, struct diags *ds);

/* Of one half; what is no file has none. Owner of the rules: the arena of asking. */
struct aa_verdict aa_ask(const struct aa_asking *q, const struct aa_access *access,
			 enum file_who who);
/* What becomes of it by what its rules add up to alone: no rule is named. */
struct aa_verdict aa_path_verdict(const struct aa_asking *q, const struct aa_answer *answer,
				  enum file_who who, unsigned perms);
struct aa_link_answers { /* of the new name, of it with what it leads to, of that */
	const struct aa_answer *path, *pair, *to;
};
struct aa_verdict aa_link_verdict(const struct aa_asking *q, const struct aa_link_answers *l,
				  enum file_who who);

/* The file rules that an access matches, and what is said of it by them: a path asked often. */
struct aa_matched {
	VEC(const struct aa_opened *) list;
};
void aa_match(const struct aa_asking *q, const struct aa_access *access, struct aa_matched *out);
/* As aa_ask() of a file; access->perms may be fewer than those that were matched. */
struct aa_verdict aa_ask_matched(const struct aa_asking *q, const struct aa_access *access,
				 enum file_who who, const struct aa_matched *matched);
const struct aa_answer *aa_ask_path(const struct aa_asking *q, struct str path);

/* What is said alike: outcome, transition, and by the same rules. */
bool aa_verdict_same(const struct aa_verdict *x, const struct aa_verdict *y);

/* What a rule says of one half, with all that its letters imply. */
unsigned aa_opened_bits(const struct aa_opened *f, enum file_who who);
