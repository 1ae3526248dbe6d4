/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Findings as bytes, for another process of the same program: what of them every form of output
 * needs, with the texts in which they have places.
 */
#include "compiler/lint/finding.h"

void findings_pack(const struct findings *all, struct buf *out);
/*
 * What findings_pack() wrote. `file` is who linted them asked for; all else is copied to the arena,
 * texts become sources of a list of their own. False: these bytes are not that.
 */
bool findings_unpack(struct arena *a, struct str bytes, const char *file, struct findings *out);
