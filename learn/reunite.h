/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Runs to one recording, as if one run had done it all: what a proposal is made of.
 */
#include "learn/record/recordings.h"

/*
 * rs is settled and holds a run at least. Of one run it is that run's recording; of several each
 * call, file, signal and capability says in which of them it was seen (in, runs).
 */
void recordings_unite(struct arena *a, const struct recordings *rs, struct recording *out);
