/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The half of `pale why` that reads AppArmor's records. */
#include "compiler/base/table.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/tell/denial_tell.h"

struct denial_kind { /* records that say the same */
	struct denial denial;
	uint64_t count;
};

struct asked_profile { /* of the file */
	const struct aa_profile *profile;
	bool opened, answers; /* answers: it could be read */
	struct aa_asking q;
};

struct other_profile { /* that the file does not hold */
	struct str label;
	uint64_t count;
};

struct denials {
	struct session *s;
	const struct options *options;
	VEC(struct denial_kind) kinds;
	struct table by_question;
	uint64_t more;          /* of kinds past the most that are told apart */
	uint64_t read, nothing; /* records, and of them those that ask nothing (STATUS) */
	/* An AppArmor file; shown NULL: none was given. */
	const char *shown;
	struct apparmor_opened file;
	VEC(struct asked_profile *) profiles;
	/* A policy instead; NULL: none. It is asked of records of the profile that is compiled of it. */
	const struct policy *policy;
	const char *policy_file;
	struct access_of half; /* its AppArmor half, once `half_opened` */
	bool half_opened;
	struct asked_profile *named; /* by --profile; NULL: the records' own */
	VEC(struct other_profile) others;
};

/* NULL, or what is wrong with the record. */
const char *denials_add(struct denials *d, struct str line);
/* The file is AppArmor's. EXIT_OK, or the exit status with what is wrong in the session. */
int denials_open(struct denials *d, const char *path);
/* What is wrong is in the session. */
void denials_put(struct denials *d, struct buf *out);
