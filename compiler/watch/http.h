/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * GET /metrics, for a collector on this machine: HTTP/1.1 on 127.0.0.1, one connection at a time,
 * closed after its answer, each with a time and a size that end it. It never waits.
 */
#include <stdint.h>

#include "compiler/base/str.h"

enum { HTTP_REQUEST_MAX = 4096, HTTP_SECONDS = 2 };

struct http {
	int listening, fd; /* -1: none */
	uint16_t port;
	uint64_t until_ns; /* CLOCK_MONOTONIC: then it is over for this connection */
	char request[HTTP_REQUEST_MAX];
	size_t read;
	struct buf answer; /* all of it; n 0: it is not asked yet */
	size_t written;
};

typedef void http_body_fn(void *who, struct buf *out);

/* port 0: one that is free. 0 or -errno. */
int http_open(struct http *h, uint16_t port);
/* What to poll, and for what; -1: nothing. */
int http_wants(const struct http *h, short *events);
/* Goes on as far as it can now. body(who): what /metrics answers. */
void http_step(struct http *h, uint64_t now_ns, http_body_fn *body, void *who);
void http_close(struct http *h);
