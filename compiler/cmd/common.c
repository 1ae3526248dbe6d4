/* SPDX-License-Identifier: Apache-2.0 */
/* What every command needs: a session, its report, usage errors, whole-file output. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compiler/cmd/cmd.h"

static _Noreturn void tell_no_memory(int status)
{
	fputs("pale: out of memory\n", stderr);
	exit(status);
}

/* An arena's handler takes nothing, so there is one for each status to leave with. */
static void leave_without_memory(void)
{
	tell_no_memory(EXIT_SYSTEM);
}

static void leave_run_without_memory(void)
{
	tell_no_memory(EXIT_PALE);
}

static void open_with(struct session *s, int failure)
{
	const char *format = getenv("PALE_DIAG");

	s->failure = failure;
	s->arena = arena_new(failure == EXIT_PALE ? leave_run_without_memory : leave_without_memory);
	s->sources = sources_new(s->arena);
	s->diags = diags_new(s->arena, s->sources);
	s->diag_json = format && !strcmp(format, "json");
}

void session_open(struct session *s)
{
	open_with(s, EXIT_SYSTEM);
}

void session_open_run(struct session *s)
{
	open_with(s, EXIT_PALE);
}

void session_close(struct session *s)
{
	arena_free(s->arena);
	*s = (struct session){ 0 };
}

bool session_report(struct session *s)
{
	struct diags *ds = s->diags;
	bool colour = isatty(STDERR_FILENO) && !getenv("NO_COLOR");
	bool found = ds->errors > 0;
	size_t told[DIAG_NR] = { 0 }, untold = 0;
	BUF_AUTO out = { 0 };

	diags_sort(ds);
	vec_each (&ds->list, it) {
		const struct diag *d = *it;
		if (s->diag_json)
			diag_print_json(ds, d, &out);
		else if (told[d->id]++ < ds->cap) /* errors past the cap were not kept */
			diag_print_text(ds, d, colour, &out);
		else
			untold++;
	}
	if (untold)
		buf_printf(&out, "pale: %zu more notes are not shown (--diag=json shows all)\n", untold);
	if (ds->errors > ds->cap && !s->diag_json)
		buf_printf(&out, "pale: %zu more errors are not shown\n", ds->errors - ds->cap);
	fflush(stdout);
	if (out.n)
		fwrite(out.p, 1, out.n, stderr);
	if (out.failed)
		tell_no_memory(s->failure);
	ds->list.n = 0;
	ds->errors = 0;
	return found;
}

int usage_error(const struct command *c, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "pale %s: ", c->name);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nusage: pale %s %s\n", c->name, c->usage);
	return EXIT_USAGE;
}

/* ---- output ---- */

static int write_all(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		p += w;
		n -= (size_t)w;
	}
	return 0;
}

/* A file that was there keeps its mode and, where we may, its owner. */
static int set_mode(int fd, const struct stat *old, unsigned mode)
{
	mode_t mask;

	if (old) {
		if (fchown(fd, old->st_uid, old->st_gid) && errno != EPERM)
			return -errno;
		return fchmod(fd, old->st_mode & 0777) ? -errno : 0;
	}
	mask = umask(0);
	umask(mask);
	return fchmod(fd, (mode_t)mode & ~mask) ? -errno : 0;
}

static void sync_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int fd = dir ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	/* Some filesystems cannot; the rename itself has happened. */
	if (fd >= 0) {
		(void)!fsync(fd);
		close(fd);
	}
	free(dir);
}

static int replace_file(const char *path, const struct stat *old, const void *p, size_t n,
			unsigned mode)
{
	char *tmp = NULL;
	int fd, err;

	if (asprintf(&tmp, "%s.XXXXXX", path) < 0)
		return -ENOMEM;
	fd = mkostemp(tmp, O_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		free(tmp);
		return err;
	}
	err = write_all(fd, p, n);
	if (!err)
		err = set_mode(fd, old, mode);
	if (!err && fsync(fd))
		err = -errno;
	if (close(fd) && !err)
		err = -errno;
	if (!err && rename(tmp, path))
		err = -errno;
	if (err)
		unlink(tmp);
	else
		sync_directory(path);
	free(tmp);
	return err;
}

static int write_path(const char *path, const void *p, size_t n, unsigned mode)
{
	struct stat st;
	char *real;
	int fd, err;

	if (stat(path, &st))
		return errno == ENOENT ? replace_file(path, NULL, p, n, mode) : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode)) {
		/* Through a symbolic link: what it points at is replaced, not the link. */
		real = realpath(path, NULL);
		if (!real)
			return -errno;
		err = replace_file(real, &st, p, n, mode);
		free(real);
		return err;
	}
	fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY); /* /dev/null, a pipe: no rename there */
	if (fd < 0)
		return -errno;
	err = write_all(fd, p, n);
	return close(fd) && !err ? -errno : err;
}

int output_write(const char *path, const void *p, size_t n, unsigned mode)
{
	int err;

	if (!path || !strcmp(path, "-")) {
		path = "standard output";
		err = fflush(stdout) ? -errno : write_all(STDOUT_FILENO, p, n);
	} else {
		err = write_path(path, p, n, mode);
	}
	if (err)
		fprintf(stderr, "pale: cannot write '%s': %s\n", path, strerror(-err));
	return err;
}

/* The directory that a file at path is made in or replaced in. */
static int check_directory(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	int err = 0;

	if (!dir)
		return -ENOMEM;
	if (faccessat(AT_FDCWD, dir, W_OK | X_OK, AT_EACCESS))
		err = -errno;
	free(dir);
	return err;
}

static int check_path(const char *path)
{
	struct stat st;
	char *real;
	int err;

	if (stat(path, &st))
		return errno == ENOENT ? check_directory(path) : -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (!S_ISREG(st.st_mode))
		return faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) ? -errno : 0;
	real = realpath(path, NULL);
	err = real ? check_directory(real) : -errno;
	free(real);
	return err;
}

int output_check(const char *path)
{
	int err = !path || !strcmp(path, "-") ? 0 : check_path(path);

	if (err)
		fprintf(stderr, "pale: '%s' cannot be written: %s\n", path, strerror(-err));
	return err;
}
