/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a filter answers. Kinds stand in the kernel's order of precedence, the most
 * restrictive first (seccomp(2); kernel/seccomp.c seccomp_run_filters()): a smaller kind wins.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/str.h"

enum verdict_kind {
	VERDICT_KILL_PROCESS,
	VERDICT_KILL_THREAD,
	VERDICT_TRAP,
	VERDICT_ERRNO,
	VERDICT_NOTIFY,
	VERDICT_TRACE,
	VERDICT_LOG,
	VERDICT_ALLOW,
	VERDICT_NR
};

struct verdict {
	enum verdict_kind kind;
	uint16_t data; /* errno (0..4095), trace message, trap data; 0 for the others */
};

bool verdict_eq(struct verdict a, struct verdict b);
bool verdict_refuses(struct verdict v);    /* kill, trap, errno */
uint32_t verdict_to_ret(struct verdict v); /* SECCOMP_RET_* | data */
struct verdict
verdict_from_ret(uint32_t ret); /* an unknown action is KILL_PROCESS, as in the kernel */
void verdict_print(
	struct buf *b,
	struct verdict
		v); /* ALLOW LOG TRACE(n) NOTIFY ERRNO(38) TRAP(n) KILL_THREAD KILL_PROCESS */
const char *verdict_kind_name(enum verdict_kind kind); /* "ERRNO" */
int verdict_parse(struct str s, struct verdict *out);  /* the same spelling back; 0 or -EINVAL */
