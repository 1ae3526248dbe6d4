/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What `pale sim` and `pale explain` ask of AppArmor files. */
#include "compiler/apparmor/answer.h"
#include "compiler/cmd/options.h"

/* Is the file AppArmor text, or --target says that it is? */
bool apparmor_asked(struct session *s, const struct options *o, const char *path);

/* False: an option is given that says nothing of such a file; told as wrong usage. */
bool apparmor_options_fit(const struct options *o, bool apparmor);

/* A file that the parser of --target's release takes, expanded for it. */
struct apparmor_opened {
	const struct source *source;
	const struct aa_policy *policy;
	struct diags *again; /* of what is read of it: the check has told it already */
};

/* EXIT_OK, or the exit status with what is wrong in s. */
int apparmor_open(struct session *s, const struct options *o, const char *path,
		  struct apparmor_opened *out);
/* The one that --profile names, or the only one; NULL: told. */
const struct aa_profile *apparmor_choose(struct session *s, const struct options *o,
					 const struct apparmor_opened *opened);
int apparmor_open_profile(struct session *s, const struct apparmor_opened *opened,
			  const struct aa_profile *p, struct aa_asking *out);

/*
 * The profile that --profile names, or the only one, read for --target's release. EXIT_OK, or the
 * exit status: what is wrong is in s, or was told.
 */
int apparmor_asking(struct session *s, const struct options *o, const char *path,
		    struct aa_asking *out);
