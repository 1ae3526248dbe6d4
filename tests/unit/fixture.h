/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What tests that read policies' text start from, each its own. For cmocka_unit_test_setup_teardown. */
#include "grammar/parse.h"

struct fixture {
	struct arena *arena;
	struct sources *sources;
	struct diags *diags;
};

static int set_up(void **state)
{
	static struct fixture f;

	f.arena = arena_new(NULL);
	f.sources = sources_new(f.arena);
	f.diags = diags_new(f.arena, f.sources);
	*state = &f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	return 0;
}
