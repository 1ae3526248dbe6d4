/* SPDX-License-Identifier: Apache-2.0 */
/* many DIR N LENGTH: makes and removes N files whose names are letters only. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char path[4096];
	long n = argc > 3 ? atol(argv[2]) : 0;
	size_t length = argc > 3 ? strtoul(argv[3], NULL, 10) : 0;

	if (length < 8 || length > 255)
		return 2;
	for (long i = 0; i < n; i++) {
		int at = snprintf(path, sizeof(path), "%s/", argv[1]);
		long rest = i;
		int fd;

		memset(path + at, 'x', length);
		path[(size_t)at + length] = 0;
		for (int k = 0; k < 6; k++, rest /= 20)
			path[at + k] = (char)('a' + rest % 20);
		fd = open(path, O_RDWR | O_CREAT, 0600);
		if (fd < 0 || close(fd) || unlink(path))
			return 1;
	}
	return 0;
}
