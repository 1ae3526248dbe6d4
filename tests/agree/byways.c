/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to files and processes that few programs go: files that no open opened, names that no call gave. */
#include <linux/acct.h>
#include <linux/bpf.h>
#include <linux/fs.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/fsuid.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "case.h"
#include "child.h"

/* ---- files that the kernel opens ---- */

static int event_opens(void)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF, O_RDONLY), fd;
	struct fanotify_event_metadata e;

	if (fan < 0 || fanotify_mark(fan, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "/d/a/f"))
		return 1;
	fd = open("/d/a/f", O_WRONLY);
	return fd < 0 || read(fan, &e, sizeof(e)) != sizeof(e) || e.fd < 0;
}

static int event_opens_written(void)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF, O_RDWR), fd;
	struct fanotify_event_metadata e;

	if (fan < 0 || fanotify_mark(fan, FAN_MARK_ADD | FAN_MARK_MOUNT, FAN_MODIFY, AT_FDCWD, "/"))
		return 1;
	fd = open("/d/b/f", O_WRONLY);
	return fd < 0 || write(fd, "x", 1) != 1 || read(fan, &e, sizeof(e)) != sizeof(e) ||
	       e.fd < 0;
}

static int event_by_name(void)
{
	int fan = fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_DFID_NAME, 0);
	char e[512];

	if (fan < 0 ||
	    fanotify_mark(fan, FAN_MARK_ADD, FAN_CREATE | FAN_EVENT_ON_CHILD, AT_FDCWD, "/d/dir"))
		return 1;
	return put("dir/new", "x") || read(fan, e, sizeof(e)) <= 0;
}

static int core_written(void)
{
	struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int status = 0;
	pid_t pid;

	if (setrlimit(RLIMIT_CORE, &all) || chdir("dir"))
		return 1;
	pid = fork();
	if (!pid)
		abort();
	return waitpid(pid, &status, 0) != pid || !WCOREDUMP(status);
}

static int core_setup(void)
{
	return put("/proc/sys/kernel/core_pattern", "core") ||
	       put("/proc/sys/kernel/core_uses_pid", "0");
}

static int accounting(void)
{
	return acct("/d/account") || acct(NULL);
}

static int accounting_setup(void)
{
	return put("/d/account", "");
}

static int map_pinned(void)
{
	union bpf_attr attr;
	long fd;

	memset(&attr, 0, sizeof(attr));
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = attr.value_size = 4;
	attr.max_entries = 1;
	fd = syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr));
	memset(&attr, 0, sizeof(attr));
	attr.pathname = (uint64_t)(uintptr_t) "/d/empty/pin";
	attr.bpf_fd = (uint32_t)fd;
	return fd < 0 || syscall(SYS_bpf, BPF_OBJ_PIN, &attr, sizeof(attr)) ||
	       unlink("/d/empty/pin");
}

static int map_setup(void)
{
	return mount("bpf", "/d/empty", "bpf", 0, NULL);
}

/* ---- names ---- */

static int resolved_without_links(void)
{
	struct open_how how = { .flags = O_RDWR,
				.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS };
	long fd = syscall(SYS_openat2, AT_FDCWD, "current/f", &how, sizeof(how));

	return fd >= 0 || errno != ELOOP ||
	       syscall(SYS_openat2, AT_FDCWD, "a/../a/f", &how, sizeof(how)) < 0;
}

static int exchanged_by_descriptors(void)
{
	int from = open("current", O_PATH), to = open("b", O_RDONLY | O_DIRECTORY);

	return syscall(SYS_renameat2, from, "f", to, "f", RENAME_EXCHANGE) || chmod("a/f", 0600);
}

static int renamed_with_whiteout(void)
{
	return syscall(SYS_renameat2, AT_FDCWD, "other", AT_FDCWD, "moved", RENAME_WHITEOUT) ||
	       unlink("other");
}

static int directory_by_handle(void)
{
	char room[sizeof(struct file_handle) + MAX_HANDLE_SZ];
	struct file_handle *h = (void *)room;
	int mount_id, at = open("/d", O_RDONLY | O_DIRECTORY), dir;

	h->handle_bytes = MAX_HANDLE_SZ;
	if (name_to_handle_at(AT_FDCWD, "dir", h, &mount_id, 0))
		return errno != EOPNOTSUPP; /* of the root file system's first form */
	dir = open_by_handle_at(at, h, O_PATH | O_DIRECTORY);
	return dir < 0 || openat(dir, "in", O_RDWR) < 0 || mkdirat(dir, "by-handle", 0700);
}

static int mode_by_newest_call(void)
{
	if (!syscall(452 /* fchmodat2 */, AT_FDCWD, "current/f", 0600, 0))
		return 0;
	return errno != ENOSYS || chmod("current/f", 0600);
}

static int attribute_by_newest_call(void)
{
	struct {
		uint64_t value;
		uint32_t size, flags;
	} args = { (uint64_t)(uintptr_t) "1", 1, 0 };

	/* setxattrat; a file system may have none of that kind */
	return syscall(463, AT_FDCWD, "file", 0, "trusted.y", &args, sizeof(args)) &&
	       errno != ENOSYS && errno != EOPNOTSUPP;
}

static int through_own_cwd(void)
{
	return open("/proc/self/cwd/a/f", O_WRONLY | O_TRUNC) < 0 ||
	       rename("/proc/self/cwd/b/f", "/proc/self/root/d/b/g");
}

static int nameless_linked_by_proc(void)
{
	int fd = open("/d/dir", O_TMPFILE | O_WRONLY, 0600);
	char name[64];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return fd < 0 || linkat(AT_FDCWD, name, AT_FDCWD, "/d/named", AT_SYMLINK_FOLLOW) ||
	       rename("/d/named", "/d/renamed");
}

static int removed_while_watched(void)
{
	int in = inotify_init1(IN_NONBLOCK);
	char e[256];

	return inotify_add_watch(in, "empty", IN_DELETE_SELF) < 0 || rmdir("empty") ||
	       read(in, e, sizeof(e)) <= 0 || mkdir("empty", 0700) ||
	       inotify_add_watch(in, "empty", IN_CREATE) < 0;
}

/* ---- threads that part with what others have together ---- */

static void *in_another_directory(void *unused)
{
	if (unshare(CLONE_FS) || chdir("/d/a") || mkdir("of-thread", 0700))
		return NULL;
	return unused ? unused : (void *)1;
}

static int thread_with_directory(void)
{
	pthread_t t;
	void *ok;

	return pthread_create(&t, NULL, in_another_directory, NULL) || pthread_join(t, &ok) ||
	       !ok || mkdir("of-process", 0700);
}

static void *with_other_descriptors(void *unused)
{
	int fd;

	if (unshare(CLONE_FILES) || close(9))
		return NULL;
	fd = open("/d/b/f", O_RDWR);
	if (fd < 0 || dup2(fd, 9) != 9 || fchmod(9, 0600))
		return NULL;
	return unused ? unused : (void *)1;
}

static int thread_with_descriptors(void)
{
	pthread_t t;
	void *ok;

	return dup2(open("/d/a/f", O_RDONLY), 9) != 9 ||
	       pthread_create(&t, NULL, with_other_descriptors, NULL) || pthread_join(t, &ok) ||
	       !ok || fchmod(9, 0640);
}

static void *as_another_user(void *unused)
{
	syscall(SYS_setfsuid, 65534);
	return open("/d/dir/in", O_RDONLY) < 0 ? NULL : unused ? unused : (void *)1;
}

static int thread_of_another_user(void)
{
	pthread_t t;
	void *ok;

	return pthread_create(&t, NULL, as_another_user, NULL) || pthread_join(t, &ok) || !ok ||
	       open("/d/dir/in", O_RDWR) < 0;
}

/* ---- processes, memory, sockets ---- */

static int space_of_process_entered(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 || setns(fd, CLONE_NEWUTS | CLONE_NEWIPC) || put_down(pid);
}

static int process_counted(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_SW_TASK_CLOCK };
	pid_t pid = sleeper();
	long fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, 0);

	return fd < 0 || put_down(pid);
}

static int process_advised(void)
{
	static char page[8192];
	struct iovec v = { (void *)(((uintptr_t)page + 4095) & ~(uintptr_t)4095), 4096 };
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return syscall(SYS_process_madvise, fd, &v, 1, MADV_COLD, 0) != 4096 || put_down(pid);
}

static int memory_sealed(void)
{
	int fd = memfd_create("m", MFD_ALLOW_SEALING);
	void *p;

	if (fd < 0 || ftruncate(fd, 4096) || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW))
		return 1;
	p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, open("/d/file", O_RDONLY), 0);
	/* mseal */
	return p == MAP_FAILED || (syscall(462, p, 4096, 0) && errno != ENOSYS);
}

static int pages_given_to_a_file(void)
{
	struct iovec v = { (void *)"page", 4 };
	int p[2], fd = open("/d/other", O_WRONLY);

	return pipe(p) || vmsplice(p[1], &v, 1, 0) != 4 ||
	       splice(p[0], NULL, fd, NULL, 4, SPLICE_F_MOVE) != 4;
}

static int seqpacket_abstract(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "\0agree-seq" };
	socklen_t n = offsetof(struct sockaddr_un, sun_path) + 10;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0), to = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	return bind(fd, (struct sockaddr *)&a, n) || listen(fd, 1) ||
	       connect(to, (struct sockaddr *)&a, n) || send(to, "x", 1, MSG_EOR) != 1;
}

static int sent_many_at_once(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "many" },
			   b = { .sun_family = AF_UNIX, .sun_path = "more" };
	struct iovec v = { (void *)"x", 1 };
	struct mmsghdr m[2] = {
		{ .msg_hdr = { .msg_name = &a,
			       .msg_namelen = sizeof(a),
			       .msg_iov = &v,
			       .msg_iovlen = 1 } },
		{ .msg_hdr = { .msg_name = &b,
			       .msg_namelen = sizeof(b),
			       .msg_iov = &v,
			       .msg_iovlen = 1 } },
	};
	int one = socket(AF_UNIX, SOCK_DGRAM, 0), two = socket(AF_UNIX, SOCK_DGRAM, 0);

	return bind(one, (struct sockaddr *)&a, sizeof(a)) ||
	       bind(two, (struct sockaddr *)&b, sizeof(b)) ||
	       sendmmsg(socket(AF_UNIX, SOCK_DGRAM, 0), m, 2, 0) != 2;
}

/* ---- mounts ---- */

static int mounts_of_a_user(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) || put("/proc/self/uid_map", "0 0 1") ||
	       put("/proc/self/setgroups", "deny") || put("/proc/self/gid_map", "0 0 1") ||
	       mount("t", "/d/empty", "tmpfs", 0, NULL) || mkdir("/d/empty/x", 0700) ||
	       mount("/d/empty/x", "/d/dir", NULL, MS_BIND, NULL) || put("/d/dir/f", "x");
}

/* Nobody is mapped, so that nothing can be made. */
static int mounts_of_nobody(void)
{
	return unshare(CLONE_NEWUSER | CLONE_NEWNS) || mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       !mkdir("/d/empty/x", 0700) || errno != EOVERFLOW;
}

static int mounts_listed(void)
{
	struct {
		uint32_t size, fd;
		uint64_t mnt_id, param;
	} all = { .size = 24, .mnt_id = UINT64_MAX };
	uint64_t ids[8];

	/* listmount */
	return syscall(458, &all, ids, 8, 0) < 0 && errno != ENOSYS;
}

static int mount_attributes_set(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOEXEC };

	return mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       syscall(SYS_mount_setattr, AT_FDCWD, "/d/empty", 0, &attr, sizeof(attr)) ||
	       umount2("/d/empty", 0);
}

static const struct awkward cases[] = {
	CASE(event_opens),
	CASE(event_opens_written),
	CASE(event_by_name),
	SET_UP(core_written, core_setup),
	SET_UP(accounting, accounting_setup),
	SET_UP(map_pinned, map_setup),
	CASE(resolved_without_links),
	CASE(exchanged_by_descriptors),
	CASE(renamed_with_whiteout),
	CASE(directory_by_handle),
	CASE(mode_by_newest_call),
	CASE(attribute_by_newest_call),
	CASE(through_own_cwd),
	CASE(nameless_linked_by_proc),
	CASE(removed_while_watched),
	CASE(thread_with_directory),
	CASE(thread_with_descriptors),
	CASE(thread_of_another_user),
	CASE(space_of_process_entered),
	CASE(process_counted),
	CASE(process_advised),
	CASE(memory_sealed),
	CASE(pages_given_to_a_file),
	CASE(seqpacket_abstract),
	CASE(sent_many_at_once),
	CASE(mounts_of_a_user),
	CASE(mounts_of_nobody),
	CASE(mounts_listed),
	CASE(mount_attributes_set),
};

CASES_MAIN(cases)
