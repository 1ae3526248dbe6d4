/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Questions of rules, as the language's parser reads them: "ioctl(cmd == TIOCSTI)". What one means
 * hangs on no profile, so it is read once a run, the first time that a rule asks it.
 */
#include "compiler/decision/decision.h"
#include "compiler/policy/policy.h"

/* A question asked of one part. */
struct asked {
	dd_node part, claim, plain; /* of the claim what needs no capability */
	uint8_t like;
	const char *gates; /* that were left out */
	unsigned epoch;    /* of the store; 0: nothing was asked */
};

struct question {
	const char *text;
	const struct syscall_info *sys;
	unsigned on; /* architectures on which there is the call, and the condition can be said */
	const struct cond *cond[ARCH_NR]; /* NULL: none */
	uint8_t like[ARCH_NR];            /* the first architecture with an equal condition */
	struct asked made[ARCH_NR];       /* in the run's store: what it came to last, by `like` */
};

/* Owner of all that is in it: the arena. */
struct questions *questions_new(struct arena *a);
/* Where the run's profiles are decided (parts.h). */
struct part_store;
struct part_store *questions_store(struct questions *all);
/* The errno ENOSYS of an architecture: 38, and 89 on mips. */
struct verdict questions_enosys(struct questions *all, enum arch a);
/* Stays where it is until the next is asked for. The text must read (it is ours): a BUG else. */
struct question *question_find(struct questions *all, const char *text);
/* The call that a question is about. */
struct str question_call(const char *text);
