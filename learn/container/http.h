/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What is needed of HTTP to ask an engine at its socket: one GET of version 1.0, whose answer ends with
 * the connection (RFC 1945).
 */
#include "compiler/base/str.h"

#define HTTP_MOST  (16u << 20) /* bytes of an answer */
#define HTTP_HEADS 64          /* header lines of one */

struct http_answer {
	unsigned status;   /* 200 */
	struct str server; /* who says that it answers; empty: nobody */
	struct str body;
};

/* Of a whole answer, which stays where it is. False: it is none, or one that is cut off. */
bool http_read(struct str text, struct http_answer *out);
/*
 * What the socket of that path answers to GET `target`, in `out`, which the caller frees. 0 or -errno:
 * -EAGAIN: nothing came for wait_ms; -EFBIG.
 */
int http_get(const char *socket, const char *target, unsigned wait_ms, struct buf *out);
