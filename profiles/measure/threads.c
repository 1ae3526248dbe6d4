/* SPDX-License-Identifier: Apache-2.0 */
/* set threads: create, join, detach, mutex, condition, barrier, semaphore, once, names, sizes. */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_barrier_t barrier;
static sem_t sem;
static int turn;

static void *work(void *arg)
{
	pthread_setname_np(pthread_self(), "work");
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 200; i++) {
		pthread_mutex_lock(&lock);
		while (turn % 4 != (int)(long)arg)
			pthread_cond_wait(&cond, &lock);
		turn++;
		pthread_cond_broadcast(&cond);
		pthread_mutex_unlock(&lock);
		sched_yield();
	}
	sem_post(&sem);
	return NULL;
}

static void *forever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

int main(void)
{
	pthread_t t[4], victim;
	cpu_set_t cpus;
	struct timespec when = { 0, 1 };

	pthread_barrier_init(&barrier, NULL, 4);
	sem_init(&sem, 0, 0);
	for (long i = 0; i < 4; i++)
		pthread_create(&t[i], NULL, work, (void *)i);
	for (int i = 0; i < 4; i++)
		sem_wait(&sem);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	sem_timedwait(&sem, &when);
	pthread_getaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	pthread_create(&victim, NULL, forever, NULL);
	/* Cancelled sooner it never comes to its call; this waits with a futex, as above. */
	clock_gettime(CLOCK_REALTIME, &when);
	when.tv_sec++;
	sem_timedwait(&sem, &when);
	pthread_kill(victim, 0);
	pthread_cancel(victim);
	pthread_join(victim, NULL);
	pthread_create(&victim, NULL, forever, NULL);
	pthread_detach(victim);
	return 0;
}
