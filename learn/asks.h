/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What calls ask of AppArmor's classes beside files, as the kernel's hooks have it
 * (security/apparmor: lsm.c, mount.c, ipc.c), made the rules that allow it.
 */
#include "learn/model.h"

struct ask_name {
	const char *text; /* NULL: none was given; "": it was lost, and counted */
	const char *base; /* the directory that it is seen from; NULL: it is resolved */
	unsigned flags; /* TRACE_DIR of a resolved one; TRACE_FOLLOW, TRACE_ELSEWHERE, TRACE_NOW */
};

struct ask {
	const struct trace_rule *rule; /* of a call that has succeeded */
	uint64_t value;                /* as trace_ask_key has it */
	struct ask_name names[3];      /* of TRACE_OP_MOUNT the last is the file system's word */
	uint64_t count, first_ns;
};

/* Into the recording; what is not known of its names is counted as lost. */
void ask_record(struct model *m, const struct ask *a);
