/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: a recording is read or told what is wrong and where; what was read is written so that
 * it reads back to the same bytes, adds nothing to itself, and a proposal can be made of it.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "grammar/parse.h"
#include "grammar/print.h"
#include "learn/elsewhere.h"
#include "learn/learn.h"
#include "learn/report/report.h"
#include "learn/reunite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A policy is one that reads back, and its page has what the names in it could break escaped. */
static void check_proposal(struct arena *a, const struct recordings *rs, const struct recording *r,
			   const struct propose_options *opt)
{
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct ast_file *proposal = propose(a, r, opt, ds), *again;
	struct report rep = { .r = r, .runs = rs, .proposal = proposal };
	BUF_AUTO out = { 0 };
	BUF_AUTO page = { 0 };
	BUF_AUTO twice = { 0 };

	BUG_ON(ds->errors);
	ast_print(&out, proposal);
	BUG_ON(!out.n || out.failed);
	again = pale_parse_source(a, source_add(sources, "p", (struct str){ out.p, out.n }), ds);
	BUG_ON(ds->errors);
	ast_print(&twice, again);
	BUG_ON(!str_eq((struct str){ out.p, out.n }, (struct str){ twice.p, twice.n }));
	report_put(&page, a, &rep);
	BUG_ON(!page.n || page.failed || strlen(page.p) != page.n);
}

/* As `pale propose` makes it, and as the input's length says: each option, other machines. */
static void propose_of(struct arena *a, const struct recordings *rs, size_t size)
{
	struct propose_options plain = { .margin = true }, opt = { .exact = size & 1,
								   .margin = size & 2,
								   .only_facts = size & 4 };
	enum arch there = (enum arch)(size / 8 % ARCH_NR);
	struct recording r;

	if (!recordings_runs(rs))
		return;
	recordings_unite(a, rs, &r);
	check_proposal(a, rs, &r, &plain);
	if (propose_has_phases(&r))
		opt.part = size & 16 ? PROPOSE_SERVE : PROPOSE_START;
	opt.arch = recording_holds(there) ? &there : NULL;
	check_proposal(a, rs, &r, &opt);
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
		propose_of(a, rs, size);
	}
	arena_free(a);
	return 0;
}
