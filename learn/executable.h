/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What a file says that is executed, or mapped: who runs it, what it may, which library it is. */
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "compiler/base/arena.h"

/*
 * The program named by its #! line (execve(2)) or by its PT_INTERP (elf(5)), and the PERM_* with which the
 * kernel opens that. 1; 0: it has none; -1 with errno.
 */
int executable_interpreter(int fd, char out[PATH_MAX], unsigned *perms);
/* Is it a file that somebody may execute? */
bool executable_may_run(const struct stat *st);
/* Has the program at `path` an interpreter, seen from `root` ("": ours), that nobody may execute? */
bool executable_is_refused(const char *path, const char *root);
/* Has it capabilities of its own (capabilities(7)); which are in force at once, a bit each? */
bool executable_powers(const char *path, uint64_t *at_once);
/* "glibc 2.36" of its library; "glibc" where it does not say. In the arena. */
const char *executable_glibc(struct arena *a, const char *path);
