/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the policies that `pale watch` is given say of a refusal: the line that refused and the line
 * that would allow, by the functions of `pale why`.
 */
#include "compiler/cmd/why_file.h"
#include "compiler/watch/record.h"

struct explained_file { /* a policy, JSON profile, BPF program or AppArmor file */
	struct refusing by;
	struct denials denials;
	bool apparmor;
	const char *shown;
};

struct explain {
	struct session *s;
	VEC(struct explained_file *) files;
};

/* EXIT_OK, or the exit status after saying what is wrong with one. */
int explain_load(struct explain *e, const struct options *o);
/*
 * A line each, without the indentation, "" where no file is given; false: there was no time, memory
 * or process for it. In a child, so that what it takes is given back and its bounds end it alone.
 */
bool explain_put(const struct explain *e, const struct watch_record *r, struct buf *out);
