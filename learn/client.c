/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/client.h"

#include <string.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/policy/policy.h"

#define SHELLS_DEEP 4 /* sh -c 'sh -c ...' */

static const char *const clients[] = {
	"buildctl",    "busctl",     "crictl",   "crontab",        "crun",
	"ctr",         "dbus-send",  "docker",   "docker-compose", "finch",
	"gdbus",       "incus",      "initctl",  "kubectl",        "limactl",
	"lxc",         "machinectl", "minikube", "multipass",      "nerdctl",
	"nomad",       "oc",         "podman",   "podman-compose", "podman-remote",
	"portablectl", "run0",       "runc",     "supervisorctl",  "systemctl",
	"systemd-run", "vagrant",    "virsh",    "virt-install",
};

/* Words that may be anybody's, and are these only where programs of the system are. */
static const char *const queues[] = { "at", "batch" };
/* Scripts that ask systemd where it runs, and do the work themselves elsewhere. */
static const char *const services[] = { "invoke-rc.d", "service" };

static const char *const shells[] = { "ash", "bash", "dash", "ksh", "sh", "zsh" };

/* Programs that execute what stands behind their own options and operands. */
static const struct wrapper {
	const char *name;
	const char *with_value; /* options whose value is the next word */
	unsigned operands;
} wrappers[] = {
	{ "busybox", "", 0 },
	{ "chroot", "", 1 },
	{ "chrt", "-T -P -D", 1 },
	{ "doas", "-C -u", 0 },
	{ "dumb-init", "-r --rewrite", 0 },
	{ "env", "-u --unset -C --chdir", 0 },
	{ "exec", "-a", 0 },
	{ "flock", "-E -w --wait --timeout", 1 },
	{ "gosu", "", 1 },
	{ "ionice", "-c -n --class --classdata", 0 },
	{ "nice", "-n --adjustment", 0 },
	{ "nohup", "", 0 },
	{ "nsenter", "-t -S -G --target --setuid --setgid", 0 },
	{ "numactl", "-N -m -C --cpunodebind --membind --physcpubind", 0 },
	{ "prlimit", "", 0 },
	{ "runuser", "-u -g -G --user --group --supp-group", 0 },
	{ "setpriv", "--reuid --regid --groups --inh-caps --bounding-set --ambient-caps", 0 },
	{ "setsid", "", 0 },
	{ "stdbuf", "-i -o -e --input --output --error", 0 },
	{ "strace", "-e -o -s -p -u -E -a -I -O -P -S -b", 0 },
	{ "su-exec", "", 1 },
	{ "sudo", "-u -g -h -p -C -D -R -T -U -r -t --user --group --host --prompt --chdir", 0 },
	{ "systemd-inhibit", "", 0 },
	{ "taskset", "", 1 },
	{ "time", "-f -o --format --output", 0 },
	{ "timeout", "-k -s --kill-after --signal", 1 },
	{ "tini", "-e -p", 0 },
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

/* sd_booted(3) */
static bool has_systemd(void)
{
	return !access("/run/systemd/system", F_OK);
}

static const char *find_client(const char *path)
{
	const char *name = find_name(clients, ARRAY_SIZE(clients), path);

	if (!name && (!strchr(path, '/') || str_starts(str_c(path), "/usr/bin/") ||
		      str_starts(str_c(path), "/bin/")))
		name = find_name(queues, ARRAY_SIZE(queues), path);
	return name;
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

/* su's stands wherever it likes. */
static const char *su_text(char *const *argv)
{
	while (*argv && strcmp(*argv, "-c") != 0 && strcmp(*argv, "--command") != 0)
		argv++;
	return *argv ? argv[1] : NULL;
}

static const char *of_words(struct arena *a, char *const *argv, unsigned deep)
{
	while (*argv && is_assignment(*argv))
		argv++;
	while (*argv) {
		const struct wrapper *w = find_wrapper(*argv);
		const char *client = find_client(*argv), *text;

		if (!client && has_systemd())
			client = find_name(services, ARRAY_SIZE(services), *argv);
		if (client)
			return client;
		if (w) {
			argv = skip_wrapper(w, argv);
			continue;
		}
		text = !strcmp(base_of(*argv), "su")                ? su_text(argv) :
		       find_name(shells, ARRAY_SIZE(shells), *argv) ? shell_text(argv) :
								      NULL;
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
		const char *client = f->perms & PERM_X ? find_client(f->path.p) : NULL;

		if (client)
			buf_printf(out, "%s%s", out->n ? ", " : "", client);
	}
}
