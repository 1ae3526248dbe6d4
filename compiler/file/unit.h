/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A unit of systemd as a policy: compiler/systemd/filter.h writes it, with what is put over the unit. */
#include "compiler/deploy/deploy.h"
#include "compiler/file/session.h"

/*
 * Reads what is put over the unit at path into d: path.d/NAME.conf, in the order of the names
 * (systemd.unit(5)). d->part: the file at path is such a one itself.
 */
void unit_read_over(struct session *s, const char *path, struct deployment *d);

/* The policy's text, as a source of its own; NULL after saying that nothing in it filters calls (PL022). */
struct source *unit_policy(struct session *s, struct source *src, const char *path);
