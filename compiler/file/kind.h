/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a file is, from its content alone. The one place that knows: every command that takes
 * FILE reads a policy, JSON or BPF, and says the same of whatever else it is given.
 */
#include "compiler/file/input.h"

struct file_kind {
	enum input_format format;
	const char *what;    /* INPUT_OTHER: "a systemd unit" */
	const char *way_out; /* INPUT_OTHER: what to do instead */
	bool binary;
};

/* Never NULL. What no other format is known to look like is a policy, with its errors. */
const struct file_kind *kind_of(struct str text);
/*
 * The same of a file of that name: blanks and comments alone, which AppArmor's parsers take, are
 * AppArmor's where it ends in ".apparmor" or lies below an apparmor.d; a file that ends in ".sh" and is no
 * profile is a shell script.
 */
const struct file_kind *kind_of_file(struct str text, const char *path);
bool kind_is_blank(struct str text); /* blanks and comments alone */
extern const struct file_kind *const kind_apparmor;
extern const struct file_kind *const kind_compose, *const kind_kubernetes; /* in YAML */
extern const struct file_kind *const kind_template; /* of Helm and its like */
/* For one of a kind whose text cannot be read as that: it has {{ ... }} in it. */
bool kind_may_be_template(struct str text);
extern const struct file_kind *const kind_shell, *const kind_unit, *const kind_dockerfile;
/* A seccomp profile in YAML, with a Kubernetes object around it or not, or an AppArmorProfile? */
bool kind_holds_profile(const struct file_kind *kind);
extern const struct file_kind *const kind_policy; /* it says so: `policy` or `set` stands first */

/* A profile that stands inside other JSON. */
struct inside {
	const struct json
		*profile; /* its object, or the config.json around it; spans are the file's */
	struct str text;  /* its bytes as JSON, for those who parse it themselves */
	bool operators;   /* it is the spec of a SeccompProfile */
};

/*
 * Where the profile is in JSON of any kind: itself, a config.json, an object of Kubernetes, what
 * docker, podman, crictl and ctr inspect print, an array of one. False after saying why there is
 * none (PL021 to PL023). JSON of no known kind is `root` itself: the reader says what it lacks.
 */
bool kind_find_profile(struct session *s, const struct json *root, struct source *src,
		       struct inside *out);
