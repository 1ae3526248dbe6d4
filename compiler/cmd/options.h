/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The options of all commands: options.def is the table, options_read() the one loop over argv.
 * Help, usage and what is said of a wrong option are made from the table, too; tests hold
 * pale.bash and pale.1 against it.
 */
#include "compiler/cmd/cmd.h"

enum option_id {
#define OPTION(id, letter, name, argument, kind, help) OPT_##id,
#define TAKES(command, id, one_of, help)
#include "compiler/cmd/options.def"
#undef OPTION
#undef TAKES
	OPT_NR
};

/*
 * What of struct option_value it fills in. A second one adds to the lists; of a flag it says the same
 * again, and of all others it is wrong usage.
 */
enum option_kind {
	OPTION_FLAG,
	OPTION_VALUE,    /* text */
	OPTION_LIST,     /* list: the text of each */
	OPTION_WORD,     /* text, word: of the words of its argument, "text|json" */
	OPTION_MAYBE,    /* the same, and without one, as `--fix`, its first */
	OPTION_WORDS,    /* words: a comma list of such */
	OPTION_NUMBER,   /* number: 1 to the most */
	OPTION_DURATION, /* number: seconds, of 30s, 5m, 2h or 7d */
	OPTION_FILE,     /* text, not empty: a file that is read */
	OPTION_OUTPUT,   /* the same: one that is written, and is none that is read */
	OPTION_DIR,      /* text */
	OPTION_DIRS,     /* list: directories that there are */
	OPTION_ARCH,     /* arch */
	OPTION_ARCHES,   /* words: a comma list as ARCH_BIT() */
	/*
	 * words: a comma list as TARGET_BIT(), or TARGETS_ALL; "apparmor=5.0", number: a bit for each
	 * enum aa_release; "kernel=6.12", kernel.
	 */
	OPTION_RELEASES,
};

struct option_place {
	const char *name, *text;
	struct span span;
};

/* Options that a file says: what is wrong with one is a diagnostic (PL440) at its value. */
struct option_source {
	struct session *session;
	struct span whole; /* where no value is at hand */
	struct span at;    /* the one that is; NO_SPAN: that of the option that the message names */
	VEC(struct option_place) places;
};

struct option_value {
	bool given;
	const char *text;
	VEC(const char *) list; /* a NULL stands behind the last, but for OPTION_RELEASES */
	unsigned word;          /* its place */
	unsigned words;         /* a bit for each place */
	enum arch arch;
	uint64_t number;
	uint16_t kernel; /* RELEASES: KERNEL_VERSION_OF; 0: not said */
};

/* Where options end; "--" ends them everywhere. */
enum option_end {
	OPTIONS_ANYWHERE,   /* never before: they may stand behind operands */
	OPTIONS_TO_DASHES,  /* behind "--" stands a command with options of its own */
	OPTIONS_TO_OPERAND, /* the first operand is that command already */
};

struct options {
	enum option_end end; /* set by the caller; all else is filled in */
	const struct command *command;
	struct option_value at[OPT_NR];
	char **operands; /* what is no option, NULL-ended unless OPTIONS_TO_DASHES */
	int n;
	char **program; /* OPTIONS_TO_DASHES: what stands behind them; NULL: no "--" was there */
};

/*
 * Reads the arguments of the command argv[0]; lists are the session's, texts are argv's. -1: go
 * on; else the exit status: EXIT_OK after --help, EXIT_USAGE after saying what is wrong.
 */
int options_read(struct session *s, int argc, char **argv, struct options *o);

/* What is said where a result would take the place of what is read: EXIT_USAGE. */
int usage_lost(const struct command *c, const char *path);

/*
 * For what else says options: its name, its kind, a value that is given as if the command line did,
 * which is kept and not copied. EXIT_OK, or another status after saying what is wrong with it.
 */
const char *option_name(enum option_id id);
enum option_kind option_kind(enum option_id id);
bool option_adds_up(enum option_id id);
int option_give(struct session *s, struct options *o, enum option_id id, const char *text);
/* What is wrong with this value of a list is told where it stands, in a file; NULL: no value's. */
void option_at(const struct options *o, const char *text);

struct apparmor_target;
/*
 * Whom `--target apparmor=4.1,kernel=6.12` means, of a command that writes for one. -1: go on, *given
 * says whether one is named; else EXIT_USAGE after saying what is wrong.
 */
int apparmor_target_option(const struct options *o, struct apparmor_target *out, bool *given);

/* "30s", "5m", "2h", "7d"; a year at most. False: it is none. */
bool option_seconds(const char *text, uint64_t *seconds);
/* The next item of a list with commas or blanks; false at its end. */
bool option_item(const char **list, struct str *item);

/*
 * What --caps, --kernel, --host, --sets and --arch LIST say, of a command that takes them
 * (environment.c). EXIT_OK, or EXIT_USAGE after saying what is wrong.
 */
int environment_options(const struct options *o, struct resolve_options *r);
/* The capabilities of a container that asks Docker for nothing, as --caps docker says them. */
void environment_docker(struct environment *env);
