/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * TUNABLES: the places that AppArmor's tunables/global has names for, as they stand in globs.
 */
#include "compiler/base/arena.h"
#include "compiler/base/str.h"

/*
 * The glob, or one that names what it can: @{PROC} with @{pid} and @{tid}, @{run}, the directory of an
 * architecture's libraries @{multiarch}, and, where only owners used the file, the home that it lies
 * in @{HOME} (*home; the rule must be its owner's then: other users' homes are in it too).
 */
const char *tunables_name(struct arena *a, const char *glob, bool owned, bool *home);
