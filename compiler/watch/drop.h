/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* No more privileges than reading what is open already takes. */

/*
 * All capabilities go, and no execution gives any back (no_new_privs). NULL, or the call that the
 * system refused, with its errno in *err.
 */
const char *watch_drop(int *err);
