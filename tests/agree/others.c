/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of other processes, of the machine's keepers, and by calls that fail behind a question of another kind. */
#include <elf.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/kcmp.h>
#include <linux/mempolicy.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/fanotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "case.h"
#include "child.h"

#define ADDR(p) ((uint64_t)(uintptr_t)(p))

static int failed(long result, int error)
{
	return result != -1 || errno != error;
}

/* A child of another user. */
static pid_t stranger(void)
{
	char c;
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (!pid) {
		if (setresgid(1, 1, 1) || setresuid(1, 1, 1) || prctl(PR_SET_PDEATHSIG, SIGKILL) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	return read(ready[0], &c, 1) == 1 ? pid : -1;
}

/* ---- other processes, behind the question ---- */

static int advised_where_nothing_is(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);
	struct iovec v = { (void *)4096, 4096 };

	return failed(syscall(SYS_process_madvise, fd, &v, 1, MADV_COLD, 0), ENOMEM) ||
	       put_down(pid);
}

static int space_that_it_is_in(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return failed(setns(fd, CLONE_NEWUSER), EINVAL) || put_down(pid);
}

static int space_of_no_kind(void)
{
	pid_t pid = sleeper();
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return failed(setns(fd, CLONE_VM), EINVAL) || put_down(pid);
}

static int compared_by_no_descriptor(void)
{
	pid_t pid = sleeper();

	return failed(syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, 999, 999), EBADF) ||
	       put_down(pid);
}

static int descriptor_of_no_process(void)
{
	return failed(syscall(SYS_pidfd_getfd, open("/d/file", O_RDONLY), 0, 0), EBADF);
}

static int signals_that_have_no_room(void)
{
	struct rlimit none = { 0, 0 };
	union sigval v = { 0 };
	pid_t pid;

	if (setrlimit(RLIMIT_SIGPENDING, &none)) /* the child's, which has it too */
		return 1;
	pid = sleeper();
	return failed(sigqueue(pid, SIGRTMIN, v), EAGAIN) || put_down(pid);
}

static int pages_migrated(void)
{
	unsigned long nodes = 1;
	pid_t pid = sleeper();

	return syscall(SYS_migrate_pages, pid, 8 * sizeof(nodes), &nodes, &nodes) < 0 ||
	       put_down(pid);
}

static int stranger_scheduled(void)
{
	struct sched_param p = { 0 };
	pid_t pid = stranger();
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	return sched_setscheduler(pid, SCHED_BATCH, &p) ||
	       sched_setaffinity(pid, sizeof(all), &all) ||
	       setpriority(PRIO_PROCESS, (id_t)pid, 5) ||
	       syscall(SYS_ioprio_set, 1, pid, 2 << 13 | 7) || put_down(pid);
}

static int stranger_limited(void)
{
	struct rlimit some;
	pid_t pid = stranger();

	return prlimit(pid, RLIMIT_NOFILE, NULL, &some) ||
	       prlimit(pid, RLIMIT_NOFILE, &some, NULL) || put_down(pid);
}

static int stranger_looked_at(void)
{
	char here[8];
	struct iovec a = { here, 8 };
	struct iovec b = { (void *)here, 8 };
	pid_t pid = stranger();

	return syscall(SYS_process_vm_readv, pid, &a, 1, &b, 1, 0) != 8 || put_down(pid);
}

/* ---- files and programs, behind the question ---- */

static int bound_where_is_no_room(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "empty/s" };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	while (!bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		if (++a.sun_path[6] > 'z')
			return 1;
		fd = socket(AF_UNIX, SOCK_STREAM, 0);
	}
	return errno != ENOSPC;
}

static int no_room_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, "nr_inodes=2");
}

static int script_behind_a_closed_door(void)
{
	char *argv[] = { (void *)"script", NULL }, *env[] = { NULL };
	int fd = open("/d/script", O_RDONLY | O_CLOEXEC);

	return failed(syscall(SYS_execveat, fd, "", argv, env, AT_EMPTY_PATH), ENOENT);
}

static int script_setup(void)
{
	return put("/d/script", "#!/programs/others\n") || chmod("/d/script", 0755);
}

static int script_with_no_program(void)
{
	return failed(execl("/d/script", "script", NULL), EACCES);
}

static int no_program_setup(void)
{
	return put("/d/script", "#!/d/file\n") || chmod("/d/script", 0755);
}

static int program_without_loader(void)
{
	return failed(execl("/d/elf", "elf", NULL), ENOENT);
}

static int loader_setup(void)
{
	struct {
		Elf64_Ehdr e;
		Elf64_Phdr p;
		char name[16];
	} all = { .e = { .e_ident = ELFMAG,
			 .e_type = ET_EXEC,
			 .e_machine = EM_X86_64,
			 .e_version = EV_CURRENT,
			 .e_phoff = sizeof(Elf64_Ehdr),
			 .e_ehsize = sizeof(Elf64_Ehdr),
			 .e_phentsize = sizeof(Elf64_Phdr),
			 .e_phnum = 1 },
		  .p = { .p_type = PT_INTERP,
			 .p_offset = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr),
			 .p_filesz = 10,
			 .p_memsz = 10 },
		  .name = "/d/nolink" };
	int fd = open("/d/elf", O_WRONLY | O_CREAT | O_TRUNC, 0755);

	all.e.e_ident[EI_CLASS] = ELFCLASS64;
	all.e.e_ident[EI_DATA] = ELFDATA2LSB;
	all.e.e_ident[EI_VERSION] = EV_CURRENT;
	return fd < 0 || write(fd, &all, sizeof(all)) != sizeof(all) || close(fd);
}

static int opened_past_the_cache(void)
{
	return open("empty/f", O_RDWR | O_DIRECT) < 0 && errno != EINVAL;
}

static int tmpfs_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) || put("/d/empty/f", "x");
}

static int opened_while_leased(void)
{
	char c;
	int ready[2];
	pid_t pid;

	if (pipe(ready))
		return 1;
	pid = fork();
	if (!pid) {
		signal(SIGIO, SIG_IGN);
		if (fcntl(open("/d/other", O_RDONLY), F_SETLEASE, F_RDLCK) ||
		    write(ready[1], "x", 1) != 1)
			_exit(1);
		pause();
	}
	return read(ready[0], &c, 1) != 1 ||
	       failed(open("/d/other", O_WRONLY | O_NONBLOCK), EWOULDBLOCK) || put_down(pid);
}

/* ---- mounts ---- */

static int bind_made_read_only(void)
{
	return mount("/d/dir", "/d/empty", NULL, MS_BIND, NULL) ||
	       mount(NULL, "/d/empty", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID, NULL) ||
	       failed(open("/d/empty/new", O_CREAT | O_RDWR, 0600), EROFS);
}

/* What the recorder looks at does not expire. */
static int let_go_in_every_way(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) || umount2("/d/empty", MNT_DETACH) ||
	       mount("t", "/d/empty", "tmpfs", 0, NULL) || umount2("/d/empty", MNT_FORCE) ||
	       mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       failed(umount2("/d/empty", MNT_EXPIRE), EAGAIN) || umount2("empty", UMOUNT_NOFOLLOW);
}

static int root_that_cannot_change(void)
{
	return !syscall(SYS_pivot_root, ".", ".");
}

static int tree_moved_by_descriptors(void)
{
	int fd, to;

	if (mount("t", "/d/empty", "tmpfs", 0, NULL))
		return 1;
	fd = (int)syscall(428 /* open_tree */, AT_FDCWD, "/d/empty", 0);
	to = open("/d/dir", O_PATH);
	return fd < 0 || to < 0 || syscall(429, fd, "", to, "", 4 | 0x40) != 0;
}

static int settings_that_are_none(void)
{
	int fd = (int)syscall(430 /* fsopen */, "tmpfs", 0);

	return fd < 0 || !syscall(431 /* fsconfig */, fd, 1, "nonsense", "1", 0) ||
	       syscall(431, fd, 6 /* CMD_CREATE */, NULL, NULL, 0) ||
	       syscall(432 /* fsmount */, fd, 0, 0) < 0;
}

static int attributes_of_all_below(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NODEV, .propagation = MS_PRIVATE };

	return mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       syscall(SYS_mount_setattr, AT_FDCWD, "/d/empty", AT_RECURSIVE, &attr,
		       sizeof(attr)) ||
	       !syscall(SYS_mount_setattr, AT_FDCWD, "/d/dir", 0, &attr, sizeof(attr));
}

/* Without any rights: who may make a space for itself has all in it. */
static int space_of_a_user_without_rights(void)
{
	return setresgid(1, 1, 1) || setresuid(1, 1, 1) || unshare(CLONE_NEWUSER) ||
	       unshare(CLONE_NEWUTS) || sethostname("x", 1);
}

/* ---- the machine's keepers ---- */

static int programs_and_maps(void)
{
	struct bpf_insn nothing[] = { { .code = 0xb7 }, { .code = 0x95 } };
	union bpf_attr map = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8, .max_entries = 1
	};
	union bpf_attr prog = { .prog_type = BPF_PROG_TYPE_KPROBE,
				.insn_cnt = 2,
				.insns = ADDR(nothing),
				.license = ADDR("GPL") };
	union bpf_attr next = { .start_id = 0 };

	return syscall(SYS_bpf, BPF_MAP_CREATE, &map, sizeof(map)) < 0 ||
	       syscall(SYS_bpf, BPF_PROG_LOAD, &prog, sizeof(prog)) < 0 ||
	       syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &next, sizeof(next)) ||
	       syscall(SYS_bpf, BPF_PROG_GET_FD_BY_ID, &(union bpf_attr){ .prog_id = next.next_id },
		       sizeof(next)) < 0;
}

static int machine_that_goes_on(void)
{
	return failed(syscall(SYS_reboot, 1, 2, 3, NULL), EINVAL) ||
	       !syscall(SYS_kexec_load, 0, 99, NULL, 0) || !syscall(SYS_delete_module, "nosuch", 0);
}

static int events_of_all(void)
{
	return fanotify_init(FAN_CLASS_PRE_CONTENT | FAN_UNLIMITED_QUEUE, O_RDONLY) < 0 ||
	       fanotify_init(FAN_CLASS_NOTIF | FAN_REPORT_FID, O_RDONLY) < 0;
}

static int semaphores_of_another(void)
{
	int id = semget(IPC_PRIVATE, 1, 0);
	struct semid_ds d = { .sem_perm = { .uid = 1, .gid = 1, .mode = 0 } };
	struct sembuf up = { 0, 1, 0 };

	return id < 0 || semctl(id, 0, IPC_SET, &d) || semop(id, &up, 1) || semctl(id, 0, IPC_RMID);
}

static int memory_moved_for_all(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long nodes = 1;

	*p = 1;
	return syscall(SYS_mbind, p, 4096, MPOL_BIND, &nodes, 64, MPOL_MF_MOVE_ALL) != 0 &&
	       errno != ENOSYS;
}

static int file_system_held(void)
{
	int block = 0, fd = open("/d/file", O_RDONLY);

	(void)ioctl(fd, FIBMAP, &block);
	return !ioctl(fd, FIFREEZE, 0) || !ioctl(fd, FITRIM, NULL);
}

static int filter_without_a_promise(void)
{
	struct sock_filter pass = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog prog = { 1, &pass };

	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static const struct awkward cases[] = {
	CASE(advised_where_nothing_is),
	CASE(space_that_it_is_in),
	CASE(space_of_no_kind),
	CASE(compared_by_no_descriptor),
	CASE(descriptor_of_no_process),
	CASE(signals_that_have_no_room),
	CASE(pages_migrated),
	CASE(stranger_scheduled),
	CASE(stranger_limited),
	CASE(stranger_looked_at),
	SET_UP(bound_where_is_no_room, no_room_setup),
	SET_UP(script_behind_a_closed_door, script_setup),
	SET_UP(script_with_no_program, no_program_setup),
	SET_UP(program_without_loader, loader_setup),
	SET_UP(opened_past_the_cache, tmpfs_setup),
	CASE(opened_while_leased),
	CASE(bind_made_read_only),
	CASE(let_go_in_every_way),
	CASE(root_that_cannot_change),
	CASE(tree_moved_by_descriptors),
	CASE(settings_that_are_none),
	CASE(attributes_of_all_below),
	CASE(space_of_a_user_without_rights),
	CASE(programs_and_maps),
	CASE(machine_that_goes_on),
	CASE(events_of_all),
	CASE(semaphores_of_another),
	CASE(memory_moved_for_all),
	CASE(file_system_held),
	CASE(filter_without_a_promise),
};

CASES_MAIN(cases)
