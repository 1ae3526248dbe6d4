/* SPDX-License-Identifier: Apache-2.0 */
/* set stdio: read and write files and terminals through the C library's streams. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	char line[256], path[] = "/tmp/pale-measure-XXXXXX";
	FILE *f = fdopen(mkstemp(path), "w+");

	for (int i = 0; i < 5000; i++)
		fprintf(f, "line %d\n", i);
	rewind(f);
	while (fgets(line, sizeof(line), f))
		;
	fseek(f, -10, SEEK_END);
	fputs("end", f);
	fclose(f);
	f = fopen(path, "a");
	fputs("more", f);
	fclose(f);
	f = fopen(path, "re");
	setvbuf(f, NULL, _IONBF, 0);
	fread(line, 1, sizeof(line), f);
	fclose(f);
	freopen("/dev/null", "w", stderr);
	printf("out\n");
	isatty(0);
	remove(path);
	return 0;
}
