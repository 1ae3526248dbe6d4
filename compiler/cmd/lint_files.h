/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The files that lint's operands name: as they are, those below a folder, those that a glob
 * matches. Below a folder, by name: *.pale, *.json, *.apparmor, *.aa, *.yaml and *.yml, and all that is below a
 * folder whose name has "apparmor" in it, without the folders of what profiles include (abstractions,
 * tunables, local, ...); what begins with '.' or ends in '~' is passed over, and no link is followed.
 */
#include "compiler/cmd/cmd.h"
#include "compiler/cmd/lint_config.h"

struct lint_file {
	const char *path;
	struct lint_config *config;
	bool walked; /* found below a folder: lint_file_wants() says whether its text is for us */
};

typedef VEC(struct lint_file) lint_file_list;

/*
 * In the order of the operands, folders and globs by name, each with what configures it. A folder in
 * which nothing is read, and nothing left out, stands in the list itself: that is an error. EXIT_OK,
 * or another status after saying what is wrong.
 */
int lint_files_find(struct session *s, char **operands, struct lint_configs *configs,
		    lint_file_list *out);

/* A walked file is read by its name; JSON may be anything, and so may what lies beside AppArmor's. */
bool lint_file_wants(const char *path, struct str text);
/* Is it a file that every command takes for AppArmor's text? Of what can be read only once: false. */
bool lint_file_is_apparmor(const char *path);
