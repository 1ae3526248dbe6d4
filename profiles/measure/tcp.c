/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sets tcp-server and tcp-client: one stream socket end to end on loopback, without the
 * socket() call itself: which family and type is for the policy's `network` line.
 * `tcp server` writes its port to standard output; `tcp client` reads one from standard input.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static struct sockaddr_in sa = { .sin_family = AF_INET };

static void server(void)
{
	struct epoll_event ev = { .events = EPOLLIN };
	socklen_t len = sizeof(sa);
	char buf[64];
	struct iovec iov = { buf, 3 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1, ep, c;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bind(fd, (struct sockaddr *)&sa, len);
	getsockname(fd, (struct sockaddr *)&sa, &len);
	listen(fd, 5);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	write(1, &sa.sin_port, sizeof(sa.sin_port));
	close(1);
	ep = epoll_create1(EPOLL_CLOEXEC);
	epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev);
	for (int i = 0; i < 2; i++) {
		epoll_wait(ep, &ev, 1, 5000);
		len = sizeof(sa);
		c = i ? accept(fd, (struct sockaddr *)&sa, &len) :
			accept4(fd, (struct sockaddr *)&sa, &len, SOCK_CLOEXEC);
		getpeername(c, (struct sockaddr *)&sa, &len);
		recv(c, buf, 3, MSG_WAITALL);
		send(c, buf, 3, MSG_NOSIGNAL);
		read(c, buf, 3);
		writev(c, &iov, 1);
		shutdown(c, SHUT_RDWR);
		close(c);
	}
}

static void client(void)
{
	struct pollfd p;
	struct msghdr msg = { 0 };
	char buf[64];
	struct iovec iov = { buf, sizeof(buf) };
	fd_set fds;
	int fd, one = 1, err;
	socklen_t len = sizeof(err);

	read(0, &sa.sin_port, sizeof(sa.sin_port));
	sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < 2; i++) {
		fd = socket(AF_INET, SOCK_STREAM, 0);
		connect(fd, (struct sockaddr *)&sa, sizeof(sa));
		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		send(fd, "abc", 3, MSG_NOSIGNAL);
		recv(fd, buf, 3, MSG_WAITALL);
		write(fd, "abc", 3);
		p = (struct pollfd){ .fd = fd, .events = POLLIN };
		poll(&p, 1, 5000);
		FD_ZERO(&fds);
		FD_SET(fd, &fds);
		select(fd + 1, &fds, NULL, NULL, NULL);
		msg.msg_iov = &iov;
		msg.msg_iovlen = 1;
		recvmsg(fd, &msg, 0);
		close(fd);
	}
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "server"))
		server();
	else
		client();
	return 0;
}
