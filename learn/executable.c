/* SPDX-License-Identifier: Apache-2.0 */
#include "learn/executable.h"

#include <elf.h>
#include <endian.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "compiler/policy/policy.h"
#include "compiler/rules/rules.h"
#include "learn/proc.h"

/* One program header's PT_INTERP: where it lies, *size 0 for another kind of header. -1: errno. */
static int read_phdr(int fd, bool is64, uint64_t at, uint64_t *offset, uint64_t *size)
{
	Elf64_Phdr p64 = { 0 };
	Elf32_Phdr p32 = { 0 };
	ssize_t n = is64 ? pread(fd, &p64, sizeof(p64), (off_t)at) :
			   pread(fd, &p32, sizeof(p32), (off_t)at);

	*size = 0;
	if (n < 0)
		return -1;
	if (is64 && p64.p_type == PT_INTERP) {
		*offset = p64.p_offset;
		*size = p64.p_filesz;
	} else if (!is64 && p32.p_type == PT_INTERP) {
		*offset = p32.p_offset;
		*size = p32.p_filesz;
	}
	return 0;
}

union head { /* what a program file begins with */
	char text[256];
	Elf64_Ehdr e64;
	Elf32_Ehdr e32;
};

/* The name in an ELF file's PT_INTERP. 1; 0: it has none; -1: errno. */
static int elf_interpreter(int fd, const union head *h, char out[PATH_MAX])
{
	bool is64 = h->text[EI_CLASS] == ELFCLASS64;
	size_t n = is64 ? h->e64.e_phnum : h->e32.e_phnum;

	for (size_t i = 0; i < n; i++) {
		uint64_t at = is64 ? h->e64.e_phoff + i * sizeof(Elf64_Phdr) :
				     h->e32.e_phoff + i * sizeof(Elf32_Phdr);
		uint64_t offset, size;
		ssize_t got;

		if (read_phdr(fd, is64, at, &offset, &size))
			return -1;
		if (size < 2 || size >= PATH_MAX)
			continue;
		got = pread(fd, out, size, (off_t)offset);
		if (got < 0)
			return -1;
		if (got == (ssize_t)size && !out[size - 1])
			return 1;
	}
	return 0;
}

int executable_interpreter(int fd, char out[PATH_MAX], unsigned *perms)
{
	union head h = { 0 };
	ssize_t got = pread(fd, &h, sizeof(h) - 1, 0);
	const char *p;
	size_t n;

	if (got < 0)
		return -1;
	if (!memcmp(h.text, "#!", 2)) {
		p = h.text + 2 + strspn(h.text + 2, " \t");
		n = strcspn(p, " \t\r\n");
		*perms = PERM_R | PERM_M | (proc_asks_interpreters() ? PERM_X : 0u);
		memcpy(out, p, n);
		out[n] = 0;
		return n > 0;
	}
	*perms = PERM_R | PERM_M;
	return got > SELFMAG && !memcmp(h.text, ELFMAG, SELFMAG) ? elf_interpreter(fd, &h, out) : 0;
}

bool executable_may_run(const struct stat *st)
{
	return S_ISREG(st->st_mode) && st->st_mode & 0111;
}

bool executable_is_refused(const char *path, const char *root)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char interp[PATH_MAX];
	unsigned perms;
	struct stat st;
	bool has = fd >= 0 && executable_interpreter(fd, interp, &perms) > 0;

	if (fd >= 0)
		close(fd);
	if (!has)
		return false;
	fd = *root ? proc_find(root, interp, RESOLVE_IN_ROOT, true) :
		     open(interp, O_PATH | O_CLOEXEC);
	has = fd >= 0 && !fstat(fd, &st) && !executable_may_run(&st);
	if (fd >= 0)
		close(fd);
	return has;
}

/* "GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36." stands in the library. */
const char *executable_glibc(struct arena *a, const char *path)
{
	static const char mark[] = "stable release version ";
	const char *found, *end;
	char *text = NULL;
	const char *name = "glibc";
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);

	if (fd < 0 || fstat(fd, &st) || st.st_size > 64 << 20)
		goto out;
	text = malloc((size_t)st.st_size);
	if (!text || pread(fd, text, (size_t)st.st_size, 0) != st.st_size)
		goto out;
	found = memmem(text, (size_t)st.st_size, mark, sizeof(mark) - 1);
	if (!found)
		goto out;
	found += sizeof(mark) - 1;
	for (end = found; end < text + st.st_size && (*end == '.' || (*end >= '0' && *end <= '9'));)
		end++;
	while (end > found && end[-1] == '.')
		end--;
	name = arena_printf(a, "glibc %.*s", (int)(end - found), found);
out:
	free(text);
	if (fd >= 0)
		close(fd);
	return name;
}

bool executable_powers(const char *path, uint64_t *at_once)
{
	struct vfs_ns_cap_data d = { 0 };
	ssize_t n = getxattr(path, "security.capability", &d, sizeof(d));

	*at_once = 0;
	if (n < (ssize_t)XATTR_CAPS_SZ_1)
		return false;
	if (le32toh(d.magic_etc) & VFS_CAP_FLAGS_EFFECTIVE)
		*at_once = le32toh(d.data[0].permitted) | (uint64_t)le32toh(d.data[1].permitted)
								  << 32;
	return true;
}
