/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor: is it there, and loading a profile's text. */
#include <errno.h>
#include <spawn.h>
#include <string.h>
#include <sys/apparmor.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "compiler/base/bug.h"
#include "compiler/enforce/confine.h"
#include "compiler/enforce/enforce.h"

bool profile_supported(void)
{
	return aa_is_enabled() == 1;
}

/* A file without a name: no temporary to clean up, no pipe to deadlock on. */
static int text_file(struct str text)
{
	int fd = memfd_create("pale-profile", MFD_CLOEXEC);

	if (fd < 0)
		return -1;
	while (text.n) {
		ssize_t w = write(fd, text.p, text.n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0) {
			close(fd);
			return -1;
		}
		text.p += w;
		text.n -= (size_t)w;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

const char *profile_parser(void)
{
	static const char *const places[] = { "/usr/sbin/apparmor_parser",
					      "/sbin/apparmor_parser" };

	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		if (!access(places[i], X_OK))
			return places[i];
	return "apparmor_parser";
}

/* Runs the parser on in, what it says goes to out; its exit status, or -errno. */
static int run_parser(int in, int out)
{
	/* -K: neither read nor write a cache: what is loaded is this text. */
	char *argv[] = { (char[]){ "apparmor_parser" }, (char[]){ "-r" }, (char[]){ "-K" }, NULL };
	char *envp[] = { (char[]){ "LC_ALL=C" }, NULL };
	posix_spawn_file_actions_t files;
	int status, err;
	pid_t pid;

	err = posix_spawn_file_actions_init(&files);
	if (err)
		return -err;
	err = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
	if (!err)
		err = posix_spawn_file_actions_adddup2(&files, out, STDERR_FILENO);
	if (!err)
		err = posix_spawnp(&pid, profile_parser(), &files, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&files);
	if (err)
		return -err;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int tell_missing(const struct policy *p, struct diags *ds)
{
	struct diag *d = diag_add(ds, DIAG_PL305, p->span,
				  "there is no apparmor_parser to load the "
				  "profile of '" PRISTR "'",
				  STRARG(p->name));

	diag_help(ds, d,
		  "install it (Debian: apparmor), or leave AppArmor out with "
		  "'--layers seccomp'");
	return -1;
}

int profile_load(struct arena *a, const struct policy *p, struct str text, struct diags *ds)
{
	int in = text_file(text), out = memfd_create("pale-parser", MFD_CLOEXEC);
	char *said = ARENA_ARRAY(a, char, 1024);
	int rc = in < 0 || out < 0 ? -errno : run_parser(in, out);
	ssize_t n = out < 0 ? 0 : pread(out, said, 1023, 0);

	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (!rc)
		return 0;
	if (rc == -ENOENT)
		return tell_missing(p, ds);
	while (n > 0 && said[n - 1] == '\n')
		said[--n] = '\0';
	struct diag *d = diag_add(ds, DIAG_PL305, p->span,
				  "the AppArmor profile of '" PRISTR "' cannot be loaded: %s",
				  STRARG(p->name), n > 0 ? said : strerror(rc < 0 ? -rc : EPERM));
	diag_help(ds, d,
		  "loading a profile takes CAP_MAC_ADMIN; '--layers seccomp' leaves "
		  "AppArmor out");
	return -1;
}
