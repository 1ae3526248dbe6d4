/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as what containerd sends behind a call of gRPC, whole and in two parts, which is the same; and its
 * message, or the bytes themselves, as the list of its pods.
 */
#include "compiler/base/bug.h"
#include "learn/container/container.h"
#include "learn/container/grpc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_pods(struct str message)
{
	struct arena *a = arena_new(NULL);
	struct containers *cs = containers_new(a, "/nowhere");

	containers_read_pods(cs, message);
	vec_each(&cs->list, c) {
		BUG_ON(containers_by_id(cs, str_c((*c)->id)) != *c &&
		       strlen((*c)->id) == CONTAINER_ID);
		BUG_ON(!(*c)->is_sandbox || container_has_label(*c, "a,b"));
	}
	arena_free(a);
}

/* How far it comes, in two steps. */
static size_t take(struct grpc_answer *a, struct str bytes, size_t first, struct buf *reply)
{
	size_t used = grpc_take(a, (struct str){ bytes.p, first }, reply);

	BUG_ON(used > first);
	return used + grpc_take(a, (struct str){ bytes.p + used, bytes.n - used }, reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct str bytes = { (const char *)data, size }, message;
	struct grpc_answer whole = { 0 }, parts = { 0 };
	BUF_AUTO reply = { 0 };
	BUF_AUTO again = { 0 };

	BUG_ON(take(&whole, bytes, size, &reply) != take(&parts, bytes, size / 2, &again));
	BUG_ON(whole.error != parts.error || whole.ended != parts.ended ||
	       whole.body.n != parts.body.n || reply.n != again.n);
	if (grpc_message(&whole, &message))
		read_pods(message);
	else
		read_pods(bytes);
	buf_free(&whole.body);
	buf_free(&parts.body);
	return 0;
}
