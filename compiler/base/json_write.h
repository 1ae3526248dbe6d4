/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Writing JSON (RFC 8259): what a string may hold of the user's stands here and nowhere else.
 */
#include "compiler/base/str.h"

/*
 * A string with its quotes and escapes. Control characters, U+007F to U+009F among them (a
 * terminal obeys those too), are \uXXXX; bytes that are not UTF-8 become U+FFFD.
 */
void json_put_string(struct buf *out, struct str s);
