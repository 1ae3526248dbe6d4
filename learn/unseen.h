/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * UNSEEN: how many calls no run has shown yet, estimated from how many few runs have shown.
 */
#include "learn/record/recording.h"

struct unseen {
	size_t runs;
	size_t once;  /* calls that one run alone has made */
	size_t twice; /* two runs */
	double more;  /* that further runs of the kind would add */
};

/*
 * Chao's estimate for incidences over runs, in the form without bias: (m - 1) / m * q1 (q1 - 1) /
 * (2 (q2 + 1)); A. Chao, Biometrics 43 (1987), and the manual of EstimateS for that form. It is a
 * lower bound where runs are alike; how often a call was made within a run says nothing of others
 * that were not, so one run gives no number: false.
 */
bool unseen_estimate(const struct recording *r, struct unseen *out);
/*
 * The same of recorded runs and one more that goes on: bit nr of made[arch]: it has made the call up to
 * now. How many calls it has made that those before it did not.
 */
size_t unseen_with(const struct recording *earlier, const uint64_t (*made)[RECORDING_NRS / 64],
		   struct unseen *out);
