/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Seccomp's records of the kernel's log, type 1326 (kernel/auditsc.c audit_seccomp()), as the
 * log, journald's text and ausearch -i write them.
 */
#include <stdbool.h>
#include <stdint.h>

#include "compiler/base/arena.h"
#include "compiler/base/str.h"
#include "compiler/base/verdict.h"

enum { AUDIT_WORD = 64 };

struct audit_record {
	uint32_t audit, nr;
	bool answered;          /* it says what the filter answered */
	struct verdict verdict; /* kernels log no data (seccomp_log()): 0 is not known */
	char comm[AUDIT_WORD];  /* these may be printed; "": it does not say */
	char pid[AUDIT_WORD];
};

/*
 * The value behind "key=" where a word of the line begins so; quotes are left out. What names files
 * and programs stands in quotes, or in hex for a blank or a quote in it: audit_text() undoes that.
 */
bool audit_field(struct str line, const char *key, struct str *out);
/* Of a value that audit_field() found: the bytes that it stands for, in the arena or the line. */
struct str audit_text(struct arena *a, struct str value);

/*
 * What stands in "audit(1700000000.123:45)": nanoseconds since 1970, and the event's number, which no
 * other has until the machine starts again. False: it has none, or a date of ausearch -i.
 */
bool audit_stamp(struct str line, uint64_t *ns, uint64_t *serial);

/* Does the line claim to be one? */
bool audit_is_record(struct str line);
/* NULL, or what is wrong with it: "it has no arch=". */
const char *audit_read(struct str line, struct audit_record *r);
/* The first AUDIT_WORD / 4 - 1 bytes of a word, as they may be printed. */
void audit_keep_word(char to[AUDIT_WORD], struct str s);
