/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* One run of pale lint, and its file at hand: what finding (lint.c) and fixing (lint_fix.c) share. */
#include <sys/stat.h>

#include "compiler/base/table.h"
#include "compiler/cmd/ask_apparmor.h"
#include "compiler/cmd/lint_config.h"
#include "compiler/cmd/lint_files.h"
#include "compiler/cmd/options.h"
#include "compiler/lint/baseline.h"
#include "compiler/lint/lint.h"
#include "compiler/lint/out/out.h"
#include "compiler/lint/suppress.h"

/* AppArmor files share what they include and mean: some at a time, for the memory it takes. */
struct lint_profiles {
	struct apparmor_reading reading;
	struct arena *arena; /* of session_lend(); of --fix a scratch */
	bool lent;           /* a file is being read in it */
	struct lint_work work;
	struct lint_apparmor with;
	size_t left;            /* files until the arena is emptied */
	struct aa_paths *paths; /* of the run */
};

struct lint_offer { /* of findings that begin in [begin, end], or hold it */
	uint32_t begin, end;
	void (*put)(void *to, const struct findings *all, const struct finding *f);
	void *to;
};

struct lint_written { /* a file that fixes were written to, as it is now */
	dev_t dev;
	ino_t ino;
};

struct lint_fixing {
	bool on;        /* --fix */
	bool unsafe;    /* --fix=unsafe */
	bool diff;      /* --diff: files stay, a patch is printed */
	bool would;     /* some file would change */
	bool failed;    /* some file could not be written */
	bool to_stdout; /* standard input was fixed: its text goes there, and what is left to stderr */
	bool inside;    /* the file at hand was not come to an end with */
	struct arena *arena; /* of the file at hand: what it takes is that file's */
	struct buf
		out; /* patches, or the text; where another process prints or writes it, for that */
	VEC(struct lint_written) written; /* files, since processes share them */
	struct table written_table;
	const struct lint_offer *offer; /* fixes are shown, and none is made; NULL: they are made */
};

struct lint_run {
	struct session *session, *all;
	const char *path, *name; /* of the file at hand; - has another name */
	const char *stdin_name;  /* --stdin-filename; NULL: not said */
	bool has_stdin;          /* an operand is - */
	const struct str *text; /* of the file at hand, whatever is on the disk; NULL: it is read */
	bool walked;            /* the file at hand was found below a folder */
	bool passed_over;       /* and is none of ours */
	bool joined;            /* it was looked at together with others that it names */
	bool asked_named;       /* or with all: lint_named_once() */
	struct resolve_options resolve;
	const struct oci_runtime *runtime;      /* NULL: any */
	const struct oci_runtime *here, *named; /* installed; of the command line */
	bool here_asked;
	bool no_runtime;             /* nothing of the run hangs on one: none is asked */
	struct questions *questions; /* of the run */
	const char *format;
	struct selection selection;
	suppression_list suppressions; /* in the file at hand */
	struct baseline *baseline;     /* NULL: none is given */
	const char *new_baseline;      /* NULL: none is written */
	struct buf new_entries;
	struct report report;
	struct lint_profiles profiles;
	struct aa_asked asked; /* of the settings: what --fix reads for a file ends with it */
	bool apparmor;         /* the file at hand */
	struct lint_configs configs;
	const lint_file_list *files;       /* of the run */
	struct lint_named *named_profiles; /* NULL: not asked for yet */
	struct lint_fixing fixing;
	/* Of the file at hand, where they are known: once nothing more is fixed, or from another process;
	 * NULL: not yet. */
	struct findings *found;
	const struct lint_made *made; /* what another process made of it; NULL: it is linted here */
	struct buf *packed; /* this is such a process: findings go there; NULL: into the report */
	int status;         /* EXIT_OK, or that of the last file that was not linted */
	const struct options
		*options; /* for the file at hand: its pale.toml's and the command line's */
	/* Finds what is wrong with the file at hand: session->diags, suppressions. */
	int (*find)(void *run);
	/* A file, and what is wrong with it into the report, or where else it goes. EXIT_OK, or why it was
	 * not linted. */
	int (*lint)(struct lint_run *r, const struct lint_file *file);
	/* All of that as findings; what is suppressed or known says so. */
	void (*findings)(struct lint_run *r, struct findings *out);
	void (*put)(struct lint_run *r, const struct findings *all); /* NULL: into the report */
	void *who;                                                   /* put()'s */
};

/* AppArmor profiles of all files of the run; they are looked through once. */
const struct lint_named *lint_named_once(struct lint_run *r);

/*
 * For who lints files as they come, and prints nothing: r is all 0 but for what the caller knows, s
 * is its session. EXIT_OK, or another status after saying what is wrong. Ends in lint_run_end(),
 * before the session does.
 */
int lint_run_open(struct lint_run *r, struct session *s, const struct options *o);
/* One of them, as its pale.toml says; put() is called unless it is passed over. */
int lint_run_file(struct lint_run *r, const char *path, bool walked);
/* Where names of a file are looked for, as its pale.toml says. */
struct lint_names {
	const char *const *set_dirs;
	struct aa_library *library;
};
/* False: what is wrong with its pale.toml was told. */
bool lint_run_names(struct lint_run *r, const char *path, struct lint_names *out);
void lint_run_end(struct lint_run *r);

/*
 * Finds, and fixes what may be fixed until nothing more is: the file is written, or shown as a patch,
 * and what is left is found in r->session, which is one of its own then.
 */
int lint_fix_here(void *run);
/* Finds, and shows each fix that may be made and is proved to r->fixing.offer: nothing is made. */
int lint_offer_here(void *run);
/* What became of a file's text. */
struct lint_fixed {
	size_t made;
	size_t made_of[DIAG_NR];
	struct str before, after;
};
/* Writes the file at hand, unless it is another one by now, and tells it; s is its session. */
int lint_fix_write(struct lint_run *r, struct session *s, const struct lint_fixed *fixed);
/* EXIT_OK, or EXIT_USAGE after saying what is wrong. has_stdin is known. */
int lint_fix_options(struct lint_run *r, const struct options *o);
/* Prints the patches or the text, and the report: *out is its room. 0 or -errno. */
int lint_fix_end(struct lint_run *r, struct buf *out);
