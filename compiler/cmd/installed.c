/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runc or crun of this machine, asked for its version: `features`, JSON by the OCI runtime
 * specification (runc 1.1, crun 1.9 and later), else `--version`. It is started without a shell,
 * for LIMIT_MS and SAID_MAX bytes, and what it says is believed as far as it is a version.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/base/program.h"
#include "compiler/cmd/runtime.h"
#include "compiler/oci/runtime/library.h"

enum { LIMIT_MS = 3000, SAID_MAX = 1 << 16, VERSION_MAX = 64 };

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* 0; -ETIMEDOUT; -E2BIG; another -errno. */
static int read_all(int fd, struct buf *said)
{
	long end = now_ms() + LIMIT_MS;
	char piece[4096];

	for (;;) {
		long left = end - now_ms();
		struct pollfd poller = { .fd = fd, .events = POLLIN };
		int ready = left > 0 ? poll(&poller, 1, (int)left) : 0;
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return ready ? -errno : -ETIMEDOUT;
		ssize_t n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : 0;
		if (said->n + (size_t)n > SAID_MAX)
			return -E2BIG;
		buf_add(said, piece, (size_t)n);
	}
}

static int spawn(const char *path, const char *word, int out, pid_t *pid)
{
	char *argv[] = { (char *)(uintptr_t)path, (char *)(uintptr_t)word, NULL };
	char *env[] = { (char[]){ "PATH=/usr/sbin:/usr/bin:/sbin:/bin" }, (char[]){ "LC_ALL=C" },
			NULL };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	int err = posix_spawn_file_actions_init(&files);

	if (err)
		return -err;
	err = posix_spawnattr_init(&attr);
	if (!err) {
		err = posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY,
						       0);
		err = err ? err : posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
		err = err ? err :
			    posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
							     O_WRONLY, 0);
		posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
		err = err ? err : posix_spawn(pid, path, &files, &attr, argv, env);
		posix_spawnattr_destroy(&attr);
	}
	posix_spawn_file_actions_destroy(&files);
	return -err;
}

/* 0 and what it said; 1: it failed; -errno. */
static int ask(const char *path, const char *word, struct buf *said)
{
	int fds[2], status, err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	err = spawn(path, word, fds[1], &pid);
	close(fds[1]);
	if (!err) {
		err = read_all(fds[0], said);
		kill(-pid, SIGKILL); /* it has said all that counts, and so have its children */
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	}
	close(fds[0]);
	return err;
}

/* "1.1.5+ds1", at most VERSION_MAX bytes of what versions are made of. */
static bool is_version(struct str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!strchr("0123456789abcdefghijklmnopqrstuvwxyz.+~-", s.p[i]) || !s.p[i])
			return false;
	return s.n && s.n <= VERSION_MAX;
}

static struct str annotation(const struct json *root, const char *key)
{
	const struct json *a =
		root && root->kind == JSON_OBJECT ? json_get(root, "annotations") : NULL;
	const struct json *v = a && a->kind == JSON_OBJECT ? json_get(a, key) : NULL;

	return v && v->kind == JSON_STRING && is_version(v->text) ? v->text : (struct str){ 0 };
}

/* The word behind `label` in what --version prints. */
static struct str word_behind(struct str said, const char *label)
{
	size_t n = strlen(label);

	for (size_t i = 0; i + n <= said.n; i++) {
		if (memcmp(said.p + i, label, n) != 0)
			continue;
		struct str word = { said.p + i + n, 0 };
		while (i + n + word.n < said.n && !strchr(" \r\n\t", word.p[word.n]) &&
		       word.p[word.n])
			word.n++;
		return is_version(word) ? word : (struct str){ 0 };
	}
	return (struct str){ 0 };
}

struct versions {
	struct str runtime, libseccomp;
};

static struct versions of_features(struct session *s, int kind, struct str said)
{
	struct diags *silent = diags_new(s->arena, s->sources);
	struct source *src = source_add(s->sources, "<features>", said);
	const struct json *root = json_parse(s->arena, src, silent);

	if (silent->errors)
		return (struct versions){ 0 };
	return (struct versions){ annotation(root, kind == OCI_CRUN ?
							   "run.oci.crun.version" :
							   "org.opencontainers.runc.version"),
				  annotation(root, "io.github.seccomp.libseccomp.version") };
}

static int ask_versions(struct session *s, int kind, const char *path, struct versions *out)
{
	static const char *const words[] = { "features", "--version" };

	*out = (struct versions){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(words) && !out->runtime.n; i++) {
		BUF_AUTO said = { 0 };
		int err = ask(path, words[i], &said);
		if (err)
			return err;
		struct str text = { buf_keep(s->arena, &said), said.n };
		*out = i == 0 ? of_features(s, kind, text) :
				(struct versions){ word_behind(text, kind == OCI_CRUN ?
									     "crun version " :
									     "runc version "),
						   word_behind(text, "libseccomp: ") };
	}
	return 0;
}

/* The packager's table of names is known of the library at hand alone. */
static void set_library(struct oci_runtime *out, bool said)
{
	unsigned here = oci_libseccomp_installed();

	if (here && (!said || !((out->libseccomp ^ here) & ~LIBSECCOMP_DEBIAN12)))
		out->libseccomp = here;
}

static const char *find(struct session *s, const char *name)
{
	const char *const places[] = { name, arena_printf(s->arena, "/usr/sbin/%s", name),
				       arena_printf(s->arena, "/usr/local/sbin/%s", name) };
	const char *path;

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!program_find(s->arena, places[i], &path, diags_new(s->arena, s->sources)))
			return path;
	return NULL;
}

const char *runtime_installed(struct session *s, int kind, struct oci_runtime *out)
{
	const char *name = kind == OCI_CRUN ? "crun" : "runc", *path = find(s, name);
	struct versions v;

	if (!path && kind < 0 && (path = find(s, "crun"))) {
		kind = OCI_CRUN;
		name = "crun";
	}
	if (!path)
		return arena_printf(s->arena,
				    kind < 0 ? "neither runc nor crun is installed here" :
					       "no %s is installed here",
				    name);
	int err = ask_versions(s, kind, path, &v);
	if (err)
		return arena_printf(s->arena, "'%s' does not say its version: %s", path,
				    strerror(-err));
	if (!v.runtime.n)
		return arena_printf(s->arena, "'%s' does not say its version", path);
	const char *text = arena_printf(s->arena, "%s-" PRISTR "%s" PRISTR, name, STRARG(v.runtime),
					v.libseccomp.n ? "+libseccomp-" : "", STRARG(v.libseccomp));
	err = oci_runtime_parse(str_c(text), kind, out);
	if (err)
		return arena_printf(s->arena, "'%s' %s", text,
				    oci_runtime_wrong(s->arena, str_c(text), kind, err));
	set_library(out, v.libseccomp.n > 0);
	return NULL;
}
