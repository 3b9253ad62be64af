/*
 * Who may call what: groups of system calls, and a row for each program and stage that names its
 * groups. What is in none of them kills.
 */
#include "config.h"

#include "shared/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define ENTRIES(list) (sizeof(list) / sizeof((list)[0]))
#define CALL(name)                                                                                 \
	{                                                                                          \
		.number = SCMP_SYS(name)                                                           \
	}
#define FAIL(name, no)                                                                             \
	{                                                                                          \
		.number = SCMP_SYS(name), .error = (no)                                            \
	}
/* Argument n is value; has no bit of mask; has value in the bits of mask. */
#define EQUALS(name, n, value)                                                                     \
	{                                                                                          \
		.number = SCMP_SYS(name), .has_arg = true,                                         \
		.arg = {.arg = (n),                                                                \
			.op = SCMP_CMP_EQ,                                                         \
			.datum_a = (value) }                                                       \
	}
#define MASKED(name, n, mask, value)                                                               \
	{                                                                                          \
		.number = SCMP_SYS(name), .has_arg = true,                                         \
		.arg = {.arg = (n),                                                                \
			.op = SCMP_CMP_MASKED_EQ,                                                  \
			.datum_a = (mask),                                                         \
			.datum_b = (value) }                                                       \
	}
#define WITHOUT(name, n, mask) MASKED(name, n, mask, 0)
#define DIFFERS(name, n, value)                                                                    \
	{                                                                                          \
		.number = SCMP_SYS(name), .has_arg = true,                                         \
		.arg = {.arg = (n),                                                                \
			.op = SCMP_CMP_NE,                                                         \
			.datum_a = (value) }                                                       \
	}
#define FAIL_UNLESS(name, n, value, no)                                                            \
	{                                                                                          \
		.number = SCMP_SYS(name), .error = (no), .has_arg = true,                          \
		.arg = {.arg = (n),                                                                \
			.op = SCMP_CMP_NE,                                                         \
			.datum_a = (value) }                                                       \
	}

/* clang-format off */
/* A loop, memory that is never executable, time, the end. */
static const struct sandbox_call basic[] = {
	CALL(read), CALL(write), CALL(readv), CALL(writev), CALL(pread64), CALL(close), CALL(fcntl),
	CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl), CALL(poll), CALL(futex),
	CALL(clock_nanosleep), CALL(clock_gettime), CALL(getrandom),
	CALL(brk), CALL(munmap), CALL(mremap), CALL(madvise),
	WITHOUT(mmap, 2, PROT_EXEC), WITHOUT(mprotect, 2, PROT_EXEC),
	CALL(rt_sigprocmask), CALL(rt_sigreturn), CALL(restart_syscall),
	CALL(getpid), CALL(gettid), CALL(sched_yield), CALL(exit), CALL(exit_group),
	CALL(sysinfo), /* qsort() asks how much memory there is */
};

/* On sockets that are there; accept: the bus, the doors. */
static const struct sandbox_call traffic[] = {
	CALL(recvfrom), CALL(recvmsg), CALL(recvmmsg), CALL(sendto), CALL(sendmsg),
	CALL(accept), CALL(shutdown), CALL(getsockopt), CALL(setsockopt),
	CALL(getsockname), CALL(getpeername),
};

/* Entering the next stage. */
static const struct sandbox_call narrowing[] = {
	CALL(seccomp), EQUALS(prctl, 0, PR_SET_NO_NEW_PRIVS), EQUALS(prctl, 0, PR_GET_SECCOMP),
};

/* Of a thread that was made before, in its first moments. */
static const struct sandbox_call births[] = {
	CALL(set_robust_list), CALL(rseq), EQUALS(prctl, 0, PR_SET_NAME),
};

/* Threads but no processes. clone3 hides its flags in memory: libc then takes clone. */
static const struct sandbox_call threads[] = {
	MASKED(clone, 0, CLONE_THREAD | CLONE_VM, CLONE_THREAD | CLONE_VM), FAIL(clone3, ENOSYS),
	CALL(sched_getaffinity), CALL(sched_setaffinity),
	CALL(sched_getparam), CALL(sched_getscheduler), CALL(membarrier), CALL(sigaltstack),
	EQUALS(prctl, 0, PR_GET_NAME), FAIL(get_mempolicy, ENOSYS),
	DIFFERS(rt_sigaction, 0, SIGSYS),
};

/* The worker's stage 1: two ports for RTP over UDP. */
static const struct sandbox_call udp_ports[] = {
	MASKED(socket, 1, 0xf, SOCK_DGRAM), CALL(bind),
};

static const struct sandbox_call unix_sockets[] = {
	EQUALS(socket, 0, AF_UNIX), CALL(connect),
};

/* nng dials again when its peer is gone: it may try. */
static const struct sandbox_call no_sockets[] = {
	FAIL(socket, EACCES), FAIL(connect, EACCES),
};

static const struct sandbox_call internet[] = {
	EQUALS(socket, 0, AF_INET), EQUALS(socket, 0, AF_INET6), CALL(connect), CALL(bind),
	CALL(sendmmsg), CALL(select), CALL(pselect6), CALL(ppoll),
};

/* Addresses of our own, asked by libc before it sorts those of a name. */
static const struct sandbox_call netlink[] = { EQUALS(socket, 0, AF_NETLINK) };

/* Read-only files; Landlock says which. */
#define NOT_READING (O_ACCMODE | O_CREAT | O_TRUNC)
static const struct sandbox_call reading[] = {
	WITHOUT(open, 1, NOT_READING), WITHOUT(openat, 2, NOT_READING),
	CALL(stat), CALL(lstat), CALL(fstat), CALL(newfstatat), CALL(statx), CALL(fstatfs), CALL(statfs),
	CALL(access), CALL(faccessat), CALL(faccessat2), CALL(readlink), CALL(readlinkat),
	CALL(getdents64), CALL(lseek), CALL(fadvise64), CALL(getcwd), CALL(uname), CALL(sysinfo),
	CALL(getuid), CALL(geteuid), CALL(getgid), CALL(getegid), CALL(getppid),
	CALL(gettimeofday), CALL(time), CALL(times), CALL(getrusage),
};

/* dlopen(): code is mapped. */
static const struct sandbox_call libraries[] = {
	CALL(mmap), CALL(mprotect), CALL(arch_prctl), CALL(dup),
};

/* Files in memory, and what is asked of any descriptor. */
static const struct sandbox_call memory_files[] = {
	CALL(memfd_create), CALL(ftruncate), CALL(lseek), CALL(pwrite64), CALL(fstat),
	MASKED(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH),
};

static const struct sandbox_call descriptors[] = {
	CALL(dup), CALL(dup3), CALL(eventfd2), CALL(pipe), CALL(pipe2), CALL(epoll_create1), CALL(ppoll),
	CALL(accept4),
};

/* libevent asks how much there is to read, libc about network interfaces: it lives with a no. */
static const struct sandbox_call how_much[] = {
	EQUALS(ioctl, 1, FIONREAD), FAIL_UNLESS(ioctl, 1, FIONREAD, ENOTTY),
};

/* Many datagrams with one call, on sockets that are there. */
static const struct sandbox_call datagrams[] = { CALL(sendmmsg) };

/* A camera on this machine. */
static const struct sandbox_call video_device[] = { MASKED(ioctl, 1, 0xff00, 'V' << 8) };
static const struct sandbox_call any_ioctl[] = { CALL(ioctl) };

/* A library that looks for its configuration again is told that there is none. */
static const struct sandbox_call no_news[] = {
	FAIL(stat, EACCES), FAIL(access, EACCES), FAIL(readlink, EACCES), FAIL(statx, EACCES),
	CALL(lseek), CALL(fstat), CALL(gettimeofday), CALL(uname),
	MASKED(newfstatat, 3, AT_EMPTY_PATH, AT_EMPTY_PATH), CALL(sendmmsg),
};

static const struct sandbox_call never[] = {
	CALL(ptrace), CALL(process_vm_readv), CALL(process_vm_writev), CALL(process_madvise), CALL(kcmp),
	CALL(mount), CALL(umount2), CALL(pivot_root), CALL(chroot), CALL(move_mount), CALL(open_tree),
	CALL(fsopen), CALL(fsmount), CALL(fspick), CALL(fsconfig), CALL(mount_setattr),
	CALL(unshare), CALL(setns),
	CALL(bpf), CALL(perf_event_open), CALL(userfaultfd), CALL(io_uring_setup), CALL(io_uring_enter),
	CALL(io_uring_register), CALL(keyctl), CALL(add_key), CALL(request_key), CALL(init_module),
	CALL(finit_module), CALL(delete_module), CALL(kexec_load), CALL(kexec_file_load), CALL(reboot),
	CALL(swapon), CALL(swapoff), CALL(acct), CALL(quotactl), CALL(settimeofday), CALL(clock_settime),
	CALL(adjtimex), CALL(clock_adjtime), CALL(sethostname), CALL(setdomainname), CALL(syslog),
	CALL(iopl), CALL(ioperm), CALL(modify_ldt), CALL(personality), CALL(open_by_handle_at),
	CALL(name_to_handle_at), CALL(pidfd_getfd), CALL(fanotify_init),
	CALL(lookup_dcookie), CALL(vhangup),
	CALL(nfsservctl), CALL(migrate_pages), CALL(move_pages), CALL(mknod), CALL(mknodat),
};
const struct sandbox_group sandbox_never = { never, ENTRIES(never) };

enum group {
	BASIC, TRAFFIC, BIRTHS, NARROWING, THREADS, UDP_PORTS, UNIX_SOCKETS, INTERNET, NETLINK,
	NO_SOCKETS, READING, LIBRARIES,
	MEMORY_FILES, DESCRIPTORS, HOW_MUCH, VIDEO_DEVICE, ANY_IOCTL, NO_NEWS,
	DATAGRAMS, GROUP_COUNT
};
#define GROUP(list) { list, ENTRIES(list) }
static const struct sandbox_group all[GROUP_COUNT] = {
	[BASIC] = GROUP(basic),		[TRAFFIC] = GROUP(traffic),
	[BIRTHS] = GROUP(births),	[NARROWING] = GROUP(narrowing),
	[THREADS] = GROUP(threads),	[UDP_PORTS] = GROUP(udp_ports), [UNIX_SOCKETS] = GROUP(unix_sockets),
	[NO_SOCKETS] = GROUP(no_sockets),
	[INTERNET] = GROUP(internet),	[NETLINK] = GROUP(netlink),
	[READING] = GROUP(reading),	[LIBRARIES] = GROUP(libraries),
	[MEMORY_FILES] = GROUP(memory_files), [DESCRIPTORS] = GROUP(descriptors),
	[HOW_MUCH] = GROUP(how_much),	[VIDEO_DEVICE] = GROUP(video_device),
	[ANY_IOCTL] = GROUP(any_ioctl), [NO_NEWS] = GROUP(no_news),
	[DATAGRAMS] = GROUP(datagrams),
};

#define BIT(group) (1u << (group))
#define USUAL	   (BIT(BASIC) | BIT(TRAFFIC) | BIT(BIRTHS))
#define LOOKING_UP (BIT(READING) | BIT(LIBRARIES) | BIT(INTERNET) | BIT(NETLINK) | \
		    BIT(UNIX_SOCKETS) | BIT(ANY_IOCTL) | BIT(DESCRIPTORS) | BIT(THREADS))
static const unsigned rows[SANDBOX_PROGRAM_COUNT][SANDBOX_STAGE_COUNT] = {
	[SANDBOX_WORKER] = {
		/* READING: certificates; of a camera without TLS Landlock lets none be read */
		[SANDBOX_OPENING] = USUAL | BIT(NARROWING) | BIT(UDP_PORTS) | BIT(READING),
		[SANDBOX_RUNNING] = USUAL,
	},
	[SANDBOX_WORKER_AV] = {
		[SANDBOX_OPENING] = USUAL | BIT(NARROWING) | LOOKING_UP | BIT(MEMORY_FILES),
		[SANDBOX_RUNNING] = USUAL | BIT(INTERNET) | BIT(DESCRIPTORS) | BIT(THREADS) |
				    BIT(NO_NEWS),
	},
	[SANDBOX_HTTP] = {
		[SANDBOX_RUNNING] = USUAL | BIT(UNIX_SOCKETS) | BIT(MEMORY_FILES) |
				    BIT(DESCRIPTORS) | BIT(HOW_MUCH),
	},
	[SANDBOX_RTC] = {
		[SANDBOX_RUNNING] = USUAL | BIT(UNIX_SOCKETS) | BIT(MEMORY_FILES) |
				    BIT(DESCRIPTORS) | BIT(HOW_MUCH) | BIT(DATAGRAMS),
	},
	[SANDBOX_SNAPSHOT] = {
		[SANDBOX_RUNNING] = USUAL | BIT(THREADS) | BIT(MEMORY_FILES),
	},
	[SANDBOX_TRANSCODE] = {
		[SANDBOX_OPENING] = USUAL | BIT(NARROWING) | BIT(THREADS) | BIT(UNIX_SOCKETS) |
				    BIT(DESCRIPTORS) | BIT(MEMORY_FILES),
		/* connected to its source, and to nothing else any more */
		[SANDBOX_RUNNING] = USUAL | BIT(THREADS) | BIT(NO_SOCKETS) |
				    BIT(DESCRIPTORS) | BIT(MEMORY_FILES),
	},
	[SANDBOX_RESOLVE] = { [SANDBOX_RUNNING] = USUAL | LOOKING_UP },
	[SANDBOX_AUTH] = { [SANDBOX_RUNNING] = USUAL | BIT(THREADS) },
	[SANDBOX_CLIENT] = { [SANDBOX_RUNNING] = USUAL | LOOKING_UP },
};

/* clang-format on */

/* Rows with what the facts add to them, or take away. */
static unsigned
groups_of(enum sandbox_program program, enum sandbox_stage stage, const struct sandbox_facts *facts)
{
	unsigned bits = rows[program][stage];

	if (program == SANDBOX_WORKER_AV && stage == SANDBOX_RUNNING)
		bits |= facts->has_device ? BIT(VIDEO_DEVICE) : BIT(HOW_MUCH);
	if (bits & BIT(LIBRARIES))
		bits &= ~BIT(HOW_MUCH);
	return bits;
}

size_t
sandbox_groups(enum sandbox_program program, enum sandbox_stage stage,
	       const struct sandbox_facts *facts, struct sandbox_group groups[SANDBOX_GROUPS_MAX])
{
	unsigned bits = groups_of(program, stage, facts);
	size_t n = 0;

	for (unsigned i = 0; i < GROUP_COUNT; i++)
		if (bits & BIT(i))
			groups[n++] = all[i];
	return n;
}
