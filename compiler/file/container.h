/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the kernel answers in a container that was started with a FILE as its profile. */
#include "compiler/file/input.h"
#include "compiler/oci/runtime/model.h"
#include "compiler/oci/runtime/runtime.h"

struct container {
	const struct policy *policy; /* what was compiled to JSON; NULL: the file is JSON */
	struct dd *dd;
	struct oci_loaded held;
	struct environment asked; /* as the options say it */
	struct environment
		env; /* what is not said filled in: answers that hang on it are refused */
	struct span span;
	const struct json *json; /* what is loaded, to be loaded again on another machine */
	struct oci_runtime runtime;
	const struct oci_asked_calls *calls; /* oci_load_options' asked */
};

/*
 * JSON as it stands, a policy (named `policy`) by the JSON that it compiles to. An exit status;
 * what is wrong was said in the session.
 */
int container_load(struct session *s, const char *file, const struct input_options *input,
		   const char *policy, const struct oci_runtime *rt, struct container *out);
/* The same, loaded on a machine of that architecture: an exit status; what is wrong is in s. */
int container_on(struct session *s, const struct container *l, enum arch host,
		 struct container *out);
/*
 * Can this call be answered, whose arguments are known or not? 0, or -1 after saying what is not
 * known.
 */
int container_check(struct session *s, const struct container *l, const struct call *c, bool args);
struct verdict container_eval(const struct container *l, const struct call *c);
/* What is left of a node for one call, its arguments known or not. */
dd_node container_at(struct dd *d, dd_node n, const struct call *c, bool args);
