/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Files that are in no file system: the parts of an input, which begin at "\n%%\n", are "0", "1", ...
 * as <0> and "0" name them; <d> is a directory of all but the first.
 */
#include <string.h>

#include "compiler/apparmor/check.h"
#include "compiler/rules/known.h"

enum { FUZZ_FILES = 16 };

static struct aa_entry *fuzz_entry(struct aa_library *lib, const char *path,
				   enum aa_entry_kind kind)
{
	struct aa_entry *e = ARENA_NEW(lib->arena, struct aa_entry);

	e->path = arena_strdup(lib->arena, path);
	e->kind = kind;
	table_add(lib->arena, &lib->by_path, hash_str(str_c(path)), lib->entries.n);
	vec_push(lib->arena, &lib->entries, e);
	return e;
}

static struct source *fuzz_file(struct aa_library *lib, unsigned n, struct str text)
{
	const char *path = arena_printf(lib->arena, "/fuzz/%u", n);
	struct source *src = source_add(lib->sources, path, text);

	fuzz_entry(lib, path, AA_ENTRY_FILE)->source = src;
	fuzz_entry(lib, path + strlen("/fuzz/"), AA_ENTRY_FILE)->source = src;
	return src;
}

/* The first of them; names outside of the input are looked for where nothing is. */
static struct source *fuzz_files(struct aa_library *lib, struct str text)
{
	static const char mark[] = "\n%%\n";
	struct aa_entry *dir = fuzz_entry(lib, "/fuzz/d", AA_ENTRY_DIRECTORY);
	struct source *first = NULL;

	for (unsigned n = 0; n < FUZZ_FILES; n++) {
		const char *end = text.n ? memmem(text.p, text.n, mark, strlen(mark)) : NULL;
		struct str part = { text.p, end ? (size_t)(end - text.p) + 1 : text.n };
		struct source *src = fuzz_file(lib, n, part);

		if (!first)
			first = src;
		else
			vec_push(lib->arena, &dir->paths, arena_printf(lib->arena, "/fuzz/%u", n));
		if (!end)
			break;
		text = (struct str){ end + strlen(mark), text.n - part.n - strlen(mark) + 1 };
	}
	return first;
}

/* What the input's first byte asks for. */
static enum aa_release fuzz_release(const uint8_t **data, size_t *size)
{
	enum aa_release release = (enum aa_release)(**data % AA_RELEASE_NR);

	++*data;
	--*size;
	return release;
}
