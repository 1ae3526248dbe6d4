/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes, as strace's output and as the kernel's log: they become a recording that is read back, or
 * are told to be none; and a proposal can be made of it. The first byte says which.
 */
#include <string.h>

#include "compiler/base/bug.h"
#include "grammar/print.h"
#include "learn/learn.h"
#include "learn/record/recordings.h"
#include "learn/replay/replay.h"
#include "learn/reunite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void replay_lines(struct replay *r, struct str text)
{
	uint64_t number = 0;

	replay_file(r, "log");
	while (text.n) {
		const char *end = memchr(text.p, '\n', text.n);
		size_t n = end ? (size_t)(end - text.p) : text.n;

		replay_line(r, (struct str){ text.p, n }, false, ++number);
		n += end != NULL;
		text = (struct str){ text.p + n, text.n - n };
	}
}

static void read_back(struct session *s, const struct recording *r)
{
	struct recordings *rs = recordings_new(s->arena), *again = recordings_new(s->arena);
	struct propose_options opt = { 0 };
	struct recordings_fault fault;
	struct recordings_clash clash;
	struct recording united;
	BUF_AUTO out = { 0 };
	BUF_AUTO policy = { 0 };

	recordings_add(rs, r);
	BUG_ON(recordings_settle(rs, &clash));
	recordings_print(&out, rs);
	BUG_ON(recordings_read(again, (struct str){ out.p, out.n }, 0, &fault));
	BUG_ON(recordings_settle(again, &clash));
	recordings_unite(s->arena, again, &united);
	ast_print(&policy, propose(s->arena, &united, &opt, s->diags));
	BUG_ON(!policy.n || policy.failed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct session s = { a, sources, diags_new(a, sources), NULL };
	struct replay_options opt = { .from = size ? data[0] % 4 : REPLAY_STRACE,
				      .arch = ARCH_X86_64 };
	struct recording recording;
	struct replay *r = replay_new(&s, &opt, &recording);

	if (size)
		replay_lines(r, (struct str){ (const char *)data + 1, size - 1 });
	if (!replay_end(r))
		read_back(&s, &recording);
	arena_free(a);
	return 0;
}
