/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes: AppArmor's parser answers with a tree or diagnostics. A tree without errors prints to a
 * text that is read as the same tree, prints the same again and holds as many comments; one with
 * errors prints, too.
 */
#include "compiler/base/bug.h"
#include "tests/apparmor/again.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct sources *sources = sources_new(a);
	struct diags *ds = diags_new(a, sources);
	struct source *src = source_add(sources, "fuzz", (struct str){ (const char *)data, size });
	struct aa_file *file = aa_parse_source(a, src, ds);
	BUF_AUTO out = { 0 };

	if (ds->errors)
		aa_print(&out, file);
	else
		BUG_ON(try_again(a, sources, ds, file, true));
	diags_sort(ds);
	vec_each(&ds->list, d) {
		diag_print_text(ds, *d, true, &out);
		diag_print_json(ds, *d, &out);
	}
	buf_free(&out);
	arena_free(a);
	return 0;
}
