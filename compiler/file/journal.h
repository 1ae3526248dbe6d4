/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The journal's JSON (systemd.journal-fields(7), journalctl -o json, json-seq, json-sse): an
 * object a line, the record's text under "MESSAGE".
 */
#include "compiler/base/arena.h"
#include "compiler/base/str.h"

/* The message of such a line, in the arena; false: no such object. Texts that are no UTF-8 stand
 * there as arrays of bytes. */
bool journal_message(struct arena *a, struct str line, struct str *message);
