/* SPDX-License-Identifier: Apache-2.0 */
#ifndef PALE_H
#define PALE_H
/*
 * libpale, for programs: -lpale. By pale_load() a program that has started puts a second filter on itself,
 * on top of the one that it was started with, and keeps what it needs to serve. See pale_load(3).
 */
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * BPF as `pale compile -t bpf` writes it, for all threads of the process and whatever it starts from now
 * on. Sets no_new_privs. 0, or a negative errno: then no filter was added.
 */
int pale_load(const void *program, size_t bytes);
/* The same of a file that holds it. */
int pale_load_file(const char *path);
/* What such a number means, in words. */
const char *pale_load_error(int error);

#ifdef __cplusplus
}
#endif

#endif
