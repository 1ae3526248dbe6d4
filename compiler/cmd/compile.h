/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/cmd/cmd.h"
#include "compiler/target/target.h"

/*
 * compile_write.c: all artifacts or none, to `output` (a file, a directory, "-"; NULL: standard
 * output or here), and a line about each on stderr unless `quiet`. Parts of a filter that was
 * there before and had more of them go in the same step. EXIT_*, already told.
 */
int compile_write(struct compilation *c, const char *output, bool quiet);
