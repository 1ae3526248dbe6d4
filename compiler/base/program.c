/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program of a command line, along PATH as execvp() does it, but before anything is given
 * up and without execvp's fallback to a shell.
 */
#include "compiler/base/program.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CANNOT_EXECUTE = 126, NOT_FOUND = 127 };

/* 0, or errno: why the kernel would not run it. */
static int check_executable(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno;
	if (S_ISDIR(st.st_mode))
		return EISDIR;
	if (faccessat(AT_FDCWD, path, X_OK, AT_EACCESS))
		return errno;
	return 0;
}

static bool is_absent(int err)
{
	return err == ENOENT || err == ENOTDIR || err == ENAMETOOLONG;
}

static int search_path(struct arena *a, const char *name, const char **path)
{
	const char *dir = getenv("PATH");
	int seen = ENOENT;

	for (dir = dir ? dir : "/usr/bin:/bin"; dir;) {
		const char *end = strchrnul(dir, ':');
		const char *file =
			end == dir ? name : arena_printf(a, "%.*s/%s", (int)(end - dir), dir, name);
		int err = check_executable(file);

		if (!err) {
			*path = file;
			return 0;
		}
		if (!is_absent(err) && is_absent(seen))
			seen = err; /* one that is there but cannot be run says more */
		dir = *end ? end + 1 : NULL;
	}
	return seen;
}

int program_find(struct arena *a, const char *name, const char **path, struct diags *ds)
{
	int err;

	if (!*name) {
		err = ENOENT;
	} else if (strchr(name, '/')) {
		*path = name;
		err = check_executable(name);
	} else {
		err = search_path(a, name, path);
	}
	if (!err)
		return 0;
	if (is_absent(err)) {
		struct diag *d =
			diag_add(ds, DIAG_PL301, NO_SPAN, "there is no program '%s'", name);

		diag_help(ds, d,
			  strchr(name, '/') ? "give the path of a file that exists" :
					      "it is in no directory of PATH; give its path");
		return NOT_FOUND;
	}
	struct diag *d = diag_add(ds, DIAG_PL302, NO_SPAN, "'%s' cannot be executed: %s", name,
				  strerror(err));
	diag_help(ds, d, "a program file with its x permission is wanted");
	return CANNOT_EXECUTE;
}
