/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* AppArmor files as `pale sim`, `explain`, `diff` and `why` read them. */
#include "compiler/cmd/check_apparmor.h"
#include "compiler/cmd/options.h"
#include "compiler/tell/accessed.h"

/* Is the file AppArmor text, or --target says that it is? */
bool apparmor_asked(struct session *s, const struct options *o, const char *path);

enum asks_what { ASKS_CALLS = 1, ASKS_POLICY = 2, ASKS_APPARMOR = 4 };
/* Of the texts from `from` on, asked of a file that is not AppArmor's: is one an access? */
enum asks_what asks_what(char *const *texts);
/* The first option given that is AppArmor's alone, "profile"; NULL: none is. */
const char *apparmor_options_given(const struct options *o);
/* False: an option is given that says nothing of such a file; told as wrong usage. */
bool apparmor_options_fit(const struct options *o, enum asks_what what);

/* A file that the parser of --target's release takes, expanded for it. */
struct apparmor_opened {
	const struct source *source;
	const struct aa_policy *policy;
	struct diags *again; /* of what is read of it: the check has told it already */
};

/* For whom: one release, its includes and kernel, for all files of a run. */
struct apparmor_reading {
	struct aa_asked asked;
	struct apparmor_checks checks;
};

/*
 * For what `target`, --target's value or that of one side, names. EXIT_OK, or the exit status after
 * saying what is wrong with it or with --features.
 */
int apparmor_reading_open(struct session *s, const struct options *o,
			  const struct option_value *target, struct apparmor_reading *out);
/* EXIT_OK, or the exit status with what is wrong in s. */
int apparmor_read(struct session *s, const struct apparmor_reading *r, const char *path,
		  struct apparmor_opened *out);
/* The same of one file. */
int apparmor_open(struct session *s, const struct options *o, const char *path,
		  struct apparmor_opened *out);
/* The one of this name; name NULL: the only one. NULL: told. */
const struct aa_profile *apparmor_choose(struct session *s, const char *name,
					 const struct apparmor_opened *opened);
int apparmor_open_profile(struct session *s, const struct apparmor_opened *opened,
			  const struct aa_profile *p, struct aa_asking *out);

/*
 * The profile that --profile names, or the only one, read for --target's release. EXIT_OK, or the
 * exit status: what is wrong is in s, or was told.
 */
int apparmor_asking(struct session *s, const struct options *o, const char *path,
		    struct aa_asking *out);

/*
 * The AppArmor half of a policy, for --target's release and --features. EXIT_OK, or as above;
 * of one that does not count on AppArmor out->q is NULL.
 */
int apparmor_asking_policy(struct session *s, const struct options *o, const struct policy *p,
			   struct access_of *out);
/* Tells that an access is asked of a file that holds none: `what` it is. */
void apparmor_no_accesses(struct session *s, const char *text, const char *what);
