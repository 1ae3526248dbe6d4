/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Questions of rules, as the language's parser reads them: "ioctl(cmd == TIOCSTI)". What one means
 * hangs on no profile, so it is read once a run, the first time that a rule asks it.
 */
#include "compiler/policy/policy.h"

struct question {
	const char *text;
	const struct syscall_info *sys;
	unsigned on; /* architectures on which there is the call, and the condition can be said */
	const struct cond *cond[ARCH_NR]; /* NULL: none */
	uint8_t like[ARCH_NR];            /* the first architecture with an equal condition */
};

/* Owner of all that is in it: the arena. */
struct questions *questions_new(struct arena *a);
/* Where the run's profiles are decided (parts.h). */
struct part_store;
struct part_store *questions_store(struct questions *all);
/* Stays where it is until the next is asked for. The text must read (it is ours): a BUG else. */
const struct question *question_find(struct questions *all, const char *text);
/* The call that a question is about. */
struct str question_call(const char *text);
