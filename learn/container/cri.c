/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The labels of pods, which containerd keeps in no file: asked of it as the kubelet does, by the Container
 * Runtime Interface (k8s.io/cri-api, runtime/v1/api.proto). CRI-O has them on disk.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "compiler/base/bug.h"
#include "learn/container/fields.h"
#include "learn/container/grpc.h"

#define WAIT_MS 1500
#define LIST    "/runtime.v1.RuntimeService/ListPodSandbox"

/* ---- protobuf (its Encoding), as far as the interface uses it ---- */

enum { WIRE_VARINT = 0, WIRE_64 = 1, WIRE_TEXT = 2, WIRE_32 = 5 };

struct field {
	uint64_t number;
	unsigned wire;
	struct str text; /* of WIRE_TEXT */
};

static bool take_varint(struct str *s, uint64_t *out)
{
	*out = 0;
	for (unsigned shift = 0; shift < 64 && s->n; shift += 7) {
		uint8_t byte = (uint8_t)*s->p;

		*s = (struct str){ s->p + 1, s->n - 1 };
		*out |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return true;
	}
	return false;
}

static bool skip(struct str *s, uint64_t n)
{
	if (n > s->n)
		return false;
	*s = (struct str){ s->p + n, s->n - (size_t)n };
	return true;
}

/* The next field; false: none, or no more that can be read, and *good says which. */
static bool next_field(struct str *s, struct field *f, bool *good)
{
	uint64_t key, n;

	if (!s->n)
		return false;
	*good = false;
	if (!take_varint(s, &key))
		return false;
	*f = (struct field){ .number = key >> 3, .wire = (unsigned)(key & 7) };
	if (f->wire == WIRE_TEXT) {
		if (!take_varint(s, &n))
			return false;
		f->text = (struct str){ s->p, (size_t)n };
		*good = skip(s, n);
	} else if (f->wire == WIRE_VARINT) {
		*good = take_varint(s, &n);
	} else if (f->wire == WIRE_64 || f->wire == WIRE_32) {
		*good = skip(s, f->wire == WIRE_64 ? 8 : 4);
	}
	return *good;
}

/* The last text of that number; empty: none. */
static struct str text_of(struct str message, uint64_t number)
{
	struct str out = STR("");
	struct field f;
	bool good;

	while (next_field(&message, &f, &good))
		if (f.wire == WIRE_TEXT && f.number == number)
			out = f.text;
	return out;
}

static bool is_whole(struct str message)
{
	bool good = true;
	struct field f;

	while (next_field(&message, &f, &good))
		;
	return good;
}

/* ---- PodSandbox ---- */

enum {
	POD_ID = 1,
	POD_METADATA = 2,
	POD_LABELS = 5,
	METADATA_NAME = 1,
	MAP_KEY = 1,
	MAP_VALUE = 2
};

static void read_pod(struct containers *cs, struct str pod)
{
	struct str id = text_of(pod, POD_ID),
		   name = text_of(text_of(pod, POD_METADATA), METADATA_NAME);
	struct container *c;
	struct field f;
	bool good;

	if (!id.n || !is_whole(pod))
		return;
	c = containers_meet(cs, id, ENGINE_CONTAINERD);
	if (!c || (c->is_sandbox && c->is_labelled))
		return;
	c->is_sandbox = c->is_labelled = true;
	if (name.n)
		fields_take(&c->pod, str_dup(cs->arena, name));
	while (next_field(&pod, &f, &good))
		if (f.wire == WIRE_TEXT && f.number == POD_LABELS)
			fields_label(cs, c, text_of(f.text, MAP_KEY), text_of(f.text, MAP_VALUE));
}

bool containers_read_pods(struct containers *cs, struct str answer)
{
	struct str rest = answer;
	struct field f;
	bool good = true;

	if (!is_whole(answer))
		return false;
	while (next_field(&rest, &f, &good))
		if (f.wire == WIRE_TEXT && f.number == 1)
			read_pod(cs, f.text);
	return true;
}

/* ---- asking ---- */

static void ask(struct containers *cs, const char *socket)
{
	BUF_AUTO answer = { 0 };
	struct stat st;
	int err;

	if (stat(socket, &st) || !S_ISSOCK(st.st_mode) ||
	    (cs->silent && !strcmp(cs->silent, socket)))
		return;
	err = grpc_call(socket, LIST, STR(""), WAIT_MS, &answer);
	if (!err && !containers_read_pods(cs, (struct str){ answer.p, answer.n }))
		err = -EPROTO;
	if (err && err != -ECONNREFUSED) {
		cs->silent = arena_strdup(cs->arena, socket);
		cs->silent_error = err;
	}
}

/* Has one that is known a pod whose labels are not? */
static bool must_ask(const struct containers *cs)
{
	vec_each(&cs->list, c)
		if ((*c)->sandbox && !(*c)->sandbox->is_labelled)
			return true;
	return false;
}

void containers_ask_pods(struct containers *cs)
{
	static const char *const sockets[] = { "/run/containerd/containerd.sock",
					       "/run/k3s/containerd/containerd.sock" };
	/* As crictl has it. */
	const char *named = *cs->root ? NULL : getenv("CONTAINER_RUNTIME_ENDPOINT");

	if (!must_ask(cs))
		return;
	if (named && !strncmp(named, "unix://", 7))
		ask(cs, named + 7);
	for (size_t i = 0; i < ARRAY_SIZE(sockets) && must_ask(cs); i++)
		ask(cs, arena_printf(cs->scratch, "%s%s", cs->root, sockets[i]));
}
