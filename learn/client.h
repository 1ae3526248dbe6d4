/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Programs that have their work done by a service in another process tree. What is recorded of
 * such a program is the client, and its policy would not be that of the work.
 */
#include "learn/record/recording.h"

/*
 * The client that a command line leads to, by its file's name, behind env, sudo, timeout and
 * their like and in what a shell is given with -c; NULL: none. In the arena.
 */
const char *client_of_command(struct arena *a, char *const *argv);
/* The clients among the programs that a recording executed, separated by commas. */
void client_list(struct buf *out, const struct recording *r);
