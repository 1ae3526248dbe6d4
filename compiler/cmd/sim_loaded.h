/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* sim --as docker:runc|docker:crun: what a container's kernel would answer, and which layer. */
#include "compiler/cmd/cmd.h"
#include "compiler/oci/model.h"

struct sim_loaded {
	struct dd *dd;
	struct oci_loaded held;
	struct environment asked; /* as the options say it */
	struct environment env;   /* what is not said filled in: answers that hang on it are refused */
	struct span span;
};

/* "docker:runc": the runtime that --runtime (NULL: none given) must be of. -1: no such layer; -2: another. */
int sim_loaded_layer(const char *as, const char *runtime, struct oci_runtime *out);
/* p: of a policy file, NULL for JSON. An exit status; what is wrong is in the diagnostics. */
int sim_loaded_open(struct session *s, const struct input *in, const struct policy *p,
		    const struct oci_runtime *rt, const struct environment *env, struct sim_loaded *out);
/* Can this call be answered? 0, or -1 after saying what is not known. */
int sim_loaded_check(struct session *s, const struct sim_loaded *l, const struct call *c);
struct verdict sim_loaded_eval(const struct sim_loaded *l, const struct call *c);
void put_loaded(struct buf *out, const struct sources *sources, const struct sim_loaded *l,
		const struct call *c);
