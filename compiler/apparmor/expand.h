/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A tree to what it says: includes followed, variables set, conditions decided, blocks dissolved,
 * as the parser of a release does it (parser_yacc.y, parser_lex.l).
 */
#include "compiler/rules/profile.h"
#include "grammar/apparmor_library.h"

enum {
	AA_INCLUDE_DEPTH = 32,
	AA_FLAT_MAX = 64 << 20,  /* bytes of a file and all that it includes, each time anew */
	AA_PROFILES_MAX = 10000, /* profiles, hats and children of one file */
	AA_PROFILE_DEPTH = 32,   /* profiles in one another */
};

struct apparmor_target; /* needs.h */

struct aa_asked {
	enum aa_release release;
	const struct aa_features *kernel; /* of --features; NULL: a kernel that has all */
	struct aa_known *known;           /* known.h: of all files; NULL: nothing is remembered */
	/* Of a policy: what it is compiled for, whose abi it then names; NULL: the oldest that carries it. */
	const struct apparmor_target *target;
};

/* Is a profile read for the same release and kernel, and a policy compiled with the same abi? */
bool aa_asked_alike(const struct aa_asked *a, const struct aa_asked *b);

/*
 * The file's tree must come from a source of the library's list, which is ds's too; an include is
 * parsed by the library, and what is wrong with it is told in the first ds that meets it. Never
 * NULL: with errors (ds->errors has grown) it holds what could be read, and no profile of it may be
 * taken for whole. Bounds: the above, aa_library's, aa_vars's. Owner: the arena.
 */
struct aa_policy *aa_expand(struct arena *a, struct aa_library *lib, const struct aa_file *file,
			    const struct aa_asked *asked, struct diags *ds);

/*
 * The variables that rules of a profile see: the policy's, and @{profile_name}, from 5.0 on
 * @{exec_path} and @{attach_path} of one with an attachment (parser_variable.c). In the arena.
 */
struct glob_variables aa_profile_variables(struct arena *a, const struct aa_policy *p,
					   const struct aa_profile *profile);
