/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The language server (Language Server Protocol 3.17) for policies, seccomp JSON and AppArmor's
 * text: what a client says goes in as bytes, what it is told comes out as bytes. Nothing is read or
 * written here, and no file is linted: a host does (struct lsp_host), as `pale lint` does.
 *
 * Bounded: a message has LSP_MESSAGE_MAX bytes, a text SOURCE_MAX, LSP_OPEN_MAX are open at a
 * time. What is no message ends the session, for nobody knows where the next one begins; what is no
 * request is answered with an error. Each request has an arena of its own.
 */
#include "compiler/lint/finding.h"

enum {
	LSP_HEADER_MAX = 4096,      /* bytes of a message's head */
	LSP_MESSAGE_MAX = 16 << 20, /* and of its body */
	LSP_OPEN_MAX = 1000,        /* texts open at a time */
	LSP_EDITED_MAX = 1 << 30,   /* bytes of text that the edits of one message pass over */
	LSP_COMPLETIONS_MAX = 5000, /* items of one answer */
	LSP_INCLUDED_MAX = 10000,   /* files that are looked through for a definition */
};

/* An open text, as the file of that path, be it there or not. */
struct lsp_file {
	const char *path;
	struct str text;
	bool guessed; /* nobody said that it is one of ours: its content does, or it is passed over */
};

struct aa_library;
/* What the pale.toml of a file says, for what is asked of its names. */
struct lsp_context {
	const char *const *set_dirs; /* of --sets, NULL-ended; may be NULL */
	struct aa_library *library;  /* where AppArmor's includes are found; NULL: nowhere */
};

/* pages: where the rules' pages are; NULL: nowhere. */
typedef void lsp_findings_fn(void *to, const struct findings *all, const char *pages);
typedef void lsp_fix_fn(void *to, const struct findings *all, const struct finding *f);
typedef void lsp_text_fn(void *to, struct str text);

struct lsp_host {
	void *who;
	struct arena *arena;     /* outlives the server; nothing of a request stays in it */
	struct telling *telling; /* of sessions (file/session.h) */
	/*
	 * All that is wrong with it goes to put(), once; it is not called for what is passed over. NULL, or
	 * why nothing was looked at, which the client is shown; it lives until the host is called again.
	 */
	const char *(*lint)(void *who, const struct lsp_file *file, lsp_findings_fn *put, void *to);
	/*
	 * Each finding that begins in [begin, end] or holds it, and has a fix that was proved: put()
	 * is called for it. What it gets lives until it returns.
	 */
	void (*fixes)(void *who, const struct lsp_file *file, struct span at, lsp_fix_fn *put,
		      void *to);
	/* The text with all safe fixes, each proved; put() is not called where there is none. */
	void (*fix_all)(void *who, const struct lsp_file *file, lsp_text_fn *put, void *to);
	/* Lives until the host is called again. */
	void (*context)(void *who, const char *path, struct lsp_context *out);
	/* Files may have changed on the disk: nothing that was read of them counts any more. */
	void (*forget)(void *who);
};

struct lsp;

/* Owner: the caller; lsp_free(). */
struct lsp *lsp_new(const struct lsp_host *host);
void lsp_free(struct lsp *l);
/* Bytes of the client's; answers are appended to *out. After the end they are ignored. */
void lsp_take(struct lsp *l, struct str bytes, struct buf *out);
/* Nothing more waits to be taken: what is wrong with the texts that changed is told. */
void lsp_settle(struct lsp *l, struct buf *out);
/* Has the client ended it, or said what is no message? *status: 0, or 1 where not as it should. */
bool lsp_ended(const struct lsp *l, int *status);
