/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which part of a runtime answers a call in a container. */
#include "compiler/file/container.h"

/* "docker.json:7:12: 'read'", "libseccomp: an architecture that the profile does not list" */
void put_loaded(struct buf *out, const struct sources *sources, const struct container *l,
		const struct call *c);
