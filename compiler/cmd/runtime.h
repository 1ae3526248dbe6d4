/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --runtime, of every command that takes it. */
#include "compiler/cmd/cmd.h"
#include "compiler/oci/oci.h"

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
/* NULL and the one that is installed here, or why that is not known; in the arena. *lacking: the
 * system is short of something, and another time it may be. */
const char *runtime_installed(struct session *s, int kind, struct oci_runtime *out, bool *lacking);
/* The default of commands that say what is so here: the installed one; where none is, oci_runtime_default
 * or crun beside it, which is told (PL258); where the system is too short to ask, an error (PL020). */
void runtime_here(struct session *s, int kind, struct oci_runtime *out);
/* The same for what can speak of all: NULL, which is told (PL258), where none is installed. */
const struct oci_runtime *runtime_here_or_any(struct session *s);
/* The measured one that it is taken as; "any": NULL. In the arena. */
const char *runtime_name(struct arena *a, const struct oci_runtime *rt);
/* Says that the one that is installed here is another than rt, the default (PL259). */
void runtime_compare(struct session *s, const struct oci_runtime *rt);
/* Says of one that was not measured what it is taken as (PL257). */
void runtime_note(struct session *s, const struct oci_runtime *rt);
