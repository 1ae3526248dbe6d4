/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SJ, and what else the one reader of JSON finds while it reads (compiler/oci/parse.c): every
 * command tells of these in the same words (oci_report(), which lint_json() calls once for all).
 */
#include "compiler/lint/internal.h"

/* The row that --list-rules and --explain show; grammar/json.c does the work while it reads. */
RULE_TOLD(SJ001, "json-syntax", ERROR, JSON, "the text is not JSON",
	  "The text is not JSON: a comment, a trailing comma, NaN, a byte order mark, a control "
	  "character in a string, something cut off. Every reader refuses the whole file.\n\n"
	  "Way out: the message stands where it goes wrong; several are found in one run.")

RULE_TOLD(SJ002, "unknown-field", HIGH, JSON, "a key that no runtime reads",
	  "A key that no runtime reads, most often a typing error ('syscall' for 'syscalls'). Go's "
	  "JSON reader skips it without a word, so the rules under it do not exist.\n\n"
	  "Way out: spell the key as the specification does. Keys that begin with $, _ or # and a "
	  "root \"comment\" are taken for remarks and not reported.")

RULE_TOLD(SJ003, "duplicate-key", HIGH, JSON, "an object has the same key twice",
	  "One object has the same key twice, in any capitals. Go (Docker, Podman, runc) lets each "
	  "value in turn replace the one before it; crun takes the first, or since it reads with "
	  "json-c the last. What the other one said is lost.\n\n"
	  "Way out: unite what both say under one key.")

RULE_TOLD(SJ004, "key-case", WARNING, JSON, "a key differs from the specification in capitals",
	  "A key differs from the specification in capitals only. Go matches keys without case, so "
	  "Docker and runc read it; crun and other strict readers do not.\n\n"
	  "Way out: use the specification's spelling.")

RULE_TOLD(
	SJ005, "bad-number", ERROR, JSON, "a number that is no unsigned 64-bit integer",
	"index, value, valueTwo, errnoRet and defaultErrnoRet are unsigned integers of at most 64 "
	"bits. Negative numbers, fractions, exponents and strings ('0x10', 'ENOSYS') make Go "
	"refuse the whole profile.\n\n"
	"Way out: write the number in decimal. A negative 32-bit argument is its two's complement: "
	"-1 is 4294967295.")

RULE_TOLD(
	SJ006, "lossy-integer", INFO, JSON, "a number that tools with doubles change",
	"The number is exact in this file, but needs more than the 53 bits of a double. Tools that "
	"hold JSON numbers as doubles write another value back.\n\n"
	"Way out: none is needed for runtimes; keep such tools away from the file.")

RULE_TOLD(
	SJ007, "no-default-action", ERROR, JSON, "the profile has no defaultAction",
	"Without defaultAction, Docker takes a profile that has no rules for 'no seccomp' and runs "
	"the container unconfined; with rules, runc and crun refuse it.\n\n"
	"Way out: \"defaultAction\": \"SCMP_ACT_ERRNO\".")

RULE_TOLD(SJ008, "unknown-action", ERROR, JSON, "an action that no runtime knows",
	  "An action that is none of the nine that runtimes know (SCMP_ACT_ALLOW, ERRNO, KILL, "
	  "KILL_PROCESS, KILL_THREAD, LOG, NOTIFY, TRACE, TRAP), or an entry without one: the "
	  "container does not start.")

RULE_TOLD(SJ009, "unknown-arch", ERROR, JSON, "an architecture that runc does not know",
	  "An architecture that runc's table does not have. SCMP_ARCH_NATIVE works in other tools, "
	  "not in runc; PARISC, M68K and SH stand in the specification only.\n\n"
	  "Way out: name the architecture, or use archMap.")

RULE_TOLD(SJ010, "unknown-operator", ERROR, JSON, "an operator or flag that no runtime knows",
	  "An operator other than SCMP_CMP_NE, LT, LE, EQ, GE, GT, MASKED_EQ, or a flag that "
	  "runtimes do not know: the container does not start.")

RULE_TOLD(SJ011, "arch-and-archmap", ERROR, JSON, "both architectures and archMap",
	  "Docker refuses a profile that has both 'architectures' and 'archMap'.\n\n"
	  "Way out: keep archMap, from which Docker picks the row of the machine.")

RULE_TOLD(SJ012, "name-and-names", ERROR, JSON, "both name and names, or the old name alone",
	  "'name' is Docker's form of before 2016. Beside 'names' Docker refuses the profile "
	  "(error); alone Docker, Podman and CRI-O read it (warning). runc and crun do not: in a "
	  "config.json such an entry names no call, and crun does not start the container (high).")

RULE_TOLD(SJ013, "empty-names", ERROR, JSON, "an entry that names no call, or an empty name",
	  "An empty string among the names stops runc ('empty string is not a valid syscall'). An "
	  "entry without names does nothing, which in an allow list means that the calls it was to "
	  "allow are refused.")

RULE_TOLD(SJ014, "arg-index", ERROR, JSON, "an argument index above 5",
	  "A system call has six arguments with the indices 0 to 5. libseccomp answers EINVAL, and "
	  "the container does not start.")

RULE_TOLD(
	SJ015, "errno-on-wrong-action", HIGH, JSON, "an errno with an action that takes none",
	"The specification: where the action takes no errno, a runtime must refuse errnoRet. crun "
	"does, and does not start the container; runc skips it. Only SCMP_ACT_ERRNO and "
	"SCMP_ACT_TRACE take one.")

RULE_TOLD(SJ016, "errno-range", ERROR, JSON, "an errno that libseccomp does not take",
	  "libseccomp takes an errno up to 4094 and refuses rules with a greater one: runc (\"two "
	  "checks on same syscall argument\", as it puts it) and crun do not start the container. "
	  "Both cut the number to 16 bits first: 65537 is 1, and 65536 is 0, success (SJ017).")

RULE_TOLD(
	SJ017, "errno-zero", HIGH, JSON, "errno 0, which is success",
	"SCMP_ACT_ERRNO with errno 0: the call is not made and returns 0, success. A program that "
	"drops privileges by setuid() believes that it did.\n\n"
	"Way out: a real errno. EPERM is 1, ENOSYS is 38.")

RULE_TOLD(SJ018, "minkernel-form", ERROR, JSON, "minKernel is not MAJOR.MINOR",
	  "minKernel is a string of two numbers up to 255 ('4.8'). Docker refuses '4', '4.15.3', "
	  "'4.15abc', '0.0' and the bare number 4.8.")

RULE_TOLD(SJ019, "filter-arch-token", HIGH, JSON,
	  "an architecture in includes or excludes that never matches",
	  "arches of includes and excludes are compared with Go's name of the host (amd64, arm64, "
	  "s390x), never with SCMP_ARCH_* or uname's names. The comparison fails in silence.")

RULE_TOLD(SJ020, "cap-token", HIGH, JSON, "a capability in includes or excludes that never matches",
	  "caps of includes and excludes are compared, as text, with the container's bounding set: "
	  "CAP_ and capitals. Another spelling never matches, in silence: an entry that includes "
	  "it is never in force.")

RULE_TOLD(SJ021, "valuetwo-unused", WARNING, JSON, "valueTwo with an operator that ignores it",
	  "valueTwo belongs to SCMP_CMP_MASKED_EQ. Other operators ignore it, so a range written "
	  "with it has one end only.")

RULE_TOLD(
	SJ022, "listener-meta", ERROR, JSON, "a listener that is not there",
	"SCMP_ACT_NOTIFY needs a listener: without listenerPath runc does not start the container. "
	"listenerMetadata without listenerPath is forbidden by the specification.")

RULE_TOLD(SJ023, "dialect-drift", HIGH, JSON, "keys of another dialect, which these runtimes skip",
	  "Keys of another dialect. 'errno' and 'defaultErrno' (names) are Podman's; Docker, "
	  "containerd, runc and crun skip them. archMap, includes, excludes and 'name' are "
	  "Docker's; in a config.json a runtime skips them, so that conditional rules apply "
	  "always.")

RULE_TOLD(SJ026, "wrong-type", ERROR, JSON, "a value of the wrong JSON type",
	  "A value of another JSON type than the readers want (a string for a list, a list for an "
	  "object). Go refuses the whole profile.")

RULE_TOLD(SJ030, "arch-byte-order", ERROR, JSON,
	  "an architecture of another byte order than the machine's",
	  "An architecture of another byte order than the machine's (SCMP_ARCH_S390X on x86_64). "
	  "libseccomp holds one byte order in a filter: runc and crun do not start the container "
	  "('numerical argument out of domain').\n\n"
	  "Way out: leave it out, or use archMap, of which an engine takes the row of the machine "
	  "alone.")

RULE_TOLD(
	SJ031, "flags-refused", ERROR, JSON, "flags, which this runtime does not take",
	"runc before 1.2 refuses every profile with 'flags' ('seccomp flags are not yet supported "
	"by runc'). runc 1.2 and later take LOG, SPEC_ALLOW and TSYNC, crun also "
	"WAIT_KILLABLE_RECV.")

RULE_TOLD(SJ032, "arch-map-row", WARNING, JSON, "a row of archMap that names no machine",
	  "A row of archMap without 'architecture' is the row of no machine, and engines skip it.")

RULE_TOLD(
	SJ033, "key-read-apart", ERROR, JSON,
	"a key twice, or spelt otherwise, of which readers make different profiles",
	"Readers make different profiles of this file. Of a list or an object that stands twice Go "
	"reads the second into the first: an entry of the second list keeps errnoRet and args of "
	"the first list's entry where it does not say its own. Of a config.json crun reads keys as "
	"they are spelt, and of two the first or the last, as its JSON library does. No command "
	"answers for such a file.\n\n"
	"Way out: one key, in the specification's spelling.")

RULE_TOLD(SJ046, "nul-byte", ERROR, JSON, "a NUL byte in a word, where C ends it and Go does not",
	  "A word or a key with a NUL byte (\\u0000) in it. libseccomp and crun end it there, so "
	  "that \"bpf\\u0000x\" is bpf to them, and readers written in Go compare the whole. No "
	  "command answers for such a file.\n\n"
	  "Way out: take the byte out, and what stands behind it if that is not meant.")

RULE_TOLD(SC101, "unknown-syscall", WARNING, JSON,
	  "a name that is newer than the table, or misspelt",
	  "A name that no Linux has, on any architecture, up to the level of pale's table, and "
	  "that no libseccomp knows: newer than both, or misspelt. Which of the two cannot be told "
	  "from here, so it is no more than a warning. runc leaves the name out at debug level, "
	  "crun with a warning, and the default answers: an allowed call stays refused, and in a "
	  "deny list the call that was meant stays allowed.\n\n"
	  "Evidence: the table (pale list syscalls), with the names of architectures that pale has "
	  "no column for.")

RULE_TOLD(SC102, "libc-not-syscall", WARNING, JSON,
	  "a function of the C library in place of a call",
	  "A function of the C library. The kernel sees the call that it makes: sigwait() makes "
	  "rt_sigtimedwait. Runtimes skip the name.")

RULE_TOLD(SC111, "same-index-or", HIGH, JSON, "two conditions on one argument, taken as or",
	  "Two conditions on one argument in one entry. Conditions on different arguments must all "
	  "hold; once an index is repeated, runc and crun turn every condition of the entry into a "
	  "rule of its own, so that any one is enough. A range (>= 1 and <= 9) then allows "
	  "everything. Not told of an errno beside a default that is one, with conditions that no "
	  "value meets together: that is a choice, and refuses either way.\n\n"
	  "Way out: entries by value or by mask.")

RULE_TOLD(
	SC138, "notify-misuse", ERROR, JSON, "notify where runc refuses it",
	"runc refuses SCMP_ACT_NOTIFY as the default and for write: it needs both to hand over the "
	"listener.")
