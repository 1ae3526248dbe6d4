/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --runtime, of every command that takes it. */
#include "compiler/cmd/cmd.h"
#include "compiler/file/installed.h"

/* kind as in oci_runtime_parse(); "installed" is a word, too. -1, or the exit status of wrong usage, told. */
int runtime_option(struct session *s, const struct command *self, const char *word, int kind,
		   struct oci_runtime *out);
/*
 * The same of any kind, for what reads JSON: *out is in the arena, for input_options and
 * decide_options, and what one that was not measured is taken as is told at once (PL257).
 */
int runtime_named(struct session *s, const struct command *self, const char *word,
		  const struct oci_runtime **out);
/* The same of --runtime, where it is given; else -1 and *out stays. */
struct options;
int runtime_given(struct session *s, const struct options *o, const struct oci_runtime **out);
/* Who loads it, of `kind` as above: --runtime's, else the installed one. */
int runtime_loader(struct session *s, const struct options *o, int kind, struct oci_runtime *out);
