/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pale.toml(5): what of lint's options a file says, for the files at and below its folder. The nearest
 * one counts, alone; an option of the command line counts in place of its key.
 */
#include "compiler/base/table.h"
#include "compiler/cmd/options.h"
#include "compiler/lint/select.h"

struct lint_ignored {
	const char *glob;
	struct selection never;
};

struct lint_config {
	const char *path;   /* as it is told; NULL: there is none, the command line alone speaks */
	const char *folder; /* absolute: its globs and paths are relative to it */
	struct options options; /* the command line's, and its keys where that says nothing */
	struct command command;
	struct option_source source;
	VEC(struct lint_ignored) ignored; /* [lint.per-file-ignores] */
	void *settings;                   /* the caller's */
};

struct lint_folder {
	const char *as_named, *real;
	struct lint_config *config;
};

struct lint_configs {
	struct session *session;
	const struct options *given;
	struct lint_config *none, *only; /* only: --config; with --isolated it is none */
	VEC(struct lint_config *) list;
	VEC(struct lint_folder) folders;
	struct table folder_at;
	int status; /* EXIT_OK, or what reading one of them came to */
};

/* EXIT_OK, or the status after saying what is wrong with --config. */
int lint_configs_open(struct session *s, const struct options *o, struct lint_configs *out);
/* Of the file at this path, there or not; never NULL. What is wrong with it is in the session. */
struct lint_config *lint_config_of(struct lint_configs *all, const char *path);
/* Does its `exclude`, or --exclude, leave the path out? */
bool lint_config_excludes(struct lint_configs *all, const struct lint_config *c, const char *path);
/* Adds what [lint.per-file-ignores] says of the path. */
void lint_config_ignores(struct lint_configs *all, const struct lint_config *c, const char *path,
			 struct selection *out);
