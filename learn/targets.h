/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Containers as what is recorded: found by their names and labels before anything is watched, told
 * of where they are not, and written into the run.
 */
#include "learn/container/follow.h"
#include "learn/learn.h"

/*
 * The containers that opt->containers wants, watched for; those that run already are in `met`. NULL
 * after a diagnostic (PL421).
 */
struct follow *targets_find(struct arena *a, const struct learn_options *opt, struct diags *ds);
/* One was met, or several: the run has its name, image, and whose it is. */
void targets_describe(const struct follow *f, struct recorded_run *run);
/* "the container 'web'", and how many more, as it was asked for. */
const char *targets_name(struct arena *a, const struct container_want *w);
