/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The files that AppArmor text includes: looked for, read and parsed once, whoever asks. One library
 * serves all profiles of a process; it and its trees live in the arena it was made in.
 *
 * What is found where, and what is left out of a directory, is as apparmor_parser 5.0.2 has it
 * (parser_include.c; parser_lex.l, include_filename; libapparmor's private.c); 3.0.8 is the same.
 */
#include "compiler/base/table.h"
#include "grammar/apparmor_tree.h"

enum {
	AA_FILES_MAX = 10000, /* files and directories one library looks at */
	AA_NAMES_MAX = 10000, /* names of one directory */
};

enum aa_entry_kind {
	AA_ENTRY_MISSING,
	AA_ENTRY_FILE,
	AA_ENTRY_DIRECTORY,
	AA_ENTRY_UNREADABLE, /* err says why */
};

struct aa_entry {
	const char *path; /* as it was looked for: a file has an entry for each way to write it */
	enum aa_entry_kind kind;
	int err;                  /* -errno; -EINVAL: no regular file, -EFBIG: past SOURCE_MAX */
	struct source *source;    /* FILE; NULL: /dev/null, which holds nothing */
	struct aa_file *file;     /* once parsed; NULL for what failed or was not asked for */
	size_t errors;            /* that parsing told */
	const struct diags *told; /* where it told them */
	VEC(const char *) paths;  /* DIRECTORY: of the files in it that are read, sorted */
	const char *dangling;     /* DIRECTORY: a link in it that leads nowhere; NULL: none */
	const void *features;     /* FILE: what the readers of an abi made of it; NULL: not yet */
};

struct aa_library {
	struct arena *arena;
	struct sources *sources;
	VEC(const char *) dirs; /* where <file> is looked for, in this order */
	VEC(struct aa_entry *) entries;
	struct table by_path;
};

struct aa_seen_path {
	const char *path;
	bool dead;
};

/* What one block of a profile has included: the paths, as they were looked for. */
struct aa_seen {
	VEC(struct aa_seen_path) paths;
	struct table table;
	bool dead; /* what is added now stands where it has no effect */
};

struct aa_found {
	struct aa_entry *entry; /* NULL: nobody has it */
	bool skip;              /* the block has it: nothing is included */
	bool dead;              /* skip: and it was added where it has no effect */
	bool full;              /* AA_FILES_MAX: it was not looked for */
};

/* dirs NULL-ended, or NULL: none before the base; base NULL: /etc/apparmor.d. */
struct aa_library *aa_library_new(struct arena *a, struct sources *sources, const char *const *dirs,
				  const char *base);

/*
 * The name in what stands in <...> (magic), in quotes, or in neither, escapes as written. Empty:
 * this names no file, as where blanks stand around the quotes in <...>.
 */
struct str aa_include_name(struct str written, bool magic);

/* What is at a path; NULL: AA_FILES_MAX. */
struct aa_entry *aa_library_entry(struct aa_library *lib, const char *path);

/*
 * What an include names: <name> in the directories, any other as it is. An entry that is found is
 * a FILE or DIRECTORY, else the first UNREADABLE one; it is put into *seen.
 */
struct aa_found aa_library_find(struct aa_library *lib, struct str name, bool magic,
				struct aa_seen *seen);

/* Parses a FILE, once; what is wrong is told in ds. NULL: it is no file. */
const struct aa_file *aa_library_parse(struct aa_library *lib, struct aa_entry *e,
				       struct diags *ds);

/* Names as near as can be to one that is missing: those that stand beside it, in each directory. */
void aa_library_suggest(struct aa_library *lib, struct str name, bool magic, struct suggest *s);

/* What editors and package managers leave behind; hidden files; README (libapparmor, private.c). */
bool aa_is_left_over(const char *name);

const struct aa_seen_path *aa_seen_find(const struct aa_seen *seen, const char *path);
void aa_seen_add(struct arena *a, struct aa_seen *seen, const char *path);
