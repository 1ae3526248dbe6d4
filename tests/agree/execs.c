/* SPDX-License-Identifier: Apache-2.0 */
/* Programs that do not come to run, where names are looked up otherwise than on the whole machine: the kernel asks for x. */
#include <sched.h>

#include "case.h"

/* It fails so. */
static int tried(const char *name, int error)
{
	execl(name, "tried", NULL);
	return errno != error;
}

static int into(const char *root)
{
	return chroot(root) || chdir("/");
}

static int below_a_root(void)
{
	return into("/d/dir") || tried("/bin/script", ENOENT);
}

static int below_a_root_by_a_relative_name(void)
{
	return into("/d/dir") || chdir("bin") || tried("script", ENOENT);
}

static int below_a_root_upwards(void)
{
	return into("/d/dir") || chdir("bin") || tried("../bin/script", ENOENT);
}

static int below_a_root_by_a_link(void)
{
	return into("/d/dir") || tried("/link/script", ENOENT);
}

static int below_a_root_by_a_link_from_inside(void)
{
	return into("/d/dir") || tried("link/script", ENOENT);
}

static int below_a_root_by_a_descriptor(void)
{
	char *argv[] = { (void *)"tried", NULL }, *env[] = { NULL };
	int fd;

	if (into("/d/dir"))
		return 1;
	fd = open("/bin", O_RDONLY);
	return syscall(SYS_execveat, fd, "script", argv, env, 0) != -1 || errno != ENOENT;
}

static int below_a_root_refused(void)
{
	return into("/d/dir") || tried("/bin/refused", EACCES);
}

/* As a shell looks for a program: of what is not there nothing is asked. */
static int nothing_below_a_root(void)
{
	return into("/d/dir") || tried("/sbin/script", ENOENT) || tried("/bin/none", ENOENT) ||
	       tried("/in/script", ENOTDIR) || tried("/in", EACCES);
}

static int root_setup(void)
{
	return mkdir("/d/dir/bin", 0755) || symlink("/bin", "/d/dir/link") ||
	       put("/d/dir/bin/script", "#!/no/interpreter\n") ||
	       put("/d/dir/bin/refused", "#!/in\n") || chmod("/d/dir/bin/script", 0755) ||
	       chmod("/d/dir/bin/refused", 0755);
}

static int below_a_root_that_goes(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(below_a_root());
	return waitpid(pid, &status, 0) != pid || status || rename("/d/dir", "/d/gone");
}

static int among_other_mounts(void)
{
	return unshare(CLONE_NEWNS) || tried("/d/script", ENOENT);
}

static int on_a_mount_of_its_own(void)
{
	return unshare(CLONE_NEWNS) || mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       put("/d/empty/script", "#!/d/no/interpreter\n") || chmod("/d/empty/script", 0755) ||
	       tried("/d/empty/script", ENOENT);
}

static int script_setup(void)
{
	return put("/d/script", "#!/d/no/interpreter\n") || chmod("/d/script", 0755);
}

static int removed_then(void)
{
	return tried("/d/script", ENOENT) || unlink("/d/script");
}

static int removed_with_its_directory(void)
{
	return mkdir("/d/new", 0755) || put("/d/new/script", "#!/d/no/interpreter\n") ||
	       chmod("/d/new/script", 0755) || tried("/d/new/script", ENOENT) ||
	       unlink("/d/new/script") || rmdir("/d/new");
}

static int renamed_then(void)
{
	return tried("/d/script", ENOENT) || rename("/d/script", "/d/renamed");
}

static int with_its_directory_renamed_then(void)
{
	return put("/d/a/script", "#!/d/no/interpreter\n") || chmod("/d/a/script", 0755) ||
	       tried("/d/a/script", ENOENT) || rename("/d/a", "/d/moved");
}

static const struct awkward cases[] = {
	SET_UP(below_a_root, root_setup),
	SET_UP(below_a_root_by_a_relative_name, root_setup),
	SET_UP(below_a_root_upwards, root_setup),
	SET_UP(below_a_root_by_a_link, root_setup),
	SET_UP(below_a_root_by_a_link_from_inside, root_setup),
	SET_UP(below_a_root_by_a_descriptor, root_setup),
	SET_UP(below_a_root_refused, root_setup),
	SET_UP(nothing_below_a_root, root_setup),
	SET_UP(below_a_root_that_goes, root_setup),
	SET_UP(among_other_mounts, script_setup),
	CASE(on_a_mount_of_its_own),
	SET_UP(removed_then, script_setup),
	CASE(removed_with_its_directory),
	SET_UP(renamed_then, script_setup),
	CASE(with_its_directory_renamed_then),
};

CASES_MAIN(cases)
