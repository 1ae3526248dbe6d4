/* SPDX-License-Identifier: Apache-2.0 */
/* mount, remount, umount, pivot_root as accesses. */
#include "compiler/apparmor/access_parts.h"

#include <sys/mount.h>

#define MAKES (MS_UNBINDABLE | MS_PRIVATE | MS_SLAVE | MS_SHARED)

/*
 * The kinds in the order in which the kernel looks for them, what each is asked by, and which bits
 * it looks at (security/apparmor/lsm.c, apparmor_sb_mount; mount.c).
 */
static const struct mount_kind {
	unsigned flag, mask;
	bool source, fstype;
	const char *what, *such;
} mount_kinds[] = {
	{ MS_REMOUNT, ~0u, false, false, "a remount is asked about by its mount point alone",
	  "such as: remount options=(ro,nosuid) /mnt/" },
	{ MS_BIND, MS_BIND | MS_REC, true, false,
	  "to bind is asked about by source and mount point, without a type",
	  "such as: mount options=(bind) /src/ -> /mnt/" },
	{ MAKES, MAKES | MS_REC | MS_SILENT, false, false,
	  "a change of the propagation is asked about by its mount point alone",
	  "such as: mount options=(rslave) -> /mnt/" },
	{ MS_MOVE, MS_MOVE, true, false,
	  "to move is asked about by source and mount point, without a type",
	  "such as: mount options=(move) /src/ -> /mnt/, or of a new tree: detached -> /mnt/" },
	{ ~0u, ~0u, true, true, "a new mount is asked about by fstype, source and mount point",
	  "such as: mount fstype=tmpfs options=(nosuid,nodev) tmpfs -> /mnt/" },
};

/* Of a rule that changes a mount: all its flags; the bits that words clear are not there. */
static bool read_flags(struct reading *r, const struct aa_mount_rule *m, unsigned *out)
{
	*out = m->kind == AA_REMOUNT ? MS_REMOUNT : 0;
	if (m->flags.n > 1 || (m->flags.n && m->flags.v[0].op != AA_OP_EQ))
		return access_vague(r, "the options of one mount are asked about",
				    "once, as all that are set: options=(ro,nosuid)");
	if (m->flags.n)
		*out = m->flags.v[0].set;
	return true;
}

static bool read_point(struct reading *r, const struct aa_word *w, struct str *out)
{
	return access_literal(r, w, out) && access_is_path(r, *out, w->span);
}

static bool read_source(struct reading *r, const struct mount_kind *k, const struct aa_word *w,
			struct str *out)
{
	if (!k->source)
		return true;
	if (!access_literal(r, w, out))
		return false;
	if (k->flag == MS_MOVE && str_is(*out, "detached")) {
		*out = (struct str){ "", 0 };
		return true;
	}
	return k->fstype || access_is_path(r, *out, w->span);
}

static bool read_umount(struct reading *r, const struct aa_rule *rule, struct aa_access *out)
{
	out->perms = AA_ACCESS_UMOUNT;
	if (rule->conds.n || !rule->mount.point.word)
		return access_vague(r, "to unmount is asked about by its mount point alone",
				    "such as: umount /mnt/");
	return read_point(r, rule->mount.point.word, &out->mount.point);
}

bool access_mount(struct reading *r, struct aa_access *out)
{
	const struct mount_kind *k = mount_kinds;
	const struct aa_cond *type;
	const struct aa_mount_rule *m;
	bool fits;

	out->class = AA_CLASS_MOUNT;
	out->perms = AA_ACCESS_MOUNT;
	out->rule = access_as_rule(r, NULL, NULL);
	if (!out->rule)
		return false;
	m = &out->rule->mount;
	if (m->kind == AA_UMOUNT)
		return read_umount(r, out->rule, out);
	if (!read_flags(r, m, &out->mount.flags))
		return false;
	while (!(k->flag & out->mount.flags) && k->flag != ~0u)
		k++;
	type = aa_rule_cond(out->rule, AA_COND_FSTYPE, false);
	fits = m->point.word && !m->source.word == !k->source && !type == !k->fstype;
	if (!fits)
		return access_vague(r, k->what, k->such);
	out->mount.flags &= k->mask;
	return access_value(r, type, &out->mount.fstype) &&
	       read_source(r, k, m->source.word, &out->mount.source) &&
	       read_point(r, m->point.word, &out->mount.point);
}

bool access_pivot(struct reading *r, struct aa_access *out)
{
	const struct aa_cond *old;
	const struct aa_pivot_rule *p;

	out->class = AA_CLASS_PIVOT_ROOT;
	out->perms = AA_ACCESS_PIVOT;
	out->rule = access_as_rule(r, NULL, NULL);
	if (!out->rule)
		return false;
	p = &out->rule->pivot;
	old = aa_rule_cond(out->rule, AA_COND_OLDROOT, false);
	if (!old || !p->root.word || p->target.word || out->rule->conds.n > 1)
		return access_vague(
			r, "pivot_root is asked about by where the old root goes and the new one",
			"such as: pivot_root oldroot=/new/old/ /new/");
	return access_value(r, old, &out->pivot.old) &&
	       access_is_path(r, out->pivot.old, old->values->span) &&
	       read_point(r, p->root.word, &out->pivot.root);
}
