/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * LISTING: what else there is in the directories of a recording's files. A proposal that says "all
 * that is there" must know it, and looks at no file system itself.
 */
#include "learn/record/recording.h"

/*
 * Reads the directories of the files of a sorted recording, as they are now, and adds how many names
 * nothing used; and of each pattern of names that a proposal makes of it (generalize_files()), how many
 * files it stands for that nothing used, links not counted. One that cannot be read or has too many
 * names, one of /proc, /sys and /dev and one of another mount namespace has none.
 */
void listing_take(struct arena *a, struct recording *r);
