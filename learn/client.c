/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/client.h"

#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

#define SHELLS_DEEP 4 /* sh -c 'sh -c ...' */

static const char *const clients[] = {
	"crictl",         "crun",          "ctr",     "docker",
	"docker-compose", "incus",         "kubectl", "lxc",
	"machinectl",     "nerdctl",       "oc",      "podman",
	"podman-compose", "podman-remote", "runc",    "systemctl",
	"systemd-run",    "virsh",
};

static const char *const shells[] = { "ash", "bash", "dash", "ksh", "sh", "zsh" };

/* Programs that execute what stands behind their own options and operands. */
static const struct wrapper {
	const char *name;
	const char *with_value; /* options whose value is the next word */
	unsigned operands;
} wrappers[] = {
	{ "chroot", "", 1 },
	{ "chrt", "-T -P -D", 1 },
	{ "doas", "-C -u", 0 },
	{ "env", "-u --unset -C --chdir", 0 },
	{ "exec", "-a", 0 },
	{ "flock", "-E -w --wait --timeout", 1 },
	{ "ionice", "-c -n --class --classdata", 0 },
	{ "nice", "-n --adjustment", 0 },
	{ "nohup", "", 0 },
	{ "setpriv", "--reuid --regid --groups --inh-caps --bounding-set --ambient-caps", 0 },
	{ "setsid", "", 0 },
	{ "stdbuf", "-i -o -e --input --output --error", 0 },
	{ "strace", "-e -o -s -p -u -E -a -I -O -P -S -b", 0 },
	{ "sudo", "-u -g -h -p -C -D -R -T -U -r -t --user --group --host --prompt --chdir", 0 },
	{ "taskset", "", 1 },
	{ "time", "-f -o --format --output", 0 },
	{ "timeout", "-k -s --kill-after --signal", 1 },
	{ "unshare", "-S -G -R -w", 0 },
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *find_name(const char *const *names, size_t n, const char *path)
{
	const char *base = base_of(path);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], base))
			return names[i];
	return NULL;
}

static const struct wrapper *find_wrapper(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(wrappers); i++)
		if (!strcmp(wrappers[i].name, base_of(path)))
			return &wrappers[i];
	return NULL;
}

static bool is_among(const char *words, const char *word)
{
	size_t n = strlen(word);

	while (*words) {
		size_t len = strcspn(words, " ");

		if (len == n && !memcmp(words, word, n))
			return true;
		words += len + strspn(words + len, " ");
	}
	return false;
}

static bool is_assignment(const char *word)
{
	return strcspn(word, "=") < strlen(word) && *word != '=' && *word != '-';
}

/* Behind a wrapper's name, options and operands: what it executes. */
static char *const *skip_wrapper(const struct wrapper *w, char *const *argv)
{
	unsigned operands = w->operands;

	for (argv++; *argv; argv++) {
		if (!strcmp(*argv, "--"))
			continue;
		if (**argv == '-') {
			if (is_among(w->with_value, *argv) && argv[1])
				argv++;
			continue;
		}
		if (is_assignment(*argv))
			continue;
		if (!operands)
			break;
		operands--;
	}
	return argv;
}

static const char *of_words(struct arena *a, char *const *argv, unsigned deep);

/* Each simple command of a shell's text; quotes are taken off, nothing is expanded. */
static const char *of_text(struct arena *a, const char *text, unsigned deep)
{
	const char *found = NULL;

	while (*text && !found) {
		size_t n = strcspn(text, ";&|\n(){}");
		char *part = str_dup(a, (struct str){ text, n });
		VEC(char *) words = { 0 };

		for (char *w = strtok(part, " \t'\""); w; w = strtok(NULL, " \t'\""))
			vec_push(a, &words, w);
		vec_push(a, &words, NULL);
		found = of_words(a, words.v, deep);
		text += n + (text[n] != 0);
	}
	return found;
}

/* The text behind a shell's -c (or -ec, -lc); NULL: it runs a file. */
static const char *shell_text(char *const *argv)
{
	for (argv++; *argv && **argv == '-'; argv++)
		if ((*argv)[1] != '-' && strchr(*argv, 'c'))
			return argv[1];
	return NULL;
}

static const char *of_words(struct arena *a, char *const *argv, unsigned deep)
{
	while (*argv && is_assignment(*argv))
		argv++;
	while (*argv) {
		const struct wrapper *w = find_wrapper(*argv);
		const char *client = find_name(clients, ARRAY_SIZE(clients), *argv), *text;

		if (client)
			return client;
		if (w) {
			argv = skip_wrapper(w, argv);
			continue;
		}
		text = find_name(shells, ARRAY_SIZE(shells), *argv) ? shell_text(argv) : NULL;
		return text && deep ? of_text(a, text, deep - 1) : NULL;
	}
	return NULL;
}

const char *client_of_command(struct arena *a, char *const *argv)
{
	return of_words(a, argv, SHELLS_DEEP);
}

void client_list(struct buf *out, const struct recording *r)
{
	vec_each(&r->files, f) {
		/* Paths of a recording end in a NUL byte. */
		const char *client = f->perms & PERM_X ?
					     find_name(clients, ARRAY_SIZE(clients), f->path.p) :
					     NULL;

		if (client)
			buf_printf(out, "%s%s", out->n ? ", " : "", client);
	}
}
