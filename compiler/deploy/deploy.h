/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What starts containers, whoever reads it: each container with what it asks for that bears on its
 * confinement, and where that stands. Texts and places are the file's; what holds a variable ("${X}")
 * is not known here and left out.
 */
#include "compiler/base/inner.h"
#include "compiler/deploy/yaml.h"

enum deploy_form {
	DEPLOY_NONE,
	DEPLOY_COMPOSE,    /* a compose file */
	DEPLOY_KUBERNETES, /* objects with pods in them */
	DEPLOY_PROFILE, /* the operator's SeccompProfile or AppArmorProfile, a seccomp profile in YAML */
	DEPLOY_UNIT,       /* a unit of systemd, or what is put over one */
	DEPLOY_DOCKERFILE, /* of which the images count that it begins with */
	DEPLOY_DAEMON,     /* daemon.json of Docker */
	DEPLOY_RUN,        /* a script, or a line, with `docker run` in it */
	DEPLOY_QUADLET,    /* of a container: what a unit's [Container] has Podman start */
};

struct deploy_text {
	struct str text;
	struct span span;
};

typedef VEC(struct deploy_text) deploy_texts;

struct deploy_option { /* an element of security_opt, a --security-opt: KEY=VALUE, KEY:VALUE, KEY */
	struct str key, value;
	struct span span;
	bool colon; /* ':' stands between them */
};

struct deploy_mount {
	struct str text;
	struct span span;
	bool read_only;
};

struct deploy_profile {           /* seccompProfile, appArmorProfile of Kubernetes */
	struct span span;         /* NO_SPAN: there is none */
	struct deploy_text type;  /* NO_SPAN: not said */
	struct deploy_text local; /* localhostProfile; NO_SPAN: not said */
};

enum deploy_said { DEPLOY_UNSAID, DEPLOY_NO, DEPLOY_YES };

struct deploy_flag {
	enum deploy_said said;
	struct span span;
};

struct deploy_container {
	enum deploy_form form;
	struct deploy_text name;  /* "service 'web'", "container 'web'", "this pod" */
	struct str word;          /* the name alone, "" for none */
	struct deploy_text image; /* an empty text: not said, or not known */
	bool open; /* compose, RUN: a variable may hold more of security_opt, or of all options */
	bool other_engine; /* RUN: not Docker's own client: podman, nerdctl */
	bool pod;          /* a pod itself, of which its containers have what they do not say */
	struct deploy_flag privileged;
	struct deploy_flag
		no_new_privileges;         /* Kubernetes: allowPrivilegeEscalation, turned round */
	deploy_texts caps;                 /* added, with or without "CAP_" */
	VEC(struct deploy_mount) mounts;   /* paths of the machine */
	deploy_texts devices;              /* of the machine, by their paths */
	deploy_texts host;                 /* of namespaces that are the machine's: "pid" */
	VEC(struct deploy_option) options; /* compose, RUN */
	struct deploy_profile seccomp, apparmor; /* Kubernetes */
	const struct deploy_container *of;       /* Kubernetes: its pod; NULL */
};

struct deploy_setting {                 /* of a unit: "[Service]", "Key=value" */
	struct str section, key, value; /* the value with '\\' and newline where it goes on */
	struct span span, line;         /* of the value; of all of it */
	const struct source *src;
	bool over; /* of another file, that is put over the unit */
};

/* An AppArmorProfile of the operator: a profile's text, or what the operator writes of what it allows. */
struct deploy_apparmor {
	struct deploy_text name; /* metadata.name, by which pods name it; NO_SPAN: not said */
	bool disabled;           /* it is not loaded */
	const struct json
		*complain; /* what says so; NULL: nothing does, of `written` its flags may */
	const struct json *written; /* spec.policy; NULL: the text is ours */
	struct str text;
	const uint32_t *at; /* of its bytes, as struct inner has them */
};

/* Another object of the operator: a SeccompProfile; a ProfileBinding, with what it binds. */
struct deploy_object {
	struct deploy_text name, space;    /* metadata; NO_SPAN: not said */
	struct deploy_text bound;          /* profileRef's name, of kind SeccompProfile; NO_SPAN */
	struct deploy_text bound_apparmor; /* of kind AppArmorProfile */
	struct deploy_text image;          /* of a ProfileBinding; NO_SPAN */
	const struct json *spec;           /* of a SeccompProfile; NULL */
};

struct deployment {
	struct arena *arena;
	VEC(struct deploy_object) seccomp, bindings; /* PROFILE, KUBERNETES */
	deploy_texts unread; /* likewise: kinds of the operator's of which no rule speaks */
	VEC(struct deploy_container *) containers;
	deploy_texts annotations;          /* keys of a pod's that once named profiles */
	VEC(const struct json *) profiles; /* PROFILE: what runtimes are given, as JSON has it */
	VEC(struct deploy_apparmor *) apparmor; /* PROFILE, KUBERNETES */
	deploy_texts images;                    /* DOCKERFILE */
	deploy_texts
		execs; /* RUN: "container 'x'" in which a command is run privileged; that option's place */
	const struct json *daemon;           /* DAEMON: all of it */
	VEC(struct deploy_setting) settings; /* UNIT */
	bool part; /* UNIT: it is put over one that is not here, which may say more */
	struct comment_list comments;
};

/* NULL after saying in ds what keeps it from being read (read.c). */
struct deployment *deploy_read(struct arena *a, struct source *src, enum deploy_form form,
			       struct diags *ds);

/* The same of JSON that is there, in src: Kubernetes, DAEMON; an object of no such kind holds nothing. */
struct deployment *deploy_of_json(struct arena *a, const struct source *src,
				  const struct json *root, enum deploy_form form);
/*
 * What stands in a file that is put over the unit, where over; all of what is said there is read, in the order
 * of the calls, and no comments.
 */
void deploy_read_unit(struct deployment *d, const struct source *src, bool over);
/* The container of Podman's [Container], once all is read that is put over it (read_quadlet.c). */
void deploy_read_quadlet(struct deployment *d);
void deploy_read_dockerfile(struct deployment *d, const struct source *src);
/* The words of a setting's value, from *at = 0 on, with their places; false: no more. */
bool deploy_next_word(const struct deploy_setting *s, uint32_t *at, struct deploy_text *out);
/* Is it Docker's daemon.json, by what is in it? */
bool deploy_is_daemon(const struct json *root);

/* What a key of daemon.json has as its value: an object of words, of true and false, of anything. */
enum daemon_value {
	DAEMON_BOOL,
	DAEMON_NUMBER,
	DAEMON_TEXT,
	DAEMON_TEXTS,
	DAEMON_LIST,
	DAEMON_WORDS,
	DAEMON_FLAGS,
	DAEMON_OBJECT,
	DAEMON_PARTS, /* an object, of which dockerd looks at the members as if they stood outside */
};

/* A row of daemon_keys.def; versions as DOCKER() has them. */
struct daemon_key {
	const char *name;
	enum daemon_value value;
	unsigned since, until;
	bool option;     /* of the command line alone: its value does nothing */
	const char *key; /* option: what does something; NULL */
	bool grave;      /* option: what it was to do is confinement */
};

#define DOCKER(major, minor) ((unsigned)(major) << 16 | (unsigned)(minor) << 8)

size_t deploy_daemon_keys(const struct daemon_key **out);
const struct daemon_key *deploy_daemon_key(struct str name); /* NULL: none */

/* Of one document each; what is none of theirs is passed over (read_compose.c, read_kubernetes.c, read_daemon.c). */
void deploy_read_compose(struct deployment *d, const struct json *root);
void deploy_read_kubernetes(struct deployment *d, const struct json *root);
void deploy_read_daemon(struct deployment *d, const struct json *root);
/* Objects of the operator, in a list or not; the source is what root was read from (read_operator.c). */
void deploy_read_operator(struct deployment *d, const struct source *src, const struct json *root);
/* Commands of a shell's text, or of a part of it (read_run.c). */
void deploy_read_line(struct deployment *d, const struct source *src, struct span part);

/* Options of podman's `run`, without an image behind them; and one of them, by its long name, with its value. */
void deploy_read_arguments(struct deployment *d, struct deploy_container *c,
			   const struct source *src, struct span part);
void deploy_take_option(struct deployment *d, struct deploy_container *c, const char *name,
			struct deploy_text value);

/* Programs that take docker's `run`, NULL-ended; is it one of them? */
extern const char *const deploy_engines[];
bool deploy_is_engine(struct str word);
/* Is what it says said to Docker, or one that takes the same options? */
bool deploy_is_docker(enum deploy_form form);

/* ---- for the readers ---- */

const struct json *deploy_member(const struct json *object, const char *key, enum json_kind kind);
/* A text without variables in it, as it is written; NO_SPAN where there is none. */
struct deploy_text deploy_text_of(const struct json *object, const char *key);
void deploy_add_texts(struct deployment *d, deploy_texts *out, const struct json *list);
struct deploy_flag deploy_flag_of(const struct json *object, const char *key);
struct deploy_container *deploy_add(struct deployment *d, enum deploy_form form,
				    struct deploy_text name);
/* security_opt's element; "/x:/y:ro". Without a variable in it. */
void deploy_add_option(struct deployment *d, struct deploy_container *c, struct deploy_text t);
void deploy_add_volume(struct deployment *d, struct deploy_container *c, struct deploy_text t);
void deploy_add_mount(struct deployment *d, struct deploy_container *c, struct deploy_text t,
		      bool read_only);
/* "/dev/x:/dev/y:rwm" */
void deploy_add_device(struct deployment *d, struct deploy_container *c, struct deploy_text t);
bool deploy_is_false(struct str value); /* what Go takes for false */
