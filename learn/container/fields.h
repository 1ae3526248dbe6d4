/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What engines write, as JSON: read without a word, as none of it is the user's to mend. */
#include "grammar/json.h"
#include "learn/container/container.h"

/* NULL: it is none. In the arena. */
struct json *fields_parse(struct arena *a, struct str text);
/* The same of a regular file: users own some of them. Its path is below the containers' root. */
struct json *fields_load(const struct containers *cs, struct arena *a, const char *path);
/* A member that is a text and not empty, as a string in the arena; NULL. */
const char *fields_text(struct arena *a, const struct json *object, const char *key);
/* Of an object of texts each member is a label of it. */
void fields_labels(struct containers *cs, struct container *c, const struct json *object);
/* One more, where there is room. */
void fields_label(struct containers *cs, struct container *c, struct str key, struct str value);
/* What was not known of a container is what the text says. */
void fields_take(const char **to, const char *text);
/*
 * A container's name, as `from` says it: one that is known already is another one where the same said it, as
 * of a container that was renamed. (Users have files and sockets of their own.)
 */
void fields_name(struct containers *cs, struct container *c, const char *name, const char *from,
		 enum containers_at at);
/* Each of a directory but those that begin with a dot; bounded. Its path is below the containers' root. */
typedef void fields_entry(struct containers *cs, const char *path, const char *name);
void fields_each_entry(struct containers *cs, const char *path, fields_entry *read);
/* A path of the machine, without the root; one that is there already is not added. */
void fields_place(struct containers *cs, container_places *to, const char *path);
/* Each of a process' options with a value, "--a=b" or "--a b", if it is root's or one's own: anybody's may be called so. */
typedef void fields_option(struct containers *cs, struct str name, const char *value);
void fields_options(struct containers *cs, const char *pid, fields_option *take);
#define FIELDS_ARGS 16386
/* A process' arguments, each with its NUL and a further one behind all; how many bytes they are. */
size_t fields_arguments(struct containers *cs, const char *pid, char args[FIELDS_ARGS]);
