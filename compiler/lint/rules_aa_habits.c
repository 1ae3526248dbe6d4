/* SPDX-License-Identifier: Apache-2.0 */
/* AP3 of what a profile says beside its rules: flags, limits, who may stop it. */
#include <string.h>

#include "compiler/base/bug.h"
#include "compiler/lint/aa_fix.h"
#include "compiler/lint/aa_risk.h"

/* ---- flags ---- */

RULE(AP325, "paths-out-of-sight", INFO, APPARMOR, ap_paths_out_of_sight,
     "files of other mount namespaces, or of a chroot, are named as if they stood at /",
     "With attach_disconnected a file that lies in no mount that the process sees is looked up as if "
     "it stood at /: 'var/www/x' of another mount namespace matches /var/www/** of the rules, and "
     "rules hit files that they were not written for (runc#4968). It is needed where such files are "
     "passed in: by a container's runtime, by systemd's sandboxes; the text cannot tell, so this is "
     "information. With chroot_relative, a warning, a process that may call chroot decides itself "
     "what its paths begin with. mediate_deleted alone is no finding: it asks more.\n\n"
     "Way out: take the flag away and see what is refused; from AppArmor 4.0 on "
     "attach_disconnected.path=/disconnected gives such files a place of their own.")
void ap_paths_out_of_sight(struct lint *l, enum diag_id id)
{
	const struct aa_profile *p = l->aa->profile;
	bool attach = p->header->flags & AA_FLAG_ATTACH && !p->header->disconnected.n;
	bool chroot = p->header->flags & AA_FLAG_CHROOT_RELATIVE;
	struct diag *d;

	if (!aa_risk_counts(l) || p->from || (!attach && !chroot))
		return;
	if (chroot) {
		d = diag_add_as(
			l->ds, id, SEVERITY_WARNING, aa_risk_flags(p),
			"with 'chroot_relative' a program that may call chroot decides what "
			"its paths begin with");
		diag_help(l->ds, d, "take the flag away");
		return;
	}
	d = diag_add(
		l->ds, id, aa_risk_flags(p),
		"with 'attach_disconnected' files that the process does not see are named as if "
		"they stood at /, and match rules for others");
	diag_help(l->ds, d,
		  l->aa->release >= AA_RELEASE_4_0 ?
			  "take it away, or give them a place: "
			  "attach_disconnected.path=/disconnected" :
			  "take it away where nothing is refused without it");
}

/* ---- containers ---- */

/* Said by its name: a profile without an attachment may be for anything. */
static bool is_for_containers(const struct aa_profile *p)
{
	static const char *const words[] = { "docker", "container", "podman", "crio",
					     "cri-o",  "k8s",       "kube",   "nerdctl" };
	const char *name = p->label.n ? p->label.p : "";

	if (p->parent || p->hat || p->attachment || !p->label.n || name[0] == '/')
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (memmem(name, p->label.n, words[i], strlen(words[i])))
			return true;
	return false;
}

RULE(AP327, "container-not-stopped", WARNING, APPARMOR, ap_container_not_stopped,
     "a runtime that is confined itself cannot stop the container",
     "abstractions/base lets a process be signalled by what is unconfined. Since Ubuntu 23.10 runc, "
     "crun and others have profiles of their own, so that they may make user namespaces, and are "
     "'unconfined' no more: 'docker stop' then waits, and nothing of the container ends "
     "(moby#47720, moby#47749). Docker's and Podman's own profiles have 'signal (receive) peer=runc,' "
     "and 'peer=crun,' since.\n\n"
     "Told of profiles whose name says that they are for containers, and which no program is "
     "attached to. On a system whose runtimes are not confined nothing happens.\n\n"
     "Way out: signal (receive) peer={runc,crun},")
void ap_container_not_stopped(struct lint *l, enum diag_id id)
{
	static const char *const accesses[] = { "signal receive term peer=runc",
						"signal receive term peer=crun" };
	const struct aa_profile *p = l->aa->profile;
	struct aa_verdict v[ARRAY_SIZE(accesses)];
	struct diag *d;

	if (!aa_risk_counts(l) || p->from || !is_for_containers(p))
		return;
	for (size_t i = 0; i < ARRAY_SIZE(accesses); i++) {
		v[i] = aa_asks(l, accesses[i], FILE_OTHER);
		if (!aa_refuses(&v[i]))
			return;
	}
	d = diag_add(l->ds, id, p->stmt->head,
		     "'%s' is refused: where runc or crun has a profile of its own (Ubuntu since "
		     "23.10) it cannot stop this container",
		     accesses[0]);
	diag_help(l->ds, d, "add 'signal (receive) peer={runc,crun},'");
	aa_fix_add(l, d, p, "signal (receive) peer={runc,crun},");
}

/* ---- limits ---- */

enum { LIMIT_RTPRIO = 14, RTPRIO_MOST = 99 }; /* as x86 numbers it; of nice no rule says the most */

static bool limits_nothing(const struct aa_limit_rule *r)
{
	return r->value == UINT64_MAX || (r->resource == LIMIT_RTPRIO && r->value >= RTPRIO_MOST);
}

RULE(AP328, "limit-nothing", INFO, APPARMOR, ap_limit_nothing, "a limit limits nothing",
     "'set rlimit' only lowers what a process has: the kernel takes the smaller of the process' "
     "hard limit and the rule's (security/apparmor/resource.c, __aa_transition_rlimits). With "
     "'infinity', or the largest value that there is (rtprio 99), nothing changes, and "
     "it does not raise a limit either.\n\n"
     "Way out: a number, or no rule; to raise a limit, systemd's LimitNOFILE= or the runtime's "
     "--ulimit.")
void ap_limit_nothing(struct lint *l, enum diag_id id)
{
	vec_each(&l->aa->q->rules, it) {
		const struct aa_rule *r = *it;
		struct diag *d;
		if (r->class != AA_CLASS_RLIMIT || !aa_is_own(r->use) || !limits_nothing(&r->limit))
			continue;
		d = aa_tell(l, id, r->use,
			    "this limits nothing: 'set rlimit' takes the smaller of this and what "
			    "the process has");
		if (!d)
			continue;
		diag_help(l->ds, d, "write a number, or leave the rule out");
		aa_fix_cut(l, d, r->use, FIX_SAFE, FIX_SAME);
	}
}

/* ---- variables ---- */

/* Does it stand in a statement of the file that sets it? */
static bool sets(const struct aa_stmt *s, uint32_t at)
{
	for (; s; s = s->next)
		if (s->kind == AA_STMT_VAR && s->word.span.begin <= at && at < s->word.span.end)
			return true;
	return false;
}

static bool names_elsewhere(const struct lint *l, const struct source *src, struct str name)
{
	const char *p = src->text.p, *end = p + src->text.n;

	for (; (p = memmem(p, (size_t)(end - p), name.p, name.n)); p += name.n)
		if (src != l->aa->file->source ||
		    !sets(l->aa->file->stmts, (uint32_t)(p - src->text.p)))
			return true;
	return false;
}

/* In comments, too, and in any file that some profile included: who is to be told must be sure. */
static bool is_used(const struct lint *l, struct str name)
{
	vec_each(&l->aa->library->entries, e)
		if ((*e)->kind == AA_ENTRY_FILE && (*e)->source &&
		    names_elsewhere(l, (*e)->source, name))
			return true;
	return names_elsewhere(l, l->aa->file->source, name);
}

RULE(AP223, "variable-unused", INFO, APPARMOR_FILE, ap_variable_unused,
     "a variable that the file sets and nothing uses",
     "A variable is set in a file with profiles, and neither these nor any file that they include name it: a rule "
     "that was to be written with it is missing, or it is left over. Of a variable that another file declares and "
     "this one adds to ('+=') it is not told.\n\n"
     "Way out: use it, or take the line away; files of local/ may be what it is for.")
void ap_variable_unused(struct lint *l, enum diag_id id)
{
	for (const struct aa_stmt *s = l->aa->file->stmts; s && l->aa->policy->profiles.n;
	     s = s->next) {
		struct diag *d;

		if (s->kind != AA_STMT_VAR || s->op != AA_OP_EQ ||
		    !str_starts(s->word.text, "@{") || is_used(l, s->word.text))
			continue;
		d = diag_add(l->ds, id, s->word.span, "nothing that is read here uses '%s'",
			     str_safe_of(l->arena, s->word.text));
		diag_help(l->ds, d, "use it, or take the line away");
	}
}
