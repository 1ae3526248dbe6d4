/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Of the security profiles operator's objects in a file the SeccompProfile that pale import reads. */
#include "compiler/deploy/deploy.h"
#include "compiler/file/session.h"

/*
 * Its spec, with the entries of what it builds on, and without the object's own keys: the one of this
 * name, or, where that is NULL, the only one on which no other builds. *name: of the policy; NULL: it
 * says none. NULL after saying why there is none.
 */
const struct json *import_operator(struct session *s, const struct source *src,
				   const struct deployment *d, const char *wanted,
				   const char **name);
