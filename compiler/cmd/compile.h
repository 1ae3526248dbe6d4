/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/cmd/cmd.h"
#include "compiler/target/target.h"

/*
 * compile_write.c: all artifacts or none, to `output` (a file, a directory, "-"; NULL: standard
 * output or here), and a line about each on stderr unless it is quiet. Parts of a filter that was
 * there before and had more of them go in the same step. EXIT_*, already told.
 */
int compile_write(struct compilation *c, const char *output);
/*
 * The same, to a directory, which is made where there is none; of none of these files, which were
 * named to be read, is the place taken.
 */
int compile_write_dir(struct compilation *c, const char *dir, char *const *named, size_t n);

/* compile_many.c: the artifacts of several files, with the file that each is from. */
struct compiled_files {
	struct compilation c; /* artifacts and diags alone */
	VEC(const char *) from;
	char *const *named; /* all files of the command line */
	size_t n_named;
};
/* Takes over the artifacts of one file, texts and all. */
void compile_keep(struct compiled_files *all, const struct compilation *c, const char *from);
/* All of them or none; none where two files would have one name (PL243). EXIT_*. */
int compile_write_all(struct compiled_files *all, const char *dir);
