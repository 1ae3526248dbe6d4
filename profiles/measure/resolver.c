/* SPDX-License-Identifier: Apache-2.0 */
/*
 * set resolver: names of hosts and users as glibc looks them up. A thread of its own answers
 * DNS on loopback (NXDOMAIN over UDP, so that both address families are asked).
 */
#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <resolv.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static void answer(int fd)
{
	unsigned char q[512];
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	for (;;) {
		ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from, &len);
		if (n < 12)
			continue;
		q[2] |= 0x80;
		q[3] = 3;
		sendto(fd, q, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
}

int main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *ai;
	struct sockaddr_in sa = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof(sa);

	if (argc > 1) { /* the server: port on standard output */
		int fd = socket(AF_INET, SOCK_DGRAM, 0);
		bind(fd, (struct sockaddr *)&sa, len);
		getsockname(fd, (struct sockaddr *)&sa, &len);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		write(1, &sa.sin_port, sizeof(sa.sin_port));
		close(1);
		answer(fd);
	}
	(void)argv;
	read(0, &sa.sin_port, sizeof(sa.sin_port));
	res_init();
	_res.nscount = 1;
	_res.nsaddr_list[0] = sa;
	if (!getaddrinfo("localhost", "80", &hints, &ai))
		freeaddrinfo(ai);
	if (!getaddrinfo("pale.invalid", "80", &hints, &ai))
		freeaddrinfo(ai);
	getpwnam("nobody");
	getpwuid(getuid());
	getgrnam("nogroup");
	return 0;
}
