/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The filters of a running process, for `dump` and `why`. */
#include "compiler/cmd/cmd.h"
#include "compiler/decision/decision.h"
#include "compiler/enforce/held.h"

/* EXIT_OK, EXIT_FOUND (there is none) or EXIT_SYSTEM, after saying why; `command` for messages. */
int dump_read(struct session *s, const char *command, pid_t pid, struct held *out);
/* What they answer together: the most restrictive, of the newest on ties. */
dd_node dump_root(struct session *s, struct dd *dd, const struct held *h);
