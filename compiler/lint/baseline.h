/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A baseline: findings that were there before, so that only new ones count. JSON, a line a finding:
 *
 *	{"version":1,"findings":[
 *	{"file":"web.json","id":"SR205","fingerprint":"...","message":"..."}
 *	]}
 *
 * Known again by the file's name (without "./") and the fingerprint, so that lines may move; the
 * message is for those who read the file. What keeps a file from being read is never in it.
 */
#include "compiler/base/json_write.h"
#include "compiler/lint/finding.h"
#include "grammar/json.h"

struct baseline;

/* NULL after saying why it is none (PL431). It lives in the arena. */
struct baseline *baseline_read(struct arena *a, const struct json *root, struct diags *ds);
/* FINDING_KNOWN for those that are in it and not suppressed. */
void baseline_mark(struct baseline *b, struct findings *all);
/* Findings in it, of files of which some were marked, that were not met: they have gone. */
size_t baseline_gone(const struct baseline *b);

/* Adds a file's findings to the body of a new one, and marks them KNOWN; then the document of it. */
void baseline_add(struct findings *all, struct buf *body);
void baseline_end(const struct buf *body, struct buf *out);
