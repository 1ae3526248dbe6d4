/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The runtime of this machine, and how sure pale is of one. What is said is in the session. */
#include "compiler/file/session.h"
#include "compiler/oci/oci.h"

/* NULL and the one that is installed here, or why that is not known; in the arena. *lacking: the
 * system is short of something, and another time it may be. */
const char *runtime_installed(struct session *s, int kind, struct oci_runtime *out, bool *lacking);
/* Where the runc or crun (kind) of this machine is; NULL. */
const char *runtime_path(struct session *s, int kind);
/* The version that this runc or crun (kind) says it has, "1.1.5+ds1", in the arena; NULL: it is not to be had. */
const char *runtime_version(struct session *s, int kind, const char *path);
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
