/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls of i386 whose arguments lie in memory, by int $0x80: socketcall, a socket of unix that is bound to the
 * first argument, and one of inet; with "map" mmap, of the second argument, executable. 9: no i386 here.
 */
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

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
		return map(argv[2]);
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
