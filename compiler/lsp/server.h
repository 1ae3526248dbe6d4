/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the server's files share; nobody outside of the room includes it. */
#include "compiler/file/kind.h"
#include "compiler/file/session.h"
#include "compiler/lsp/lsp.h"
#include "compiler/lsp/text.h"
#include "grammar/json.h"

struct lsp_document {
	struct arena *arena; /* its own */
	const char *uri, *path;
	struct buf text;
	bool named;    /* it is a policy, says the client: it is never passed over */
	bool apparmor; /* it is AppArmor's text, where that does not say itself what it is */
	bool dirty;    /* it changed since it was told what is wrong with it */
	int64_t version;
	bool versioned;
};

enum lsp_language { LSP_PALE, LSP_JSON, LSP_APPARMOR, LSP_YAML };
enum lsp_state { LSP_NEW, LSP_RUNNING, LSP_SHUT, LSP_ENDED };

struct lsp {
	const struct lsp_host *host;
	struct arena *arena;
	enum lsp_state state;
	int status;
	struct buf in;
	enum lsp_encoding encoding;
	VEC(struct lsp_document *) documents;
};

/* JSON-RPC 2.0 and LSP 3.17, "ErrorCodes". */
enum lsp_error {
	LSP_PARSE_ERROR = -32700,
	LSP_INVALID_REQUEST = -32600,
	LSP_METHOD_NOT_FOUND = -32601,
	LSP_INVALID_PARAMS = -32602,
	LSP_NOT_INITIALIZED = -32002,
};

/* One request or notification, while it is answered. */
struct lsp_request {
	struct lsp *lsp;
	struct session session;    /* its arena goes with it */
	const struct json *params; /* NULL: none */
	struct json_writer w;      /* of the result; what writes nothing answers null */
	enum lsp_error error;      /* 0: none */
	const char *why;
};

/* ---- rpc.c ---- */

/* A string; empty: there is none. NULL is fine. */
struct str lsp_text_at(const struct json *object, const char *key);
/* A number from 0 on that fits. False: there is none. */
bool lsp_u32_at(const struct json *object, const char *key, uint32_t *out);
void lsp_fail(struct lsp_request *q, enum lsp_error error, const char *why);
/* The answer to a request; its id is text as the client wrote it, empty: null. */
void lsp_put_error(struct buf *out, struct str id, enum lsp_error code, const char *why);
void lsp_put_result(struct buf *out, struct str id, const struct buf *result);
/* A notification to the client: `params` is its JSON. */
void lsp_notify(struct buf *out, const char *method, const struct buf *params);
/* The same for window/showMessage, of an error. */
void lsp_show(struct buf *out, const char *message);

/* ---- documents.c ---- */

struct lsp_document *lsp_document_find(struct lsp *l, struct str uri);
/* The text that a request's textDocument names; NULL: told. */
struct lsp_document *lsp_document_asked(struct lsp_request *q);
struct str lsp_document_text(const struct lsp_document *d);
/* "file:///a%20b" is "/a b"; NULL: it names no file. */
const char *lsp_path_of(struct arena *a, struct str uri);

void lsp_did_open(struct lsp_request *q, struct buf *out);
void lsp_did_change(struct lsp_request *q, struct buf *out);
void lsp_did_close(struct lsp_request *q, struct buf *out);

/* The bytes of a Range; false: it is none. */
bool lsp_range_at(const struct lsp_request *q, const struct json *range, struct str text,
		  struct span *out);

/* A place that a request asks about. */
struct lsp_asked {
	struct lsp_document *document;
	struct str text;
	uint32_t offset;
	enum lsp_language language;
	struct source *source; /* of the request's session */
};
/* False: told. */
bool lsp_asked(struct lsp_request *q, struct lsp_asked *out);
void lsp_language_of(struct lsp_request *q, struct lsp_document *d, struct lsp_asked *out);

/* ---- diagnostics.c ---- */

struct lsp_shown { /* how findings of one text are shown */
	const struct lsp *lsp;
	struct arena *arena;
	const struct lsp_document *document;
	struct lsp_lines lines; /* of the document */
	const struct findings *all;
	const char *pages;        /* NULL: nowhere */
	const struct source *own; /* the document as it was linted, once it was seen */
};
void lsp_shown_open(const struct lsp *l, struct arena *a, const struct lsp_document *d,
		    struct lsp_shown *out);
/* Does the span stand in the document itself? */
bool lsp_is_own(struct lsp_shown *s, const struct source *src);
void lsp_put_finding(struct lsp_shown *s, struct json_writer *w, const char *key,
		     const struct finding *f);
void lsp_publish(struct lsp *l, struct lsp_document *d, struct buf *out);
/* A Location of a span, whatever file it stands in. */
void lsp_put_location(struct lsp_request *q, struct json_writer *w, const char *key,
		      const struct source *src, struct span sp);

/* ---- what is asked of a text ---- */

void lsp_hover(struct lsp_request *q);
void lsp_complete(struct lsp_request *q);
void lsp_define(struct lsp_request *q);
void lsp_format(struct lsp_request *q);
void lsp_act(struct lsp_request *q);
