/* SPDX-License-Identifier: Apache-2.0 */
/* set files: look at, make, change and remove files and directories. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/time.h>
#include <unistd.h>

int main(void)
{
	char dir[] = "/tmp/pale-measure-XXXXXX", buf[4096];
	struct stat st;
	struct statvfs fs;
	struct flock fl = { .l_type = F_WRLCK };
	DIR *d;
	int fd;

	mkdtemp(dir);
	getcwd(buf, sizeof(buf));
	chdir(dir);
	mkdir("sub", 0755);
	fd = open("sub/file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	write(fd, "abc", 3);
	pwrite(fd, "abc", 3, 100);
	pread(fd, buf, 3, 100);
	lseek(fd, 0, SEEK_SET);
	read(fd, buf, 3);
	fstat(fd, &st);
	fchmod(fd, 0640);
	fchown(fd, getuid(), getgid());
	ftruncate(fd, 10);
	posix_fallocate(fd, 0, 20);
	flock(fd, LOCK_EX);
	fcntl(fd, F_SETLK, &fl);
	fsync(fd);
	fdatasync(fd);
	futimens(fd, NULL);
	close(fd);
	stat("sub/file", &st);
	lstat("sub/file", &st);
	access("sub/file", R_OK);
	statvfs("sub", &fs);
	chmod("sub/file", 0600);
	chown("sub/file", getuid(), getgid());
	truncate("sub/file", 5);
	link("sub/file", "sub/hard");
	symlink("file", "sub/soft");
	readlink("sub/soft", buf, sizeof(buf));
	realpath("sub/soft", buf);
	rename("sub/hard", "sub/moved");
	umask(022);
	d = opendir("sub");
	while (readdir(d))
		;
	closedir(d);
	unlink("sub/file");
	unlink("sub/moved");
	unlink("sub/soft");
	rmdir("sub");
	chdir("/");
	rmdir(dir);
	return 0;
}
