/* SPDX-License-Identifier: Apache-2.0 */
/* set memory: malloc, realloc and free, small and large, in two arenas. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static void *churn(void *arg)
{
	void *keep[64] = { 0 };
	for (int round = 0; round < 2000; round++) {
		int i = round % 64;
		size_t n = (size_t)1 << (round % 23);
		free(keep[i]);
		keep[i] = malloc(n);
		memset(keep[i], 1, n);
		if (round % 7 == 0)
			keep[i] = realloc(keep[i], n * 3);
	}
	for (int i = 0; i < 64; i++)
		free(keep[i]);
	malloc_trim(0);
	return arg;
}

int main(void)
{
	pthread_t t;
	churn(NULL);
	pthread_create(&t, NULL, churn, NULL);
	pthread_join(t, NULL);
	return 0;
}
