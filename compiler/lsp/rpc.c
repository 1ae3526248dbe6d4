/* SPDX-License-Identifier: Apache-2.0 */
/* JSON-RPC: what goes out, framed; members of what came in. */
#include <string.h>

#include "compiler/lsp/server.h"

/* ---- what goes out ---- */

static void put_message(struct buf *out, const struct buf *body)
{
	buf_printf(out, "Content-Length: %zu\r\n\r\n", body->n);
	buf_add(out, body->p, body->n);
	out->failed |= body->failed;
}

void lsp_notify(struct buf *out, const char *method, const struct buf *params)
{
	BUF_AUTO body = { 0 };

	buf_printf(&body, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\",\"params\":", method);
	buf_add(&body, params->p, params->n);
	buf_putc(&body, '}');
	body.failed |= params->failed;
	put_message(out, &body);
}

void lsp_show(struct buf *out, const char *message)
{
	BUF_AUTO params = { 0 };
	struct json_writer w = { .out = &params, .compact = true };

	json_open(&w, NULL, '{');
	json_number(&w, "type", 1); /* MessageType.Error */
	json_text(&w, "message", message);
	json_close(&w, '}');
	lsp_notify(out, "window/showMessage", &params);
}

void lsp_put_error(struct buf *out, struct str id, enum lsp_error code, const char *why)
{
	BUF_AUTO body = { 0 };

	buf_puts(&body, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_add(&body, id.n ? id.p : "null", id.n ? id.n : strlen("null"));
	buf_printf(&body, ",\"error\":{\"code\":%d,\"message\":", (int)code);
	json_put_string(&body, str_c(why));
	buf_puts(&body, "}}");
	put_message(out, &body);
}

void lsp_put_result(struct buf *out, struct str id, const struct buf *result)
{
	BUF_AUTO body = { 0 };

	buf_puts(&body, "{\"jsonrpc\":\"2.0\",\"id\":");
	buf_add(&body, id.p, id.n);
	buf_puts(&body, ",\"result\":");
	buf_add(&body, result->n ? result->p : "null", result->n ? result->n : strlen("null"));
	buf_putc(&body, '}');
	body.failed |= result->failed;
	put_message(out, &body);
}

/* ---- what comes in ---- */

struct str lsp_text_at(const struct json *object, const char *key)
{
	const struct json *v = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;

	return v && v->kind == JSON_STRING ? v->text : str_c(NULL);
}

bool lsp_u32_at(const struct json *object, const char *key, uint32_t *out)
{
	const struct json *v = object && object->kind == JSON_OBJECT ? json_get(object, key) : NULL;

	if (!v || v->kind != JSON_NUMBER || !v->is_u64 || v->u64 > INT32_MAX)
		return false;
	*out = (uint32_t)v->u64;
	return true;
}

void lsp_fail(struct lsp_request *q, enum lsp_error error, const char *why)
{
	q->error = error;
	q->why = why;
}
