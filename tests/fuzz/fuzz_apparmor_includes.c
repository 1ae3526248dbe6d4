/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that include one another, for a release: what check says has an error or has none, says the
 * same when it is asked again of the files that are read already, and prints.
 */
#include "compiler/base/bug.h"
#include "tests/fuzz/apparmor_files.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum aa_checked check(struct aa_library *lib, struct source *src, struct aa_asked *asked,
			     struct diags **told)
{
	struct arena *a = lib->arena;
	struct diags *ds = *told = diags_new(a, lib->sources);
	const struct aa_file *file = aa_parse_source(a, src, ds);
	enum aa_checked says = aa_check(a, lib, file, asked, NULL, ds);

	if (ds->errors)
		return says == AA_CHECK_TAKES ? AA_CHECK_REFUSES : says;
	BUG_ON(says != AA_CHECK_TAKES);
	return says;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(NULL);
	struct aa_library *lib = aa_library_new(a, sources_new(a), NULL, "/fuzz");
	struct aa_asked asked = { 0 };
	struct diags *ds, *again;
	BUF_AUTO out = { 0 };

	if (!size) {
		arena_free(a);
		return 0;
	}
	asked.release = fuzz_release(&data, &size);
	struct source *src = fuzz_files(lib, (struct str){ (const char *)data, size });
	enum aa_checked one = check(lib, src, &asked, &ds);
	asked.known = aa_known_new(a, false);
	BUG_ON((check(lib, src, &asked, &again) == AA_CHECK_TAKES) != (one == AA_CHECK_TAKES));
	vec_each(&ds->list, d)
		diag_print_text(ds, *d, true, &out);
	buf_free(&out);
	arena_free(a);
	return 0;
}
