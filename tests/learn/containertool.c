/* SPDX-License-Identifier: Apache-2.0 */
/*
 * containertool list ROOT [WORD...]   the containers below ROOT, a line each: engine:name, id, image, cgroup,
 *                                     and of each WORD whether it means it (called, label)
 * containertool path PATH...          whose cgroup it is: engine and id, or "-"
 * containertool answer FILE [docker|podman]  an HTTP answer to /containers/json: status, server, names
 * containertool call SOCKET METHOD    standard input's message by gRPC; its answer, a message
 * containertool pods FILE             what containerd answers to ListPodSandbox: id, pod, its labels
 */
#include <stdio.h>
#include <string.h>

#include "compiler/base/source.h"
#include "learn/container/container.h"
#include "learn/container/grpc.h"
#include "learn/container/http.h"

static int list(struct arena *a, char **argv)
{
	struct containers *cs = containers_new(a, argv[0]);

	containers_look(cs);
	vec_each(&cs->list, it) {
		const struct container *c = *it;

		printf("%s\t%s\t%s\t%s", container_called(a, c), c->id, c->image ? c->image : "-",
		       c->cgroup ? c->cgroup + strlen(cs->tree) : "-");
		for (char **w = argv + 1; *w; w++)
			if (container_is_called(c, *w) || container_has_label(c, *w))
				printf("\t%s", *w);
		printf("\n");
	}
	return 0;
}

static int path(char **argv)
{
	for (; *argv; argv++) {
		enum container_engine e;
		struct str id;
		size_t end;

		if (container_of_cgroup(*argv, &id, &e, &end))
			printf("%s\t" PRISTR "\t%zu\n", container_engine_name(e), STRARG(id), end);
		else
			printf("-\n");
	}
	return 0;
}

static int answer(struct arena *a, char **argv)
{
	struct containers *cs = containers_new(a, "/nowhere");
	struct http_answer h;
	BUF_AUTO text = { 0 };

	if (source_read(argv[0], HTTP_MOST, &text) ||
	    !http_read((struct str){ text.p, text.n }, &h)) {
		printf("no answer\n");
		return 1;
	}
	printf("%u " PRISTR "\n", h.status, STRARG(h.server));
	if (!containers_read_answer(cs, h.body, ENGINE_DOCKER, "answer")) {
		printf("no list\n");
		return 1;
	}
	vec_each(&cs->list, c)
		printf("%s\t%s\t%zu\n", container_called(a, *c), (*c)->id, (*c)->labels.n);
	return 0;
}

static int call(char **argv)
{
	BUF_AUTO message = { 0 };
	BUF_AUTO answer = { 0 };
	int err = source_read("-", GRPC_MOST, &message);

	if (!err)
		err = grpc_call(argv[0], argv[1], (struct str){ message.p, message.n }, 60000,
				&answer);
	if (err)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-err));
	else
		fwrite(answer.p, 1, answer.n, stdout);
	return err != 0;
}

static int pods(struct arena *a, char **argv)
{
	struct containers *cs = containers_new(a, "/nowhere");
	BUF_AUTO text = { 0 };

	if (source_read(argv[0], GRPC_MOST, &text) ||
	    !containers_read_pods(cs, (struct str){ text.p, text.n })) {
		printf("no list\n");
		return 1;
	}
	vec_each(&cs->list, c) {
		printf("%s\t%s", (*c)->id, (*c)->pod ? (*c)->pod : "-");
		vec_each(&(*c)->labels, l)
			printf("\t%s=%s", l->key, l->value);
		printf("\n");
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct arena *a = arena_new(NULL);
	int status = 2;

	if (argc > 2 && !strcmp(argv[1], "list"))
		status = list(a, argv + 2);
	else if (argc > 2 && !strcmp(argv[1], "path"))
		status = path(argv + 2);
	else if (argc > 2 && !strcmp(argv[1], "answer"))
		status = answer(a, argv + 2);
	else if (argc > 3 && !strcmp(argv[1], "call"))
		status = call(argv + 2);
	else if (argc > 2 && !strcmp(argv[1], "pods"))
		status = pods(a, argv + 2);
	arena_free(a);
	return status;
}
