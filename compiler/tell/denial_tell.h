/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a record of AppArmor asked for, which rule refused it, and what would allow it, as text. */
#include "compiler/apparmor/answer.h"
#include "compiler/file/session.h"
#include "compiler/tell/denial.h"

/* The profile that is asked, of a file; or the policy's AppArmor half. */
struct denial_asked {
	struct session *s;
	const struct aa_asking *q;
	const char *shown; /* the file's name, safe to print */
	bool policy;       /* rules are told as a policy's statements */
};

/* "3 times web: to open /etc/shadow: DENIED, by cat (first pid 1234)", a line */
void denial_put_head(struct buf *out, const struct denial *n, uint64_t count);
void denial_put_answer(struct buf *out, const struct denial_asked *by, const struct denial *n);
/* The same without a file. */
void denial_put_alone(struct buf *out, const struct denial *n);
