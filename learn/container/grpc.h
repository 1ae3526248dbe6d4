/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is needed of gRPC to ask a container runtime at its socket: one call with one message each way,
 * over HTTP/2 (RFC 9113) without TLS. What heads say is not decoded: a call that fails has no message.
 */
#include "compiler/base/str.h"

#define GRPC_MOST   (16u << 20) /* bytes of an answer, and the window that is given for it */
#define GRPC_FRAMES 65536       /* of one */

struct grpc_answer {
	struct buf body; /* the caller frees it */
	bool ended;      /* it is whole */
	int error;       /* -errno: it never will be */
	unsigned frames;
};

/* Takes the frames that are whole; how many bytes they were. What must be said to them goes to reply. */
size_t grpc_take(struct grpc_answer *answer, struct str bytes, struct buf *reply);
/* The message of an answer that ended; false: it has none, or not just one. */
bool grpc_message(const struct grpc_answer *answer, struct str *out);
/*
 * What "/package.Service/Method" at the socket of that path answers, in `out`, which the caller frees.
 * 0 or -errno: -EAGAIN: it took longer than wait_ms; -EFBIG; -EPROTO: it failed.
 */
int grpc_call(const char *socket, const char *method, struct str message, unsigned wait_ms,
	      struct buf *out);
