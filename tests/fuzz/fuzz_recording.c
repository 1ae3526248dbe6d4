/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: a recording is read or told what is wrong and where; what was read is written so that
 * it reads back to the same bytes, adds nothing to itself, and a proposal can be made of it.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "grammar/print.h"
#include "learn/learn.h"
#include "learn/reunite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void propose_of(struct arena *a, const struct recordings *rs)
{
	struct propose_options opt = { 0 };
	struct recording r;
	BUF_AUTO out = { 0 };

	if (!recordings_runs(rs))
		return;
	recordings_unite(a, rs, &r);
	ast_print(&out, propose(a, &r, &opt, diags_new(a, sources_new(a))));
	BUG_ON(!out.n || out.failed);
}

/* Once, and twice into one: the same comes out. */
static void read_back(struct arena *a, struct str text)
{
	for (size_t times = 1; times <= 2; times++) {
		struct recordings *rs = recordings_new(a);
		struct recordings_fault fault;
		struct recordings_clash clash;
		BUF_AUTO out = { 0 };

		for (size_t i = 0; i < times; i++)
			BUG_ON(recordings_read(rs, text, i, &fault));
		BUG_ON(recordings_settle(rs, &clash));
		recordings_print(&out, rs);
		BUG_ON(!str_eq(text, (struct str){ out.p, out.n }));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct recordings *rs = recordings_new(a);
	struct recordings_fault fault = { 0 };
	struct recordings_clash clash;
	struct str text = { (const char *)data, size };
	BUF_AUTO out = { 0 };

	if (recordings_read(rs, text, 0, &fault)) {
		BUG_ON(!fault.what || fault.at > size);
	} else if (!recordings_settle(rs, &clash)) {
		recordings_print(&out, rs);
		read_back(a, (struct str){ out.p, out.n });
		propose_of(a, rs);
	}
	arena_free(a);
	return 0;
}
