/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* SIGNALLED: which signal was sent or received, and who was at the other end. */
#include <stdbool.h>

#include "compiler/base/str.h"

enum signal_peer {
	SIGNAL_UNKNOWN, /* who it was is not known */
	SIGNAL_OURS,    /* the workload itself: AppArmor asks for both ends of it */
	SIGNAL_LABEL,   /* of this label of AppArmor's, */
	SIGNAL_PROGRAM, /* or, where there is none to be had, running this program */
	SIGNAL_PEERS,
};

struct signalled {
	int signal; /* 0: kill(2) with none, which asks whether a process is there */
	bool sent;  /* else received */
	enum signal_peer peer;
	struct str who; /* NUL-terminated; of the last two */
};

#define SIGNAL_WHO 4096 /* bytes of it, at most */

/* Its order among others. */
int signalled_cmp(const struct signalled *a, const struct signalled *b);
