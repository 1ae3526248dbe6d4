/* SPDX-License-Identifier: Apache-2.0 */
/* Threads that do little but map memory, make it executable and unmap it, as compilers do. */
#include <pthread.h>
#include <sys/mman.h>

static void *compile(void *failed)
{
	for (int i = 0; i < 500; i++) {
		char *p = mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0);

		if (p == MAP_FAILED || mprotect(p, 65536, PROT_READ | PROT_EXEC) ||
		    munmap(p, 65536))
			*(int *)failed = 1;
	}
	return NULL;
}

int main(void)
{
	pthread_t threads[8];
	int failed[8] = { 0 }, any = 0;

	for (int i = 0; i < 8; i++)
		if (pthread_create(&threads[i], NULL, compile, &failed[i]))
			return 2;
	for (int i = 0; i < 8; i++) {
		pthread_join(threads[i], NULL);
		any |= failed[i];
	}
	return any;
}
