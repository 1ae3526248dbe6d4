/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of i386 whose arguments lie in memory, by int $0x80: socketcall, a socket of unix that is bound to the
 * first argument, and one of inet; with "map" mmap, of the second argument, executable; with "send" messages in each way
 * that there is, to sockets of unix below the second argument, to one without a path and to a port. 9: no i386 here.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char *low; /* below 4 GiB, where the calls of i386 can point to */

static int int80(int nr, uintptr_t b, uintptr_t c)
{
	long ret = -38;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(b), "c"(c)
			 : "memory", "r8", "r9", "r10", "r11");
#endif
	return (int)ret;
}

static int int80_4(int nr, const uint32_t args[4])
{
	long ret = -38;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"((long)args[0]), "c"((long)args[1]), "d"((long)args[2]),
			   "S"((long)args[3])
			 : "memory", "r8", "r9", "r10", "r11");
#else
	(void)nr;
	(void)args;
#endif
	return (int)ret;
}

static int socketcall(uintptr_t selector, const uint32_t *args, size_t n)
{
	memcpy(low, args, n * sizeof(*args));
	return int80(102, selector, (uintptr_t)low);
}

static int map(const char *path)
{
	uint32_t args[] = { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0, 0 };
	int at;

	args[4] = (uint32_t)open(path, O_RDONLY);
	memcpy(low, args, sizeof(args));
	at = int80(90, (uintptr_t)low, 0);
	return at == -38 ? 9 : at < 0 && at > -4096;
}

/* struct msghdr and mmsghdr of i386, and what they point to */
struct message {
	uint32_t name, len, pieces, n, control, ncontrol, flags, sent;
};
struct page {
	struct message m[2];
	uint32_t args[4], piece[2];
	char text[4];
	struct sockaddr_un to[2];
};

static void address(struct page *p, int i, const char *dir, const char *name)
{
	struct sockaddr_un *to = &p->to[i];
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	*to = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(to->sun_path, sizeof(to->sun_path), "%s/%s", dir, name);
	if (!*dir) {
		memset(to->sun_path, 0, sizeof(to->sun_path));
		memcpy(to->sun_path + 1, name, strlen(name));
	}
	p->m[i].name = (uint32_t)(uintptr_t)to;
	p->m[i].len = (uint32_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				 (*dir ? strlen(to->sun_path) : strlen(name)));
	bind(fd, (struct sockaddr *)to, p->m[i].len);
}

/* The first of them where n is 0: sendmsg. */
static int sent(struct page *p, int fd, uint32_t n, int packed)
{
	const uint32_t args[] = { (uint32_t)fd, (uint32_t)(uintptr_t)p->m, n, 0 };

	for (int i = 0; i < 2; i++) {
		p->m[i].pieces = (uint32_t)(uintptr_t)p->piece;
		p->m[i].n = 1;
	}
	memcpy(p->args, args, sizeof(args));
	if (packed)
		return int80(102, n ? 20 : 16, (uintptr_t)p->args);
	return n ? int80_4(345, args) : int80_4(370, args);
}

static int send_all(const char *dir)
{
	struct page *p = (void *)low;
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 0x0900 };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0), net = socket(AF_INET, SOCK_DGRAM, 0), bad = 0;
	char own[32];

	p->piece[0] = (uint32_t)(uintptr_t)p->text;
	p->piece[1] = 1;
	address(p, 0, dir, "one");
	if (sent(p, fd, 0, 0) == -38)
		return 9;
	address(p, 0, dir, "two");
	bad |= sent(p, fd, 0, 1) != 1;
	address(p, 0, dir, "three");
	address(p, 1, dir, "four");
	bad |= sent(p, fd, 2, 0) != 2;
	address(p, 0, dir, "five");
	address(p, 1, dir, "six");
	bad |= sent(p, fd, 2, 1) != 2;
	snprintf(own, sizeof(own), "pale-packed-%d", getpid());
	address(p, 0, "", own);
	bad |= sent(p, fd, 0, 0) != 1;
	in.sin_addr.s_addr = 0x0100007f;
	memcpy(&p->to[0], &in, sizeof(in));
	p->m[0].len = sizeof(in);
	bad |= sent(p, net, 0, 0) != 1;
	return bad;
}

int main(int argc, char **argv)
{
	const uint32_t make[] = { AF_UNIX, SOCK_STREAM, 0 }, raw[] = { AF_INET, SOCK_DGRAM, 0 };
	uint32_t bind_to[] = { 0, 0, sizeof(struct sockaddr_un) };
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	int fd;

	/* Of two pages the second is not there: what is read behind the arguments would be. */
	low = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1,
		   0);
	if (argc < 2 || low == MAP_FAILED || munmap(low + 4096, 4096))
		return 1;
	if (argc > 2)
		return strcmp(argv[1], "map") ? send_all(argv[2]) : map(argv[2]);
	low += 4096 - sizeof(make);
	fd = socketcall(1, make, 3);
	if (fd == -38)
		return 9;
	strncpy(name.sun_path, argv[1], sizeof(name.sun_path) - 1);
	memcpy(low - sizeof(name), &name, sizeof(name));
	bind_to[0] = (uint32_t)fd;
	bind_to[1] = (uint32_t)(uintptr_t)(low - sizeof(name));
	return fd < 0 || socketcall(2, bind_to, 3) || socketcall(1, raw, 3) < 0;
}
