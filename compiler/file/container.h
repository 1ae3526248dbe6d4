/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* sim --as docker:runc|docker:crun: what a container's kernel would answer, and which layer. */
#include "compiler/cmd/cmd.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/runtime.h"

struct sim_loaded {
	const struct policy *policy; /* what was compiled to JSON; NULL: the file is JSON */
	struct dd *dd;
	struct oci_loaded held;
	struct environment asked; /* as the options say it */
	struct environment
		env; /* what is not said filled in: answers that hang on it are refused */
	struct span span;
};

/*
 * JSON as it stands, a policy (named `policy`) by the JSON that it compiles to. An exit status;
 * what is wrong was reported.
 */
int sim_loaded_load(struct session *s, const char *file, const struct input_options *input,
		    const char *policy, const struct oci_runtime *rt, struct sim_loaded *out);
/*
 * Can this call be answered, whose arguments are known or not? 0, or -1 after saying what is not
 * known.
 */
int sim_loaded_check(struct session *s, const struct sim_loaded *l, const struct call *c,
		     bool args);
struct verdict sim_loaded_eval(const struct sim_loaded *l, const struct call *c);
void put_loaded(struct buf *out, const struct sources *sources, const struct sim_loaded *l,
		const struct call *c);
