/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A container recorded from its start by an OCI hook: what the runtime says of the container (the
 * state, on standard input), where its recording goes, and how an engine is told to call the hook.
 * What comes from whoever starts containers, annotations and ids, names no path: one component of
 * letters, digits, '.', '_' and '-' below a directory that root alone writes to.
 */
#include "compiler/base/diag.h"
#include "compiler/base/str.h"
#include "grammar/json.h"

#define HOOK_ANNOTATION "io.pale.learn"
#define HOOK_DIRECTORY  "/var/lib/pale/recordings"
#define HOOK_NAME_MAX   128 /* bytes of one component */

/* ---- the state: runtime-spec, runtime.md, "State" ---- */

struct hook_state {
	const char *id;
	const char *name;  /* the annotation's; NULL: there is none */
	const char *image; /* as the engine says it in an annotation; NULL */
	int pid;
};

/*
 * Reads it from `src`; strings are the arena's. False after a diagnostic (PL424) at the place: it is
 * no state, has no process, or a name is none that a file may have.
 */
bool hook_state_read(struct arena *a, struct source *src, struct hook_state *out, struct diags *ds);

/* ---- where recordings go ---- */

/*
 * DIR, made where it is not there; one that is there stays as it is. 0; -1 after a diagnostic (PL424): it
 * cannot be made, or others than root decide what is in it.
 */
int hook_directory(const char *dir, struct diags *ds);
/*
 * DIR/NAME, made where it is not there: DIR and what leads to NAME must be root's and nobody else's to
 * write. 0; -1 after a diagnostic (PL424).
 */
int hook_place(const char *dir, const char *name, struct diags *ds);

/*
 * The cgroup v2 directory of a process, in the arena; NULL after a diagnostic (PL424): it is gone, or
 * in the hierarchy's root, where everything is.
 */
const char *hook_cgroup(struct arena *a, int pid, struct diags *ds);

/* ---- how it is called ---- */

struct hook_call {             /* how the hook is to be called */
	const char *program;   /* this program's own path */
	const char *directory; /* where recordings go */
	const char *every;     /* between two snapshots, as written; NULL: not said */
	bool strict;           /* a container of which no recording can be made does not start */
	bool always;           /* also where there is no annotation */
	bool no_files;         /* calls alone: whoever installs it says so, and no container */
};

/*
 * A container's config.json with the hook before its other createRuntime hooks; everything else stays
 * as it stands. *out: the arena's; the text itself where the hook is there already. False after a
 * diagnostic (PL424) at the place.
 */
bool hook_amend(struct arena *a, struct source *config, const struct hook_call *call,
		struct str *out, struct diags *ds);

/* The file of a hooks.d directory (oci-hooks(5)), for Podman and CRI-O. */
void hook_put_file(struct buf *out, const struct hook_call *call);
/* Is that file, as it stands there, one that hook_put_file() wrote? */
bool hook_file_is_ours(struct arena *a, struct source *src);

/*
 * Docker's daemon.json with a runtime "pale", which adds the hook and executes `runtime`; and without
 * it. NULL source: there is no such file. *out: the arena's; a NULL text: the file is to be removed.
 * False after a diagnostic (PL424).
 */
bool hook_docker_add(struct arena *a, struct source *src, const struct hook_call *call,
		     const char *runtime, struct str *out, struct diags *ds);
bool hook_docker_remove(struct arena *a, struct source *src, struct str *out, struct diags *ds);
