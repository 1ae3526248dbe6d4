/* SPDX-License-Identifier: Apache-2.0 */
/* AppArmor's records as the kernel's log, journald, auditd, ausearch and the message bus write them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "compiler/file/denied.h"

struct fixture {
	struct arena *arena;
	struct denied got;
};

static int setup(void **state)
{
	static struct fixture f;

	f.arena = arena_new(NULL);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	arena_free(f->arena);
	return 0;
}

static struct denied *of(void **state, const char *line)
{
	struct fixture *f = *state;

	assert_true(denied_is_record(str_c(line)));
	assert_null(denied_read(f->arena, str_c(line), &f->got));
	return &f->got;
}

#define IS(s, text) assert_true(str_is((s), (text)))

static void a_file_that_was_refused(void **state)
{
	struct denied *d =
		of(state, "[ 12.5] audit: type=1400 audit(1790000000.125:7): apparmor=\"DENIED\" "
			  "operation=\"open\" class=\"file\" profile=\"web\" name=\"/srv/x\" "
			  "pid=1234 comm=\"cat\" requested_mask=\"wr\" denied_mask=\"w\" "
			  "fsuid=33 ouid=0");

	assert_int_equal(d->status, DENIED_DENIED);
	IS(d->operation, "open");
	IS(d->class, "file");
	IS(d->profile, "web");
	IS(d->name, "/srv/x");
	IS(d->pid, "1234");
	IS(d->requested, "wr");
	IS(d->denied, "w");
	assert_false(d->owned);
	assert_null(d->peer.p);
}

static void a_name_in_hex(void **state)
{
	struct denied *d =
		of(state, "type=AVC msg=audit(1.2:3): apparmor=\"ALLOWED\" operation=\"open\" "
			  "profile=\"t\" name=2F6120622263 pid=12 comm=6120 "
			  "requested_mask=\"r\" denied_mask=\"r\" fsuid=0 ouid=0");

	assert_int_equal(d->status, DENIED_ALLOWED);
	IS(d->name, "/a b\"c");
	IS(d->comm, "a ");
	IS(d->pid, "12");
	IS(d->class, "file");
	assert_true(d->owned);
}

/* Of auditd's own fields, which a byte parts that pasting loses. */
static void a_number_ends_with_its_digits(void **state)
{
	struct denied *d =
		of(state, "type=AVC msg=audit(1.2:3): apparmor=\"DENIED\" operation=\"open\" "
			  "profile=\"t\" name=\"/x\" requested_mask=\"r\" "
			  "denied_mask=\"r\" fsuid=0 ouid=0FSUID=\"root\" OUID=\"root\"");

	assert_true(d->whose && d->owned);
}

static void what_has_no_class_is_told_by_its_operation(void **state)
{
	static const char *const rows[][2] = {
		{ "capable", "cap" },
		{ "create", "net" },
		{ "ptrace", "ptrace" },
		{ "signal", "signal" },
		{ "umount", "mount" },
		{ "pivotroot", "mount" },
		{ "exec", "file" },
		{ "mkdir", "file" },
		{ "userns_create", "namespace" },
		{ "link", "file" },
		{ "uring_sqpoll", "io_uring" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		BUF_AUTO b = { 0 };

		buf_printf(&b, "audit[5]: AVC apparmor=\"DENIED\" operation=\"%s\" profile=\"t\"",
			   rows[i][0]);
		IS(of(state, b.p)->class, rows[i][1]);
	}
}

static void a_capability_a_signal_a_mount(void **state)
{
	struct denied *d;

	d = of(state, "type=1400 apparmor=\"DENIED\" operation=\"capable\" class=\"cap\" "
		      "profile=\"t\" pid=1 comm=\"p\" capability=21  capname=\"sys_admin\"");
	IS(d->capability, "sys_admin");
	d = of(state, "type=1400 apparmor=\"DENIED\" operation=\"signal\" profile=\"t\" pid=1 "
		      "comm=\"p\" requested_mask=\"send\" denied_mask=\"send\" signal=term "
		      "peer=\"unconfined\"");
	IS(d->signal, "term");
	IS(d->peer, "unconfined");
	IS(d->denied, "send");
	d = of(state, "type=1400 apparmor=\"KILLED\" operation=\"mount\" class=\"mount\" "
		      "info=\"failed mntpnt match\" error=-13 profile=\"t\" name=\"/mnt/\" pid=9 "
		      "comm=\"mount\" fstype=\"tmpfs\" srcname=\"none\" flags=\"rw, nosuid\"");
	assert_int_equal(d->status, DENIED_KILLED);
	IS(d->name, "/mnt/");
	IS(d->source, "none");
	IS(d->fstype, "tmpfs");
	IS(d->flags, "rw, nosuid");
	IS(d->info, "failed mntpnt match");
}

static void words_of_newer_kernels(void **state)
{
	struct denied *d;

	d = of(state, "type=1400 apparmor=\"DENIED\" operation=\"userns_create\" "
		      "class=\"namespace\" profile=\"t\" pid=1 comm=\"p\" "
		      "requested=\"userns_create\" denied=\"userns_create\" target=\"x\" "
		      "execpath=\"/bin/p\"");
	IS(d->denied, "userns_create");
	IS(d->target, "x");
	d = of(state,
	       "type=1400 apparmor=\"DENIED\" operation=\"pivotroot\" class=\"mount\" "
	       "profile=\"t\" name=\"/new/\" trans=\"next\" pid=1 comm=\"p\" srcname=\"/new/old/\"");
	IS(d->target, "next");
	d = of(state, "type=1400 apparmor=\"DENIED\" operation=\"connect\" class=\"net\" "
		      "profile=\"t\" pid=1 comm=\"p\" family=\"unix\" sock_type=\"stream\" "
		      "protocol=0 requested=\"send receive connect\" denied=\"connect\" "
		      "addr=none peer_addr=\"@q1\" peer=\"unconfined\"");
	IS(d->family, "unix");
	IS(d->type, "stream");
	IS(d->protocol, "0");
	IS(d->address, "none");
	IS(d->peer_address, "@q1");
}

static void what_the_bus_says(void **state)
{
	struct denied *d =
		of(state, "type=USER_AVC msg=audit(1.2:3): pid=700 uid=102 subj=unconfined "
			  "msg='apparmor=\"DENIED\" operation=\"dbus_method_call\"  bus=\"system\" "
			  "path=\"/org/x\" interface=\"org.x\" member=\"M\" mask=\"send\" "
			  "label=\"t\" peer_label=\"unconfined\" exe=\"/usr/bin/dbus-daemon\"'");

	IS(d->class, "dbus");
	IS(d->requested, "send");
	IS(d->profile, "t");
	IS(d->peer, "unconfined");
}

static void what_is_read_for_people_has_no_quotes(void **state)
{
	struct denied *d =
		of(state, "type=AVC msg=audit(09/01/26 10:00:00.125:7) : apparmor=DENIED "
			  "operation=open class=file profile=t name=/srv/x pid=12 comm=cat "
			  "requested_mask=r denied_mask=r fsuid=root ouid=root");

	IS(d->name, "/srv/x");
	IS(d->denied, "r");
	assert_true(d->owned);
}

static void what_asks_nothing(void **state)
{
	struct denied *d =
		of(state, "type=1400 apparmor=\"STATUS\" operation=\"profile_load\" "
			  "profile=\"unconfined\" name=\"t\" pid=1 comm=\"apparmor_parser\"");

	assert_int_equal(d->status, DENIED_OTHER);
	IS(d->class, "policy");
}

static void what_is_cut_off_is_told(void **state)
{
	struct fixture *f = *state;

	assert_false(denied_is_record(str_c("type=1326 audit(1.2:3): arch=c000003e")));
	assert_false(denied_is_record(str_c("myapparmor=\"DENIED\"")));
	assert_string_equal(denied_read(f->arena, str_c("apparmor=\"DENIED\""), &f->got),
			    "it has no operation=");
	assert_string_equal(
		denied_read(f->arena, str_c("apparmor=\"DENIED\" operation=\"open\""), &f->got),
		"it has no profile=");
	assert_string_equal(denied_read(f->arena,
					str_c("apparmor=\"DENIED\" operation=\"open\" profile=\"t"),
					&f->got),
			    "its profile= is cut off");
	assert_string_equal(
		denied_read(f->arena,
			    str_c("apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=2F6"),
			    &f->got),
		"its name= is cut off");
}

static void what_stands_twice_or_holds_a_zero_byte_is_told(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(denied_read(f->arena,
					str_c("apparmor=DENIED operation=open profile=t name=/a "
					      "pid=2 b pid=1 denied_mask=r"),
					&f->got),
			    "its pid= stands there twice");
	assert_string_equal(denied_read(f->arena,
					str_c("apparmor=\"DENIED\" operation=\"open\" "
					      "profile=\"t\" name=2F610062"),
					&f->got),
			    "its name= holds a zero byte");
}

static void names_for_people_may_hold_blanks(void **state)
{
	struct denied *d = of(
		state, "type=AVC msg=audit(09/01/26 10:00:00.125:7) : apparmor=DENIED "
		       "operation=mount info=failed mntpnt match error=EACCES(Permission denied) "
		       "profile=t name=/a b pid=12 comm=my mount fstype=tmpfs srcname=none "
		       "flags=rw, nosuid ");

	IS(d->name, "/a b");
	IS(d->info, "failed mntpnt match");
	IS(d->comm, "my mount");
	IS(d->flags, "rw, nosuid");
}

static void a_namespace_and_a_number_for_a_capability(void **state)
{
	struct denied *d =
		of(state, "type=1400 apparmor=\"DENIED\" operation=\"capable\" "
			  "namespace=\"root//n1\" profile=\"t\" pid=1 comm=\"p\" capability=21");

	IS(d->ns, "root//n1");
	IS(d->capability, "sys_admin");
}

static void who_asked_is_no_part_of_the_question(void **state)
{
	static const char *const lines[] = {
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/a\" pid=1 comm=\"x\" "
		"denied_mask=\"r\" fsuid=0 ouid=0",
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/a\" pid=2 comm=\"y\" "
		"denied_mask=\"r\" fsuid=1 ouid=1",
		"apparmor=\"DENIED\" operation=\"open\" profile=\"t\" name=\"/a\" pid=1 comm=\"x\" "
		"denied_mask=\"r\" fsuid=0 ouid=1",
	};
	struct denied all[3];

	for (size_t i = 0; i < 3; i++)
		all[i] = *of(state, lines[i]);
	assert_true(denied_same(&all[0], &all[1]));
	assert_true(denied_hash(&all[0]) == denied_hash(&all[1]));
	assert_false(denied_same(&all[0], &all[2]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(a_file_that_was_refused),
		T(a_name_in_hex),
		T(a_number_ends_with_its_digits),
		T(what_has_no_class_is_told_by_its_operation),
		T(a_capability_a_signal_a_mount),
		T(words_of_newer_kernels),
		T(what_the_bus_says),
		T(what_is_read_for_people_has_no_quotes),
		T(what_asks_nothing),
		T(what_is_cut_off_is_told),
		T(what_stands_twice_or_holds_a_zero_byte_is_told),
		T(names_for_people_may_hold_blanks),
		T(a_namespace_and_a_number_for_a_capability),
		T(who_asked_is_no_part_of_the_question),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
