/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What trace.bpf.c reads of the kernel: only these fields, which CO-RE finds in the running one. */
#ifndef LEARN_KERNEL_BPF_H
#define LEARN_KERNEL_BPF_H

#include <linux/types.h>

#include "learn/trace.h"

#define CORE             __attribute__((preserve_access_index))
#define ENOENT           2
#define AF_UNIX          1
#define UNIX_MOST        110 /* bytes of a struct sockaddr_un: more is no address (unix_validate_addr()) */
#define AF_INET6         10
#define SOCK_DGRAM       2
#define TCP_LISTEN       10 /* include/net/tcp_states.h: of a socket of any family that listens */
#define PROT_EXEC        4
#define O_APPEND         02000
#define FMODE_READ       1u
#define FMODE_WRITE      2u
#define FMODE_PATH       0x4000u
#define FMODE_CREATED    0x100000u
#define TS_COMPAT        2u /* arch/x86/include/asm/thread_info.h */
#define ARM64_TIF_32BIT  22 /* arch/arm64/include/asm/thread_info.h */
#define X32_BIT          0x40000000u
#define STACK_SHIFT      14     /* of THREAD_SIZE, or less: asm/page_64_types.h */
#define PROC_MAGIC       0x9fa0 /* PROC_SUPER_MAGIC */
#define NSFS_MAGIC       0x6e736673
#define PIDFS_MAGIC      0x50494446       /* PID_FS_MAGIC */
#define PIDFD_NAME       0x5d64666469705b /* "[pidfd]", as a little-endian number with its zero */
#define BORDER_STEPS     8 /* parents of a task, towards the first process, at once */
#define BORDER_WALK      8
#define PIDNS_DEEP       33 /* MAX_PID_NS_LEVEL, and the first */
#define S_IFMT           0170000
#define S_IFDIR          0040000
#define S_IFREG          0100000
#define S_IFSOCK         0140000
#define PF_IO_WORKER     0x10 /* include/linux/sched.h */
#define CAP_OPT_NOAUDIT  2    /* include/linux/security.h */
#define CAP_SYS_RESOURCE 24
#define SIGHUP           1
#define SIGPIPE          13
#define SIGCONT          18
#define SIGXFSZ          25
#define SAMPLE_RAW       0x400 /* PERF_SAMPLE_RAW */

struct qstr {
	__u32 len;
	__u64 hash_len; /* both */
	const unsigned char *name;
} CORE;
typedef struct {
	__u32 val;
} CORE kuid_t;
struct super_block {
	unsigned long s_magic;
	__u32 s_dev;
} CORE;
struct inode {
	void *i_private;
	__u16 i_mode;
	kuid_t i_uid;
	unsigned long i_ino;
	struct super_block *i_sb;
} CORE;
struct hlist_node {
	struct hlist_node *next;
} CORE;
struct hlist_head {
	struct hlist_node *first;
} CORE;
struct ns_common {
	unsigned int inum;
} CORE;
struct xa_node { /* include/linux/xarray.h */
	unsigned char shift;
	void *slots[64];
} CORE;
struct xarray {
	void *xa_head;
} CORE;
struct idr {
	struct xarray idr_rt;
	unsigned int idr_base;
} CORE;
struct pid_namespace {
	struct idr idr;
	struct ns_common ns;
} CORE;
struct upid {
	int nr;
	struct pid_namespace *ns;
} CORE;
struct pid {
	unsigned int level;
	struct hlist_head tasks[1]; /* by PIDTYPE_*: 0 is PIDTYPE_PID */
	struct upid numbers[1];     /* level + 1 of them */
} CORE;
struct proc_inode {
	struct pid *pid; /* of the directory that it is below; NULL: below none */
	struct inode vfs_inode;
} CORE;
struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} CORE;
struct vfsmount {
	struct dentry *mnt_root;
} CORE;
struct mnt_namespace {
	struct ns_common ns;
} CORE;
struct nsproxy {
	struct mnt_namespace *mnt_ns;
} CORE;
struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct mnt_namespace *mnt_ns;
} CORE;
struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;
struct cred {
	kuid_t uid;
	kuid_t fsuid;
	void *security; /* what the modules keep of a task, each at its place */
} CORE;
struct lsm_blob_sizes { /* places, once the modules have started */
	int lbs_cred;
} CORE;
struct aa_ns {     /* security/apparmor */
	int level; /* 0: the first one */
} CORE;
struct aa_profile {
	struct aa_ns *ns;
} CORE;
struct aa_label {
	char *hname;
	int size; /* profiles in it, of a stack several */
	struct aa_profile *vec[1];
} CORE;
struct kernfs_node {
	__u64 id;
} CORE;
struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[1]; /* since Linux 6.0: level + 1 of them */
} CORE;
struct css_set {
	struct cgroup *dfl_cgrp;
} CORE;
struct file {
	void *private_data;
	struct path f_path;
	struct inode *f_inode;
	unsigned int f_flags;
	unsigned int f_mode;
	const struct cred *f_cred;
} CORE;
struct sock_common {
	unsigned short skc_family;
	volatile unsigned char skc_state;
} CORE;
struct sock {
	struct sock_common __sk_common;
} CORE;
struct socket {
	short type;
	struct sock *sk;
} CORE;
struct msghdr {
	void *msg_name;
	int msg_namelen;
} CORE;
struct unix_sock {
	struct path path; /* where its address is a name of the file system; empty */
} CORE;
struct fdtable {
	unsigned int max_fds;
	struct file **fd;
} CORE;
struct files_struct {
	struct fdtable *fdt;
} CORE;
struct fs_struct {
	struct path root, pwd;
} CORE;
struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start; /* the program's words */
} CORE;
struct thread_info {
	unsigned long flags;
} CORE;
struct thread_info___x86 {
	__u32 status;
} CORE;
struct signal_struct {
	void *core_state; /* since Linux 5.17 */
} CORE;
struct task_struct {
	struct thread_info thread_info;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	struct pid *thread_pid;
	struct files_struct *files;
	struct fs_struct *fs;
	unsigned int flags;
	const struct cred *cred;
	const struct cred *real_cred; /* its own, whomever it acts for at the moment */
	struct mm_struct *mm;
	struct nsproxy *nsproxy;
	struct css_set *cgroups;
	void *signal;                   /* what the threads of a process have in common */
	struct hlist_node pid_links[1]; /* by PIDTYPE_* */
} CORE;
struct task_struct___x86 {
	struct thread_info___x86 thread_info;
} CORE;
struct vm_area_struct {
	unsigned long vm_end;
	struct file *vm_file;
} CORE;
struct linux_binprm {
	const char *filename;
	const char *interp;
} CORE;
struct pt_regs___x86 { /* arch/x86/include/asm/ptrace.h */
	unsigned long bx, cx, dx, si, di, bp, r8, r9, r10, orig_ax;
} CORE;
struct pt_regs___arm64 {
	__u64 regs[31];
	__u64 orig_x0;
	int syscallno;
} CORE;
struct kernel_siginfo {
	int si_code;
} CORE;

/* A ring's request, as it is prepared since Linux 6.11 (io_uring/net.c): what a program gave is copied. */
struct io_rsrc_node {
	unsigned long file_ptr;
} CORE;
struct io_rsrc_data {
	unsigned int nr;
	struct io_rsrc_node **nodes;
} CORE;
struct io_file_table {
	struct io_rsrc_data data;
} CORE;
struct io_ring_ctx {
	struct io_file_table file_table;
} CORE;
struct io_cqe {
	int fd;
} CORE;
struct io_kiocb {
	__u8 opcode;
	__u64 flags;
	struct io_cqe cqe;
	struct io_ring_ctx *ctx;
	void *async_data;
} CORE;
struct io_socket {
	int domain, type, protocol;
} CORE;
struct io_connect {
	int addr_len;
} CORE;
struct io_bind {
	int addr_len;
} CORE;
struct sockaddr_storage {
	__u16 ss_family;
} CORE;
struct io_async_msghdr {
	struct msghdr msg;
	struct sockaddr_storage addr;
} CORE;

/* What perf's events carry, as the TRACE_EVENT() of each has it. */
struct trace_event_raw_sys_enter {
	long id;
	unsigned long args[6];
} CORE;
struct trace_event_raw_sys_exit {
	long ret;
} CORE;
struct trace_event_raw_sched_process_fork {
	int child_pid;
} CORE;
struct trace_event_raw_sched_prepare_exec { /* since Linux 6.10 */
	__u32 __data_loc_interp;
	__u32 __data_loc_filename;
} CORE;
struct trace_event_raw_sched_process_exec {
	int old_pid;
} CORE;
struct trace_event_raw_cap_capable {
	int cap;
	int ret;
} CORE;
struct trace_event_raw_io_uring_submit_req {
	void *req;
} CORE;
struct trace_event_raw_signal_generate {
	int sig;
	int code;
	int pid;
} CORE;

/* And how they come by. */
struct perf_event_attr {
	__u64 config1, config2;
} CORE;
struct perf_event {
	struct perf_event_attr attr;
} CORE;
struct perf_raw_frag {
	void *data;
} CORE;
struct perf_raw_record {
	struct perf_raw_frag frag;
} CORE;
struct perf_sample_data {
	__u64 sample_flags; /* since Linux 6.0 */
	struct perf_raw_record *raw;
} CORE;

/*
 * Since Linux 6.2 an address can be read as what it is said to be the address of (bpf_rdonly_cast()), and
 * each such read is an instruction; before, it is a call, which takes as long as seven of them. Either
 * way what cannot be read is 0. The loader puts the kernel's function in the place of a helper that
 * there is none of; where it is not to be had the verifier never comes to that one.
 */
const volatile bool casts;
const volatile __u32 cast_types[CASTS];
static void *(*const rdonly_cast)(const void *address, __u32 type) = (void *)CAST_PLACE;

#define CAST_ROW(name, type) struct type * : CAST_##name,
#define CAST_OF(p)           _Generic((p), TRACE_CASTS(CAST_ROW) char * : 0)
#define CAST(p)              ((typeof(*(p)) *)rdonly_cast((p), cast_types[CAST_OF(p)]))
/* BPF_CORE_READ() of one, two or three steps. */
#define READ_1(p, a)                (casts ? CAST(p)->a : BPF_CORE_READ(p, a))
#define READ_2(p, a, b)             (casts ? CAST(p)->a->b : BPF_CORE_READ(p, a, b))
#define READ_3(p, a, b, c)          (casts ? CAST(p)->a->b->c : BPF_CORE_READ(p, a, b, c))
#define READ_N(a, b, c, which, ...) which
#define READ(p, ...)                READ_N(__VA_ARGS__, READ_3, READ_2, READ_1, )(p, __VA_ARGS__)

#endif
