/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Accesses to files as lines for millions of questions: "open", "exec" or "link", `owner` or `other`
 * where it is said, paths, and of open the letters, a TAB between two. In a path \101, \x41 and \d65 are
 * read as the byte, as in policies, \t and \n too, and \ in front of * ? [ ] { } ^ , \ and ".
 */
#include "compiler/apparmor/access.h"

/* Bytes of a line. */
enum { AA_RAW_MAX = 8192 };

/* Is its first field one of these? */
bool aa_raw_is_file(struct str line);

/*
 * NULL: *out is the access, its paths in `room`, of AA_RAW_MAX bytes; without a source. Else why
 * it does not read, a clause.
 */
const char *aa_raw_read(struct str line, char *room, struct aa_access *out);
