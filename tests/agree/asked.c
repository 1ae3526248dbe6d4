/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that ask for a capability, of which few programs make any. */
#include <linux/fs.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/netlink.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/io.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <linux/capability.h>

#include "case.h"

static int ended(pid_t pid)
{
	int status = 0;

	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

/* ---- memory, faults, limits ---- */

static int faults_of_the_kernel(void)
{
	return syscall(SYS_userfaultfd, 0) < 0;
}

static int faults_of_the_user(void)
{
	return syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY) < 0;
}

static int memory_locked_when_shared(void)
{
	struct rlimit none = { 0, 0 };
	int id = shmget(IPC_PRIVATE, 4096, 0700);

	return setrlimit(RLIMIT_MEMLOCK, &none) || shmctl(id, SHM_LOCK, NULL) ||
	       shmctl(id, IPC_RMID, NULL);
}

static int memory_secret(void)
{
	return syscall(447, 0) < 0 && errno != ENOSYS;
}

static int limit_of_a_pipe(void)
{
	int p[2];

	return pipe(p) || fcntl(p[0], F_SETPIPE_SZ, 1 << 21) < 0;
}

static int limit_of_a_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 100, .mq_msgsize = 8 };
	mqd_t q = mq_open("/agree-many", O_CREAT | O_RDWR, 0600, &attr);

	return q < 0 || mq_unlink("/agree-many");
}

/* ---- what is shared ---- */

static int queue_of_another(void)
{
	int id = msgget(IPC_PRIVATE, 0);
	struct msqid_ds d;
	pid_t pid;

	if (id < 0 || msgctl(id, IPC_STAT, &d))
		return 1;
	d.msg_perm.uid = 1;
	d.msg_perm.mode = 0;
	if (msgctl(id, IPC_SET, &d))
		return 2;
	pid = fork();
	if (!pid) {
		struct {
			long type;
			char text[1];
		} m = { 1, { 'x' } };

		_exit(msgsnd(id, &m, 1, 0) != 0);
	}
	return ended(pid) || msgctl(id, IPC_RMID, NULL);
}

static int queue_made_larger(void)
{
	int id = msgget(IPC_PRIVATE, 0600);
	struct msqid_ds d;

	if (id < 0 || msgctl(id, IPC_STAT, &d))
		return 1;
	d.msg_qbytes *= 2;
	return msgctl(id, IPC_SET, &d) || msgctl(id, IPC_RMID, NULL);
}

static int memory_of_another(void)
{
	int id = shmget(IPC_PRIVATE, 4096, 0);
	struct shmid_ds d;

	if (id < 0 || shmctl(id, IPC_STAT, &d))
		return 1;
	d.shm_perm.uid = d.shm_perm.cuid = 1;
	return shmctl(id, IPC_SET, &d) || shmat(id, NULL, 0) == (void *)-1 ||
	       shmctl(id, IPC_RMID, NULL);
}

static int key_of_another(void)
{
	long key = syscall(SYS_add_key, "user", "agree", "x", 1, KEY_SPEC_PROCESS_KEYRING);

	if (key < 0)
		return errno != ENOSYS;
	return syscall(SYS_keyctl, KEYCTL_CHOWN, key, 1, 1) != 0;
}

/* ---- time and waiting ---- */

static int timer_that_wakes(void)
{
	return timerfd_create(CLOCK_BOOTTIME_ALARM, 0) < 0 && errno != EOPNOTSUPP;
}

static int timer_that_wakes_and_signals(void)
{
	timer_t t;

	return timer_create(CLOCK_REALTIME_ALARM, NULL, &t) && errno != EOPNOTSUPP;
}

static int event_that_wakes(void)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLWAKEUP };
	int p[2];

	return pipe(p) || epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, p[0], &e);
}

static int clock_adjusted(void)
{
	struct timex t = { .modes = ADJ_TICK, .tick = 10000 };

	return adjtimex(&t) < 0;
}

/* ---- files ---- */

static int attribute_of_a_program(void)
{
	static const uint32_t cap[5] = { 0x02000001, 1 << CAP_NET_RAW, 0, 0, 0 };

	return setxattr("/d/file", "security.capability", cap, sizeof(cap), 0) &&
	       errno != EOPNOTSUPP;
}

static int file_without_changes(void)
{
	long flags = 0;
	int fd = open("/d/empty/f", O_CREAT | O_RDWR, 0600);

	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return errno != ENOTTY && errno != EOPNOTSUPP;
	flags |= FS_IMMUTABLE_FL;
	if (ioctl(fd, FS_IOC_SETFLAGS, &flags))
		return errno != EOPNOTSUPP && errno != ENOTTY;
	flags &= ~FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int tmpfs_setup(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL);
}

static int times_of_another(void)
{
	struct timespec old[2] = { { 1, 0 }, { 1, 0 } };

	return utimensat(AT_FDCWD, "dir/in", old, 0);
}

static int others_setup(void)
{
	return chown("dir/in", 1, 1) || chown("dir", 1, 1) || chmod("dir", 01777);
}

static int sticky_unlink(void)
{
	return unlink("dir/in");
}

static int sticky_open(void)
{
	return open("dir/in", O_CREAT | O_RDWR, 0600) < 0;
}

static int lease_of_another(void)
{
	int fd = open("dir/in", O_RDONLY);

	return fd < 0 || fcntl(fd, F_SETLEASE, F_RDLCK);
}

static int access_time_of_another(void)
{
	return open("dir/in", O_RDONLY | O_NOATIME) < 0;
}

static int mode_of_another(void)
{
	return chmod("dir/in", 0644);
}

/* ---- processes ---- */

static int schedule_first(void)
{
	struct sched_param p = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO, &p);
}

static int schedule_io(void)
{
	return syscall(SYS_ioprio_set, 1, 0, 1 << 13) && errno != ENOSYS;
}

static int bits_of_security(void)
{
	return prctl(PR_SET_SECUREBITS, prctl(PR_GET_SECUREBITS) | 2);
}

static int flusher(void)
{
	return prctl(57 /* PR_SET_IO_FLUSHER */, 1, 0, 0, 0);
}

static int ambient(void)
{
	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_RAW, 0, 0) && errno != EPERM;
}

static int ports_of_the_machine(void)
{
	return iopl(3) || ioperm(0x80, 1, 1);
}

static int terminal_hung_up(void)
{
	return vhangup();
}

static int root_changed(void)
{
	return chroot("/");
}

static int domain_named(void)
{
	return setdomainname("x", 1);
}

static int reboot_by_keys(void)
{
	return syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL) != 0;
}

static int module_that_is_none(void)
{
	return !syscall(SYS_init_module, "x", 1, "") || errno == EPERM;
}

static int swap_that_is_none(void)
{
	return syscall(SYS_swapon, "/d/file", 0) != -1 || syscall(SYS_swapoff, "/d/file") != -1;
}

static int events_counted(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE, .size = sizeof(attr) };

	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, 0) < 0;
}

static int pid_chosen(void)
{
	int pid = 777;
	struct {
		uint64_t flags, pidfd, child, parent, signal, stack, size, tls, pids, n;
	} args = { .signal = SIGCHLD, .pids = (uint64_t)(uintptr_t)&pid, .n = 1 };
	pid_t got = (pid_t)syscall(435, &args, sizeof(args));

	if (!got)
		_exit(0);
	return got != pid || ended(got);
}

/* ---- sockets ---- */

static int set(int fd, int level, int name, int value)
{
	return fd < 0 || setsockopt(fd, level, name, &value, sizeof(value));
}

static int socket_marked(void)
{
	return set(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_MARK, 7);
}

static int socket_buffer(void)
{
	return set(socket(AF_UNIX, SOCK_DGRAM, 0), SOL_SOCKET, SO_RCVBUFFORCE, 1 << 20);
}

static int socket_priority(void)
{
	return set(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_PRIORITY, 7);
}

static int socket_device(void)
{
	return setsockopt(socket(AF_INET, SOCK_DGRAM, 0), SOL_SOCKET, SO_BINDTODEVICE, "lo", 3);
}

static int socket_transparent(void)
{
	return set(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_IP, 19 /* IP_TRANSPARENT */, 1);
}

static int socket_repaired(void)
{
	return set(socket(AF_INET, SOCK_STREAM, 0), IPPROTO_TCP, TCP_REPAIR, 1);
}

static int device_that_is_none(void)
{
	struct ifreq r = { .ifr_name = "none0" };

	return !ioctl(socket(AF_INET, SOCK_DGRAM, 0), SIOCGIFFLAGS, &r);
}

static int credentials_of_another(void)
{
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr h;
	} u = { .h = { .cmsg_len = CMSG_LEN(sizeof(struct ucred)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_CREDENTIALS } };
	struct ucred who = { .pid = 1, .uid = 1, .gid = 1 };
	struct iovec v = { (void *)"x", 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	int p[2];

	memcpy(CMSG_DATA(&u.h), &who, sizeof(who));
	return socketpair(AF_UNIX, SOCK_DGRAM, 0, p) || sendmsg(p[0], &m, 0) != 1;
}

static int route_asked_to_change(void)
{
	struct {
		struct nlmsghdr h;
		char rest[64];
	} m = { .h = { .nlmsg_len = 32,
		       .nlmsg_type = 16 /* RTM_NEWLINK */,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK } };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);

	return send(fd, &m, 32, 0) != 32;
}

static int audit_told(void)
{
	struct {
		struct nlmsghdr h;
		char text[16];
	} m = { .h = { .nlmsg_len = 32, .nlmsg_type = 1112, .nlmsg_flags = NLM_F_REQUEST },
		"hello" };
	int fd = socket(AF_NETLINK, SOCK_RAW, 9 /* NETLINK_AUDIT */);

	return fd >= 0 && send(fd, &m, 32, 0) < 0 && errno != ECONNREFUSED;
}

static int in_a_thread(void *(*what)(void *))
{
	pthread_t t;
	void *bad;

	return pthread_create(&t, NULL, what, NULL) || pthread_join(t, &bad) || bad;
}

static void *names_the_host(void *unused)
{
	return sethostname("thread", 6) ? (void *)1 : unused;
}

static int host_named_by_a_thread(void)
{
	return in_a_thread(names_the_host);
}

static long int80(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "a"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

/* setgid and setuid of 16 bits, setgroups, nice, sethostname */
static int int80_powers(void)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT,
		       -1, 0);

	strcpy(p, "x80");
	return (int)int80(74, (long)p, 3, 0) || (int)int80(34, -3, 0, 0) < 0 ||
	       (int)int80(81, 0, 0, 0) || (int)int80(46, 1, 0, 0) || (int)int80(23, 1, 0, 0);
}

static const struct awkward cases[] = {
	CASE(faults_of_the_kernel),
	CASE(faults_of_the_user),
	CASE(memory_locked_when_shared),
	CASE(memory_secret),
	CASE(limit_of_a_pipe),
	CASE(limit_of_a_queue),
	CASE(queue_of_another),
	CASE(queue_made_larger),
	CASE(memory_of_another),
	CASE(key_of_another),
	CASE(timer_that_wakes),
	CASE(timer_that_wakes_and_signals),
	CASE(event_that_wakes),
	CASE(clock_adjusted),
	CASE(attribute_of_a_program),
	SET_UP(file_without_changes, tmpfs_setup),
	SET_UP(times_of_another, others_setup),
	SET_UP(sticky_unlink, others_setup),
	SET_UP(sticky_open, others_setup),
	SET_UP(lease_of_another, others_setup),
	SET_UP(access_time_of_another, others_setup),
	SET_UP(mode_of_another, others_setup),
	CASE(schedule_first),
	CASE(schedule_io),
	CASE(bits_of_security),
	CASE(flusher),
	CASE(ambient),
	CASE(ports_of_the_machine),
	CASE(terminal_hung_up),
	CASE(root_changed),
	CASE(domain_named),
	CASE(reboot_by_keys),
	CASE(module_that_is_none),
	CASE(swap_that_is_none),
	CASE(events_counted),
	CASE(pid_chosen),
	CASE(socket_marked),
	CASE(socket_buffer),
	CASE(socket_priority),
	CASE(socket_device),
	CASE(socket_transparent),
	CASE(socket_repaired),
	CASE(device_that_is_none),
	CASE(credentials_of_another),
	CASE(route_asked_to_change),
	CASE(audit_told),
	CASE(host_named_by_a_thread),
	CASE(int80_powers),
};

CASES_MAIN(cases)
