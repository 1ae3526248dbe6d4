/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Settings of units as systemd reads them, and what their lists of names hold (systemd.exec(5)). */
#include "compiler/base/suggest.h"
#include "compiler/deploy/deploy.h"
#include "compiler/tables/tables.h"

/* Is it a section of units that execute something? */
bool unit_executes(struct str section);
/* What is in force of a key with one value: an empty one takes back what was said before. NULL: nothing is. */
const struct deploy_setting *unit_setting(const struct deployment *d, const char *key);
bool unit_is_true(struct str value); /* parse_boolean() of systemd */
bool unit_is_boolean(struct str value);

/* As --systemd numbers them: the newest, as which units are read where nobody says otherwise, is 0. */
enum systemd_release { SYSTEMD_262, SYSTEMD_257, SYSTEMD_252, SYSTEMD_NR };
const char *systemd_name(enum systemd_release r); /* "262" */

/* Is it a group of SystemCallFilter=, as "@aio" is? */
bool unit_group_is(struct str name);
/*
 * What stands in it, separated by blanks, groups among it: list after list for i from 0 on, NULL behind the last. Of a
 * list what unit_group_lacks() is not in it.
 */
const char *unit_group(struct str name, enum systemd_release r, unsigned i);
bool unit_group_lacks(struct str name, struct str word, enum systemd_release r);
/* Do releases disagree about which group holds the call? */
bool unit_group_varies(struct str call);
void unit_group_suggest(struct suggest *near);
/* What SystemCallArchitectures= calls it: an architecture of pale's, ARCH_NR for one that it has no table of; -1: none. */
int unit_arch(struct str name);
void unit_arch_suggest(struct suggest *near);

/* "open:EPERM": its call or group, and where one is written the error: a number, UNIT_KILL, or UNIT_BAD. */
enum { UNIT_UNSAID = -1, UNIT_KILL = -2, UNIT_BAD = -3 };
struct str unit_call_word(struct str word, int *error);
int unit_error(struct str word); /* an errno's name or number, "kill" */
