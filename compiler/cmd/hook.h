/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of pale hook share: hook.c reads the options. */
#include "compiler/cmd/options.h"
#include "learn/hook/hook.h"

struct hook_args {
	struct hook_call call;
	uint64_t every_s;    /* between two snapshots of a recording */
	const char *runtime; /* --exec: the runtime in whose place we are called; NULL */
	char **args;         /* and what it is called with */
	const char *config;  /* the engine's file; NULL: its own */
};

/*
 * A container whose state is on standard input is recorded in the background from here on. EXIT_OK,
 * also where it cannot be and that is not --strict; all is told to standard error and the system's log.
 */
int hook_record(struct session *s, const struct hook_args *a);
/* Adds the hook to the container that is about to be made and becomes the runtime. */
int hook_exec(struct session *s, const struct hook_args *a);

enum hook_engine { HOOK_DOCKER, HOOK_PODMAN, HOOK_CRIO }; /* the words of --install */
/* dry: what would be done is printed as a patch. */
int hook_install(struct session *s, const struct hook_args *a, enum hook_engine e, bool remove,
		 bool dry);

/* What is written to the system's log from here on is this hook's. */
void hook_open_log(void);
/* To standard error, as everything else, and to the system's log, where whoever started it looks. */
void hook_tell_all(struct session *s, const char *container);
/* EXIT_OK, or EXIT_FOUND where the container is not to start without being recorded. */
static inline int hook_failed(const struct hook_args *a)
{
	return a->call.strict ? EXIT_FOUND : EXIT_OK;
}
