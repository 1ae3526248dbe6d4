/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "compiler/cbpf/cbpf.h"
#include "compiler/target/target.h"

/*
 * Reads c->weights, lines of `COUNT NAME`, as an architecture numbers its calls; in the arena. What
 * is wrong with them (PL204, PL288) is told at the first reading alone.
 */
void weights_read(struct compilation *c, enum arch a, struct cbpf_weights *out);
