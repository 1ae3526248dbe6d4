/* SPDX-License-Identifier: Apache-2.0 */
/* What a ring of io_uring does by itself: by the task, by the thread that polls for it, by workers. */
#include <arpa/inet.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "case.h"
#include "child.h"

#define ADDR(p) ((__u64)(uintptr_t)(p))
#define ENTRIES 8
#define OP_BIND 56 /* IORING_OP_BIND, LISTEN behind it: newer than the headers of Debian 12 */

struct ring {
	int fd;
	struct io_uring_params p;
	char *sq, *cq;
	struct io_uring_sqe *sqe;
};

static int made(struct ring *r, unsigned flags)
{
	size_t n;

	memset(r, 0, sizeof(*r));
	r->p.flags = flags;
	r->p.sq_thread_idle = 1000;
	r->fd = (int)syscall(SYS_io_uring_setup, ENTRIES, &r->p);
	if (r->fd < 0)
		return 1;
	n = r->p.cq_off.cqes + r->p.cq_entries * sizeof(struct io_uring_cqe);
	r->cq = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_CQ_RING);
	n = r->p.sq_off.array + r->p.sq_entries * sizeof(unsigned);
	r->sq = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, IORING_OFF_SQ_RING);
	r->sqe = mmap(NULL, ENTRIES * sizeof(*r->sqe), PROT_READ | PROT_WRITE, MAP_SHARED, r->fd,
		      IORING_OFF_SQES);
	return r->sq == MAP_FAILED || r->cq == MAP_FAILED || r->sqe == MAP_FAILED;
}

static unsigned *word(char *ring, unsigned at)
{
	return (unsigned *)(void *)(ring + at);
}

static int entered(const struct ring *r, unsigned n, unsigned wait)
{
	unsigned flags = IORING_ENTER_GETEVENTS;

	if (r->p.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	return syscall(SYS_io_uring_enter, r->fd, n, wait, flags, NULL, 0) < 0;
}

static int asked(struct ring *r, struct io_uring_sqe e)
{
	unsigned *tail = word(r->sq, r->p.sq_off.tail), at = *tail % ENTRIES;

	r->sqe[at] = e;
	word(r->sq, r->p.sq_off.array)[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	return entered(r, 1, 0);
}

/* What the next request that is done came to, of whichever. */
static int result(struct ring *r)
{
	unsigned *head = word(r->cq, r->p.cq_off.head), *tail = word(r->cq, r->p.cq_off.tail);
	struct io_uring_cqe *all = (void *)(r->cq + r->p.cq_off.cqes);
	int res;

	while (__atomic_load_n(tail, __ATOMIC_ACQUIRE) == *head)
		if (entered(r, 0, 1))
			return -errno;
	res = all[*head & *word(r->cq, r->p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return res;
}

static int done(struct ring *r, struct io_uring_sqe e)
{
	return asked(r, e) ? -1 : result(r);
}

static struct io_uring_sqe a_socket(int family, int type, int protocol)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_SOCKET, .fd = family, .off = (__u64)type, .len = (__u32)protocol
	};
}

static struct io_uring_sqe a_connect(int fd, const void *to, size_t n)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_CONNECT, .fd = fd, .addr = ADDR(to), .off = n
	};
}

/* One of the machine's own, and bound to a port of the kernel's choice. */
static int bound(int type, struct sockaddr_in *at)
{
	int fd = socket(AF_INET, type, 0);
	socklen_t n = sizeof(*at);

	*at = (struct sockaddr_in){ .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	if (fd < 0 || bind(fd, (struct sockaddr *)at, n) ||
	    getsockname(fd, (struct sockaddr *)at, &n) || (type == SOCK_STREAM && listen(fd, 4)))
		return -1;
	return fd;
}

static socklen_t named(struct sockaddr_un *at, const char *name, int abstract)
{
	*at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	memcpy(at->sun_path + abstract, name, strlen(name));
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)abstract +
			   strlen(name) + !abstract);
}

static int bound_there(int type, struct sockaddr_un *at, socklen_t n)
{
	int fd = socket(AF_UNIX, type, 0);

	return fd < 0 || bind(fd, (struct sockaddr *)at, n) ||
	       (type == SOCK_STREAM && listen(fd, 4));
}

static int connected(unsigned flags, unsigned char how)
{
	struct sockaddr_in to;
	struct io_uring_sqe e;
	struct ring r;
	int fd;

	if (bound(SOCK_STREAM, &to) < 0 || made(&r, flags))
		return 1;
	e = a_socket(AF_INET, SOCK_STREAM, 0);
	e.flags = how;
	fd = done(&r, e);
	if (fd < 0)
		return 2;
	e = a_connect(fd, &to, sizeof(to));
	e.flags = how;
	return done(&r, e) != 0;
}

static int ring_connected(void)
{
	return connected(0, 0);
}

static int ring_polled_connected(void)
{
	return connected(IORING_SETUP_SQPOLL, 0);
}

static int ring_worker_connected(void)
{
	return connected(0, IOSQE_ASYNC);
}

/* A socket without a descriptor: it lies in the ring's own table alone. */
static int ring_fixed_connected(void)
{
	struct sockaddr_in to;
	int none[2] = { -1, -1 };
	struct io_uring_sqe e;
	struct ring r;

	if (bound(SOCK_STREAM, &to) < 0 || made(&r, 0) ||
	    syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_FILES, none, 2))
		return 1;
	e = a_socket(AF_INET, SOCK_STREAM, 0);
	e.file_index = 2; /* one more than the place */
	if (done(&r, e))
		return 2;
	e = a_connect(1, &to, sizeof(to));
	e.flags = IOSQE_FIXED_FILE;
	if (done(&r, e))
		return 3;
	return done(&r, (struct io_uring_sqe){ .opcode = IORING_OP_SEND,
					       .fd = 1,
					       .addr = ADDR("x"),
					       .len = 1,
					       .flags = IOSQE_FIXED_FILE }) != 1;
}

/* One request, and a connection for each that comes. */
static int ring_accepted_many(void)
{
	struct sockaddr_in to;
	int fd = bound(SOCK_STREAM, &to);
	struct ring r;

	if (fd < 0 || made(&r, 0) ||
	    asked(&r, (struct io_uring_sqe){ .opcode = IORING_OP_ACCEPT,
					     .fd = fd,
					     .ioprio = IORING_ACCEPT_MULTISHOT }))
		return 1;
	for (int i = 0; i < 2; i++) {
		int client = socket(AF_INET, SOCK_STREAM, 0);

		if (client < 0 || connect(client, (struct sockaddr *)&to, sizeof(to)) ||
		    result(&r) < 0)
			return 2;
	}
	return 0;
}

static int ring_sent_to(void)
{
	struct sockaddr_in to;
	struct io_uring_sqe e = {
		.opcode = IORING_OP_SEND, .addr = ADDR("x"), .len = 1, .addr2 = ADDR(&to)
	};
	struct ring r;
	int fd;

	if (bound(SOCK_DGRAM, &to) < 0 || made(&r, 0))
		return 1;
	fd = done(&r, a_socket(AF_INET, SOCK_DGRAM, 0));
	e.fd = fd;
	e.addr_len = sizeof(to);
	return fd < 0 || done(&r, e) != 1;
}

static int ring_message_sent_to(void)
{
	struct sockaddr_in to;
	char text[] = "x";
	struct iovec piece = { text, 1 };
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = &piece, .msg_iovlen = 1
	};
	struct ring r;
	int fd;

	if (bound(SOCK_DGRAM, &to) < 0 || made(&r, 0))
		return 1;
	fd = done(&r, a_socket(AF_INET, SOCK_DGRAM, 0));
	return fd < 0 || done(&r, (struct io_uring_sqe){ .opcode = IORING_OP_SENDMSG,
							 .fd = fd,
							 .addr = ADDR(&message),
							 .len = 1 }) != 1;
}

/* To a name that is none of the file system's, or to one that is. */
static int connected_to(const char *name, int abstract, int type)
{
	struct sockaddr_un to;
	socklen_t n = named(&to, name, abstract);
	struct ring r;
	int fd;

	if (bound_there(type, &to, n) || made(&r, 0))
		return 1;
	fd = done(&r, a_socket(AF_UNIX, type, 0));
	return fd < 0 || done(&r, a_connect(fd, &to, n)) != 0;
}

static int ring_abstract(void)
{
	return connected_to("agree-ring", 1, SOCK_STREAM);
}

static int ring_abstract_datagram(void)
{
	return connected_to("agree-rings", 1, SOCK_DGRAM);
}

static int ring_path(void)
{
	return connected_to("/d/by-ring", 0, SOCK_STREAM);
}

static int ring_path_datagram(void)
{
	return connected_to("by-rings", 0, SOCK_DGRAM);
}

/* Since Linux 6.11 a ring binds and listens; before, calls do. */
static int ring_bound(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(81) };
	struct io_uring_sqe e = { .opcode = OP_BIND, .addr = ADDR(&at), .off = sizeof(at) };
	struct ring r;
	int err;

	if (made(&r, 0))
		return 1;
	e.fd = done(&r, a_socket(AF_INET, SOCK_STREAM, 0));
	if (e.fd < 0)
		return 2;
	err = done(&r, e);
	if (err == -EINVAL)
		return bind(e.fd, (struct sockaddr *)&at, sizeof(at)) || listen(e.fd, 4);
	return err ||
	       done(&r, (struct io_uring_sqe){ .opcode = OP_BIND + 1, .fd = e.fd, .len = 4 }) != 0;
}

/* A capability that a worker is asked for. */
static int ring_worker_raw(void)
{
	struct io_uring_sqe e = a_socket(AF_INET, SOCK_RAW, IPPROTO_ICMP);
	struct ring r;

	e.flags = IOSQE_ASYNC;
	return made(&r, 0) || done(&r, e) < 0;
}

static struct io_uring_sqe an_open(const char *path)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = ADDR(path), .open_flags = O_RDWR
	};
}

static int ring_polled_open(void)
{
	struct ring r;

	return made(&r, IORING_SETUP_SQPOLL) || done(&r, an_open("/d/other")) < 0;
}

static int ring_worker_open(void)
{
	struct io_uring_sqe e = an_open("file");
	struct ring r;

	e.flags = IOSQE_ASYNC;
	return made(&r, 0) || done(&r, e) < 0;
}

/* By the task itself, and by a worker, from a directory of a child's below /proc. */
static int ring_open_by_a_child(void)
{
	pid_t pid = sleeper();
	struct io_uring_sqe e = an_open("cwd/file");
	char path[32];
	struct ring r;

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	e.fd = open(path, O_PATH | O_DIRECTORY);
	if (made(&r, 0) || done(&r, e) < 0)
		return 1;
	e.flags = IOSQE_ASYNC;
	return done(&r, e) < 0 || put_down(pid);
}

/* By credentials that the ring was told to keep. */
static int ring_kept_credentials(void)
{
	struct io_uring_sqe e = an_open("/d/dir/in");
	struct ring r;
	long who;

	if (made(&r, 0))
		return 1;
	who = syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_PERSONALITY, NULL, 0);
	e.personality = (__u16)who;
	return who <= 0 || done(&r, e) < 0;
}

static const struct awkward cases[] = {
	CASE(ring_connected),         CASE(ring_polled_connected),
	CASE(ring_worker_connected),  CASE(ring_fixed_connected),
	CASE(ring_accepted_many),     CASE(ring_sent_to),
	CASE(ring_message_sent_to),   CASE(ring_abstract),
	CASE(ring_abstract_datagram), CASE(ring_path),
	CASE(ring_path_datagram),     CASE(ring_bound),
	CASE(ring_worker_raw),        CASE(ring_polled_open),
	CASE(ring_worker_open),       CASE(ring_kept_credentials),
	CASE(ring_open_by_a_child),
};

CASES_MAIN(cases)
