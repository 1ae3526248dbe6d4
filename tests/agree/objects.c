/* SPDX-License-Identifier: Apache-2.0 */
/* What is no file: sockets, mounts, queues, rings, and files that come by them. */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <linux/mount.h>
#include <linux/netlink.h>
#include <linux/openat2.h>
#include <mqueue.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "case.h"

/* ---- sockets of the net ---- */

static struct sockaddr_in at_port(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int bound(int type, int port)
{
	struct sockaddr_in a = at_port(port);
	int fd = socket(AF_INET, type, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	return bind(fd, (struct sockaddr *)&a, sizeof(a)) ? -1 : fd;
}

static int inet_served(void)
{
	struct sockaddr_in a = at_port(5001);
	int fd = bound(SOCK_STREAM, 5001), to = socket(AF_INET, SOCK_STREAM, 0), conn;
	char byte;

	if (fd < 0 || listen(fd, 1) || connect(to, (struct sockaddr *)&a, sizeof(a)))
		return 1;
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	return conn < 0 || send(to, "x", 1, 0) != 1 || recv(conn, &byte, 1, 0) != 1 ||
	       shutdown(to, SHUT_RDWR);
}

static int inet_datagram(void)
{
	struct sockaddr_in a = at_port(5002);
	int fd = bound(SOCK_DGRAM, 5002), to = socket(AF_INET, SOCK_DGRAM, 0);
	char byte;

	return sendto(to, "x", 1, 0, (struct sockaddr *)&a, sizeof(a)) != 1 ||
	       read(fd, &byte, 1) != 1;
}

static int inet_low_port(void)
{
	return bound(SOCK_STREAM, 80) < 0;
}

static int inet6_bound(void)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(5003) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0);

	if (fd < 0)
		return errno != EAFNOSUPPORT;
	return bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1);
}

static int inet_raw(void)
{
	return socket(AF_INET, SOCK_RAW, IPPROTO_ICMP) < 0;
}

static int inet_ping(void)
{
	socket(AF_INET, SOCK_DGRAM,
	       IPPROTO_ICMP); /* refused by ping_group_range: it is asked for */
	return 0;
}

static int packet(void)
{
	return socket(AF_PACKET, SOCK_RAW, 0) < 0 && errno != EAFNOSUPPORT;
}

static int netlink(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	return bind(fd, (struct sockaddr *)&a, sizeof(a));
}

static int interface_down(void)
{
	struct ifreq r = { .ifr_name = "lo" };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	return ioctl(fd, SIOCGIFFLAGS, &r) || ioctl(fd, SIOCSIFFLAGS, &r);
}

static int no_such_family(void)
{
	return socket(AF_APPLETALK, SOCK_DGRAM, 0) >= 0;
}

/* ---- unix sockets ---- */

static socklen_t named(struct sockaddr_un *a, const char *name, int abstract)
{
	memset(a, 0, sizeof(*a));
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + abstract, name);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1);
}

static int served(const char *name, int abstract)
{
	struct sockaddr_un a;
	socklen_t n = named(&a, name, abstract);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0);

	return bind(fd, (struct sockaddr *)&a, n) || listen(fd, 1) ||
	       connect(to, (struct sockaddr *)&a, n) || accept(fd, NULL, NULL) < 0;
}

static int datagram(const char *name, int abstract)
{
	struct sockaddr_un a;
	socklen_t n = named(&a, name, abstract);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), to = socket(AF_UNIX, SOCK_DGRAM, 0);
	char byte;

	return bind(fd, (struct sockaddr *)&a, n) ||
	       sendto(to, "x", 1, 0, (struct sockaddr *)&a, n) != 1 || read(fd, &byte, 1) != 1;
}

static int unix_abstract(void)
{
	return served("agree-1", 1);
}

static int unix_abstract_datagram(void)
{
	return datagram("agree-2", 1);
}

static int unix_path(void)
{
	return served("sock", 0) || unlink("sock");
}

static int unix_path_datagram(void)
{
	return datagram("dir/sock", 0) || chmod("dir/sock", 0600);
}

static int unix_path_sendmsg(void)
{
	struct sockaddr_un a;
	socklen_t n = named(&a, "sock", 0);
	struct iovec v = { (void *)"x", 1 };
	struct msghdr m = { .msg_name = &a, .msg_namelen = n, .msg_iov = &v, .msg_iovlen = 1 };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), to = socket(AF_UNIX, SOCK_DGRAM, 0);

	return bind(fd, (struct sockaddr *)&a, n) || sendmsg(to, &m, 0) != 1;
}

static int unix_autobound(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	return bind(socket(AF_UNIX, SOCK_DGRAM, 0), (struct sockaddr *)&a, sizeof(a.sun_family));
}

static int unix_pair(void)
{
	int p[2];

	return socketpair(AF_UNIX, SOCK_SEQPACKET, 0, p) || write(p[0], "x", 1) != 1;
}

static int unix_connect_through_link(void)
{
	struct sockaddr_un a;
	socklen_t n = named(&a, "dir/s", 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), to = socket(AF_UNIX, SOCK_STREAM, 0);

	if (bind(fd, (struct sockaddr *)&a, n) || listen(fd, 1) || symlink("dir/s", "at"))
		return 1;
	n = named(&a, "at", 0);
	return connect(to, (struct sockaddr *)&a, n);
}

static int send_descriptor(int sock, int fd)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr h;
	} u = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { (void *)"x", 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};

	memcpy(CMSG_DATA(&u.h), &fd, sizeof(fd));
	return sendmsg(sock, &m, 0) != 1;
}

static int descriptor_passed(void)
{
	char room[CMSG_SPACE(sizeof(int))], byte[8];
	struct iovec v = { byte, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)
	};
	int p[2], fd;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, p))
		return 1;
	pid = fork();
	if (!pid)
		_exit(send_descriptor(p[1], open("/d/other", O_RDWR)));
	if (recvmsg(p[0], &m, 0) != 1 || !CMSG_FIRSTHDR(&m) || waitpid(pid, NULL, 0) != pid)
		return 2;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
	return read(fd, byte, 1) != 1;
}

/* ---- mounts ---- */

static int mount_tmpfs(void)
{
	return mount("t", "/d/empty", "tmpfs", MS_NOSUID, "size=1m") || put("/d/empty/f", "x") ||
	       umount2("/d/empty", 0);
}

static int mount_bind(void)
{
	return mount("/d/dir", "/d/empty", NULL, MS_BIND, NULL) ||
	       open("/d/empty/in", O_RDWR) < 0 || umount2("/d/empty", MNT_DETACH);
}

static int mount_again_read_only(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       mount(NULL, "/d/empty", NULL, MS_REMOUNT | MS_RDONLY, NULL) ||
	       umount2("/d/empty", 0);
}

static int mount_made_private(void)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL);
}

static int mount_moved(void)
{
	return mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       mount("/d/empty", "/d/dir", NULL, MS_MOVE, NULL) || umount2("/d/dir", 0);
}

static int mount_proc(void)
{
	return mount("proc", "/d/empty", "proc", 0, NULL) ||
	       open("/d/empty/version", O_RDONLY) < 0 || umount2("/d/empty", MNT_DETACH);
}

static int mount_of_new_calls(void)
{
	int fs = (int)syscall(SYS_fsopen, "tmpfs", 0), m;

	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
		return 1;
	m = (int)syscall(SYS_fsmount, fs, 0, 0);
	return m < 0 ||
	       syscall(SYS_move_mount, m, "", AT_FDCWD, "/d/empty", MOVE_MOUNT_F_EMPTY_PATH) ||
	       umount2("/d/empty", MNT_DETACH);
}

static int mount_tree_cloned(void)
{
	int m = (int)syscall(SYS_open_tree, AT_FDCWD, "/d/dir", OPEN_TREE_CLONE);

	return m < 0 ||
	       syscall(SYS_move_mount, m, "", AT_FDCWD, "/d/empty", MOVE_MOUNT_F_EMPTY_PATH) ||
	       umount2("/d/empty", MNT_DETACH);
}

static int mount_root_changed(void)
{
	return unshare(CLONE_NEWNS) || mount("t", "/d/empty", "tmpfs", 0, NULL) ||
	       mkdir("/d/empty/old", 0700) ||
	       !syscall(SYS_pivot_root, "/d/empty", "/d/empty/old") ||
	       errno != EINVAL; /* an initramfs is no root that can be changed: it is asked for */
}

/* ---- queues, rings ---- */

static int queue_made(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };
	mqd_t q = mq_open("/agree", O_CREAT | O_RDWR, 0600, &attr);

	return q < 0 || mq_send(q, "x", 1, 0) || mq_unlink("/agree");
}

static int queue_read(void)
{
	return mq_open("/agree-old", O_RDONLY) < 0;
}

static int queue_read_setup(void)
{
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 8 };

	return mq_open("/agree-old", O_CREAT | O_RDWR, 0600, &attr) < 0;
}

static int queue_refused(void)
{
	return mq_open("/agree-none", O_RDWR) >= 0;
}

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq;
	struct io_uring_sqe *sqe;
	unsigned n;
};

static int ring_made(struct ring *r)
{
	size_t size;

	memset(r, 0, sizeof(*r));
	r->fd = (int)syscall(SYS_io_uring_setup, 8, &r->p);
	if (r->fd < 0)
		return 1;
	size = r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned);
	r->sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, 8 * sizeof(*r->sqe), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQES);
	return r->sq == MAP_FAILED || r->sqe == MAP_FAILED;
}

static int ring_do(struct ring *r, struct io_uring_sqe e)
{
	unsigned *tail = (unsigned *)(void *)(r->sq + r->p.sq_off.tail);
	unsigned *array = (unsigned *)(void *)(r->sq + r->p.sq_off.array);

	r->sqe[r->n & 7] = e;
	array[*tail & 7] = r->n++ & 7;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1;
}

#define ADDR(p) ((__u64)(uintptr_t)(p))

static int ring_open(void)
{
	struct ring r;

	return ring_made(&r) || ring_do(&r, (struct io_uring_sqe){ .opcode = IORING_OP_OPENAT,
								   .fd = AT_FDCWD,
								   .addr = ADDR("/d/other"),
								   .open_flags = O_RDWR });
}

static int ring_unlink(void)
{
	struct ring r;

	return ring_made(&r) ||
	       ring_do(&r, (struct io_uring_sqe){ .opcode = IORING_OP_UNLINKAT,
						  .fd = AT_FDCWD,
						  .addr = ADDR("/d/other") }) ||
	       access("/d/other", F_OK) == 0;
}

static int ring_mkdir(void)
{
	struct ring r;

	return ring_made(&r) ||
	       ring_do(&r, (struct io_uring_sqe){ .opcode = IORING_OP_MKDIRAT,
						  .fd = AT_FDCWD,
						  .addr = ADDR("/d/ring"),
						  .len = 0700 }) ||
	       access("/d/ring", F_OK);
}

static int ring_socket(void)
{
	struct ring r;

	return ring_made(&r) ||
	       ring_do(&r, (struct io_uring_sqe){
				   .opcode = IORING_OP_SOCKET, .fd = AF_INET, .off = SOCK_DGRAM });
}

static int ring_alone(void)
{
	struct ring r;

	return ring_made(&r);
}

static int ring_polled(void)
{
	struct io_uring_params p = { .flags = IORING_SETUP_SQPOLL };

	return syscall(SYS_io_uring_setup, 4, &p) < 0;
}

static const struct awkward cases[] = {
	CASE(inet_served),
	CASE(inet_datagram),
	CASE(inet_low_port),
	CASE(inet6_bound),
	CASE(inet_raw),
	CASE(inet_ping),
	CASE(packet),
	CASE(netlink),
	CASE(interface_down),
	CASE(no_such_family),
	CASE(unix_abstract),
	CASE(unix_abstract_datagram),
	CASE(unix_path),
	CASE(unix_path_datagram),
	CASE(unix_path_sendmsg),
	CASE(unix_autobound),
	CASE(unix_pair),
	CASE(unix_connect_through_link),
	CASE(descriptor_passed),
	CASE(mount_tmpfs),
	CASE(mount_bind),
	CASE(mount_again_read_only),
	CASE(mount_made_private),
	CASE(mount_moved),
	CASE(mount_proc),
	CASE(mount_of_new_calls),
	CASE(mount_tree_cloned),
	CASE(mount_root_changed),
	CASE(queue_made),
	SET_UP(queue_read, queue_read_setup),
	CASE(queue_refused),
	CASE(ring_open),
	CASE(ring_unlink),
	CASE(ring_mkdir),
	CASE(ring_socket),
	CASE(ring_alone),
	CASE(ring_polled),
};

CASES_MAIN(cases)
