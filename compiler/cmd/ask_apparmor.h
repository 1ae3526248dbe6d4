/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What `pale sim` and `pale explain` ask of AppArmor files. */
#include "compiler/apparmor/answer.h"
#include "compiler/cmd/options.h"

/* Is the file AppArmor text, or --target says that it is? */
bool apparmor_asked(struct session *s, const struct options *o, const char *path);

/* False: an option is given that says nothing of such a file; told as wrong usage. */
bool apparmor_options_fit(const struct options *o, bool apparmor);

/*
 * The profile that --profile names, or the only one, read for --target's release. EXIT_OK, or the
 * exit status: what is wrong is in s, or was told.
 */
int apparmor_asking(struct session *s, const struct options *o, const char *path,
		    struct aa_asking *out);
