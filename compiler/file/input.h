/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* FILE is a policy or any foreign format, recognised from content. */
#include "compiler/file/session.h"
#include "compiler/policy/policy.h"
#include "grammar/json.h"

struct oci_runtime;
enum input_format { INPUT_PALE, INPUT_JSON, INPUT_BPF, INPUT_OTHER };

struct input_options {
	struct resolve_options resolve;
	bool parse_only;                   /* do not resolve */
	bool machine_known;                /* JSON, where resolve.env leaves the host open: */
	enum arch machine;                 /* whose row of archMap it is read with */
	const struct oci_runtime *runtime; /* JSON: that loads it; NULL: the default one */
	/* JSON: what is wrong with others' entries is not told; NULL: all is */
	const struct oci_asked_calls *asked;
};

struct input {
	enum input_format format;
	struct source *source;
	bool unit;               /* PALE: the policy of a unit of systemd, and no text of users' */
	struct ast_file *ast;    /* PALE; JSON: the tree it was read into */
	const struct json *json; /* JSON: the profile's object, or the config.json around it */
	struct str profile;      /* JSON: its bytes */
	const struct oci_disputes *disputes; /* JSON: calls that libseccomp decides; NULL: none */
	struct policies *policies;           /* unless parse_only; NULL for BPF */
};

/* Loads and resolves. EXIT_OK, EXIT_FOUND or EXIT_SYSTEM, both after saying why in the session. */
int input_load(struct session *s, const char *path, const struct input_options *opt,
	       struct input *out);
/* Its two steps: what the file is and its tree; then what it means. */
int input_open(struct session *s, const char *path, struct input *out);
int input_resolve(struct session *s, const struct input_options *opt, struct input *in);
enum {                      /* what something of it may hang on */
       INPUT_OPEN = 1 << 0, /* an environment that neither the options nor its own capability
			     * lines say (PL131); JSON, always */
       INPUT_HOST = 1 << 1, /* the machine that is assumed without --host (PL238) */
};
/*
 * input_resolve(), unless something hangs on one of `stop`: then nothing is resolved, nothing is
 * told, and *hangs (else 0) says on which.
 */
int input_resolve_unless(struct session *s, const struct input_options *opt, unsigned stop,
			 struct input *in, unsigned *hangs);
/* What it is (kind.h). Of a kind that pale does not read it says so (PL021): INPUT_OTHER. */
enum input_format input_recognise(struct session *s, const struct source *src);
/* An error: it is of that kind, which is not read. */
struct file_kind;
void input_tell_other(struct session *s, const struct source *src, const struct file_kind *kind);
/* Says why source_load() failed: EXIT_FOUND for what is no file of text, else EXIT_SYSTEM. */
int input_unreadable(struct session *s, const char *path, int err);
/* Says that a file without any statement is no policy (PL001). */
struct diag *input_tell_empty(struct session *s, const struct source *src);
/* The policy a command works on: the only one, or the one named; NULL after saying why not. */
const struct policy *input_policy(struct session *s, const struct input *in, const char *name);

/*
 * The directories that sets are looked for in, NULL-ended: those of --sets (NULL-ended; may be NULL),
 * then $PALE_PATH, then profiles/sets of the source tree the binary was built in, then the installed.
 */
const char *const *set_directories(struct arena *a, const char *const *first);
