/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* --runtime, of every command that takes it. */
#include "compiler/cmd/cmd.h"
#include "compiler/oci/oci.h"

/* kind as in oci_runtime_parse(). -1, or the exit status of wrong usage, told. */
int runtime_option(struct session *s, const struct command *self, const char *word, int kind,
		   struct oci_runtime *out);
/* Says of one that was not measured what it is taken as (PL257). */
void runtime_note(struct session *s, const struct oci_runtime *rt);
/* "exact for runc-1.1.5+...", or what it is taken as; in the arena. */
const char *runtime_claim(struct arena *a, const struct oci_runtime *rt, bool approximate);
