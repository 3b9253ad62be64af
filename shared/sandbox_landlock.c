/*
 * Landlock by its system calls: glibc has no functions for it, and the headers of Debian 12 know
 * less than newer kernels can. What the running kernel does not know is left out, and the report
 * says the version.
 */
#include "config.h"

#include "shared/sandbox_int.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of later versions than the headers': 3, 5; 4; 6. */
#define FS_TRUNCATE     (1ULL << 14)
#define FS_IOCTL_DEV    (1ULL << 15)
#define NET_BIND_TCP    (1ULL << 0)
#define NET_CONNECT_TCP (1ULL << 1)
#define SCOPE_ABSTRACT  (1ULL << 0)
#define SCOPE_SIGNAL    (1ULL << 1)
#define RULE_NET_PORT   2
#define FS_READ         (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_OF_VERSION_1 ((1ULL << 13) - 1)
#define FS_MEANT_FOR_FILE                                                                          \
	(LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_IOCTL_DEV)

/* As the kernel has them now; older ones take the beginning. */
struct ruleset {
	uint64_t fs, net, scope;
};
struct path_rule {
	uint64_t access;
	int32_t fd;
} __attribute__((packed));
struct port_rule {
	uint64_t access, port;
};

/* What looking up a name may read: libc's own files, and the modules of the name service switch. */
static const char *const name_paths[] = { "/etc/hosts",
					  "/etc/host.conf",
					  "/etc/resolv.conf",
					  "/etc/nsswitch.conf",
					  "/etc/gai.conf",
					  "/etc/services",
					  "/etc/protocols",
					  "/etc/ld.so.cache",
					  "/etc/machine-id",
					  "/usr/lib",
					  "/usr/lib64",
					  "/lib",
					  "/lib64",
					  "/run/systemd/resolve",
					  "/run/resolvconf",
					  "/run/NetworkManager",
					  "/run/nscd",
					  "/var/lib/sss",
					  "/run/avahi-daemon",
					  "/etc/mdns.allow",
					  "/proc/sys/net",
					  "/sys/devices/system/cpu",
					  NULL };
static const char *const certificate_paths[] = { "/etc/ssl",
						 "/usr/lib/ssl",
						 "/usr/share/ca-certificates",
						 "/usr/local/share/ca-certificates",
						 "/etc/gnutls",
						 NULL };

static int
version(void)
{
	long rc = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return rc < 0 ? -errno : (int)rc;
}

static int
create(int abi, bool any_port, uint64_t *handled)
{
	struct ruleset set = { .fs = FS_OF_VERSION_1 };
	size_t size = sizeof(set.fs);

	if (abi >= 2)
		set.fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		set.fs |= FS_TRUNCATE;
	if (abi >= 5)
		set.fs |= FS_IOCTL_DEV;
	if (abi >= 4) {
		/* Each port would need a rule of its own: where any will do, none is looked at. */
		set.net = NET_BIND_TCP | (any_port ? 0 : NET_CONNECT_TCP);
		size = sizeof(set.fs) + sizeof(set.net);
	}
	if (abi >= 6) {
		set.scope = SCOPE_ABSTRACT | SCOPE_SIGNAL;
		size = sizeof(set);
	}
	*handled = set.fs;
	return (int)syscall(SYS_landlock_create_ruleset, &set, size, 0);
}

/* What is not there needs no rule. */
static int
allow_path(int ruleset, const char *path, uint64_t access)
{
	struct path_rule rule = { .access = access, .fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat st;
	int rc = 0;

	if (rule.fd < 0)
		return 0;
	if (fstat(rule.fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.access &= FS_MEANT_FOR_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) < 0)
		rc = -errno;
	close(rule.fd);
	return rc;
}

static int
allow_list(int ruleset, const char *const *paths)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && paths[i] != NULL; i++)
		rc = allow_path(ruleset, paths[i], FS_READ);
	return rc;
}

static int
allow_files(int ruleset, const struct sandbox_facts *facts, uint64_t handled)
{
	uint64_t own = FS_READ;
	int rc = 0;

	if (facts->has_device)
		own |= LANDLOCK_ACCESS_FS_WRITE_FILE | (FS_IOCTL_DEV & handled);
	if (facts->socket_dir != NULL)
		rc = allow_path(ruleset, facts->socket_dir, LANDLOCK_ACCESS_FS_MAKE_SOCK);
	for (size_t i = 0; rc == 0 && i < SANDBOX_PATHS_MAX; i++)
		if (facts->paths[i] != NULL)
			rc = allow_path(ruleset, facts->paths[i], own);
	if (rc == 0 && facts->has_names)
		rc = allow_list(ruleset, name_paths);
	if (rc == 0 && facts->has_certificates)
		rc = allow_list(ruleset, certificate_paths);
	return rc;
}

static int
allow_ports(int ruleset, const struct sandbox_facts *facts)
{
	for (size_t i = 0; i < SANDBOX_PORTS_MAX; i++) {
		struct port_rule rule = { .access = NET_CONNECT_TCP, .port = facts->ports[i] };

		if (rule.port != 0 &&
		    syscall(SYS_landlock_add_rule, ruleset, RULE_NET_PORT, &rule, 0) < 0)
			return -errno;
	}
	return 0;
}

int
sandbox_landlock(const struct sandbox_facts *facts)
{
	uint64_t handled = 0;
	int abi = version(), ruleset, rc;

	if (abi < 0)
		return abi;
	ruleset = create(abi, facts->any_port, &handled);
	if (ruleset < 0)
		return -errno;
	rc = allow_files(ruleset, facts, handled);
	if (rc == 0 && abi >= 4 && !facts->any_port)
		rc = allow_ports(ruleset, facts);
	if (rc == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		rc = -errno;
	close(ruleset);
	return rc < 0 ? rc : abi;
}
