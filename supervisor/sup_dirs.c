/*
 * Files of the runtime directory. Only who holds the lock unlinks.
 */
#include "config.h"

#include "supervisor/sup_dirs.h"

#include "shared/log.h"
#include "shared/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define LONGEST_EPOCH 9999999999999LL                      /* ms since 1970: until the year 2286 */
#define BUS_PATH_REST (sizeof("/-9999999999999.sock") - 1) /* besides directory and stream */

static int
complain(char *err, size_t err_len, const char *path, const char *what, int error)
{
	snprintf(err, err_len, "%s: %s%s%s", path, what, error != 0 ? ": " : "",
		 error != 0 ? strerror(error) : "");
	return error != 0 ? -error : -EINVAL;
}

/* A lock on a file that was unlinked meanwhile locks nothing: look again. */
static int
lock_file(const char *path, int *lock_fd)
{
	struct stat held, named;

	for (int tries = 0; tries < 100; tries++) {
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		int error;

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			error = errno == EWOULDBLOCK ? EBUSY : errno;
			close(fd);
			return -error;
		}
		if (fstat(fd, &held) == 0 && stat(path, &named) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev) {
			*lock_fd = fd;
			return 0;
		}
		close(fd);
	}
	return -EAGAIN;
}

static void
write_pid(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

	/* For people only; the lock is what counts. */
	if (ftruncate(fd, 0) < 0 || write(fd, text, (size_t)len) != len)
		log_debug("lock: the process id could not be written");
}

/* Of a worker, the tap, an analyser; the list of streams. */
static bool
is_ours(const char *name, mode_t mode)
{
	return S_ISSOCK(mode) || (S_ISREG(mode) && (strcmp(name, "streams.json") == 0 ||
						    strcmp(name, ".streams.json.new") == 0));
}

static void
empty_dir(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	struct stat st;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
		    is_ours(entry->d_name, st.st_mode))
			unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

/* What a killed supervisor left, or this one leaves. */
static void
clear(const struct sup_dirs *dirs)
{
	empty_dir(dirs->results);
	rmdir(dirs->results);
	empty_dir(dirs->bus);
	unlink(dirs->list_link);
}

int
sup_dirs_open(const char *runtime_dir, struct sup_dirs *dirs, char *err, size_t err_len)
{
	struct stat st;
	int rc;

	*dirs = (struct sup_dirs){ .lock_fd = -1 };
	dirs->runtime = realpath(runtime_dir, NULL);
	if (dirs->runtime == NULL && errno == ENOENT && mkdir(runtime_dir, 0750) == 0) {
		dirs->made_runtime = true;
		dirs->runtime = realpath(runtime_dir, NULL);
	}
	if (dirs->runtime == NULL)
		return complain(err, err_len, runtime_dir, "cannot use the runtime directory",
				errno);
	if (stat(dirs->runtime, &st) < 0 || !S_ISDIR(st.st_mode))
		return complain(err, err_len, runtime_dir, "is no directory", ENOTDIR);
	dirs->lock = xasprintf("%s/lock", dirs->runtime);
	dirs->bus = xasprintf("%s/bus", dirs->runtime);
	dirs->ctl = xasprintf("%s/ctl.sock", dirs->runtime);
	dirs->results = xasprintf("%s/results", dirs->bus);
	dirs->list_link = xasprintf("%s/streams.json", dirs->runtime);
	if (strlen(dirs->ctl) >= SUP_PATH_MAX)
		return complain(err, err_len, runtime_dir,
				"the path of the runtime directory is too long for a socket in it",
				ENAMETOOLONG);
	rc = lock_file(dirs->lock, &dirs->lock_fd);
	if (rc == -EBUSY)
		return complain(err, err_len, dirs->runtime, "another camhub-supervisor runs there",
				EBUSY);
	if (rc < 0)
		return complain(err, err_len, dirs->lock, "cannot lock", -rc);
	write_pid(dirs->lock_fd);
	unlink(dirs->ctl);
	clear(dirs);
	return 0;
}

/* setgid: sockets made in it get the group as well, which they do anyway when it is our own. A
 * sandbox may forbid the bit. */
static mode_t
bus_mode(gid_t gid, mode_t for_group)
{
	if (gid == (gid_t)-1)
		return 0700;
	return 0700 | for_group | (gid == getegid() ? 0 : S_ISGID);
}

static int
make_dir(const char *path, gid_t gid, mode_t for_group, char *err, size_t err_len)
{
	bool has_group = gid != (gid_t)-1;
	struct stat st;
	int fd, rc = 0;

	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return complain(err, err_len, path, "cannot make", errno);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return complain(err, err_len, path, "cannot open", errno);
	if (fstat(fd, &st) < 0 || st.st_uid != geteuid())
		rc = complain(err, err_len, path, "belongs to somebody else", EPERM);
	/* Where it may not be given to anybody it may have the right one from its birth. */
	else if (has_group && st.st_gid != gid && fchown(fd, (uid_t)-1, gid) < 0)
		rc = complain(err, err_len, path, "cannot give it to the group", errno);
	else if (fchmod(fd, bus_mode(gid, for_group)) < 0)
		rc = complain(err, err_len, path, "cannot change its mode", errno);
	close(fd);
	return rc;
}

int
sup_dirs_bus(const struct sup_dirs *dirs, gid_t gid, char *err, size_t err_len)
{
	int rc = make_dir(dirs->bus, gid, 0050, err, err_len);

	/* Sticky: nobody removes what is another's. */
	if (rc == 0)
		rc = make_dir(dirs->results, gid, S_ISVTX | 0070, err, err_len);
	return rc;
}

int
sup_dirs_bus_path(const struct sup_dirs *dirs, const char *stream, int64_t epoch, char *path)
{
	char text[SUP_PATH_MAX + 64];
	int len =
	    snprintf(text, sizeof(text), "%s/%s-%lld.sock", dirs->bus, stream, (long long)epoch);

	if (len < 0 || len >= SUP_PATH_MAX)
		return -ENAMETOOLONG;
	memcpy(path, text, (size_t)len + 1);
	return 0;
}

int
sup_dirs_check(const struct sup_dirs *dirs, const struct conf *conf, char *err, size_t err_len)
{
	char path[SUP_PATH_MAX];

	for (size_t i = 0; i < conf->n_streams; i++) {
		const char *name = conf->streams[i].name;

		if (sup_dirs_bus_path(dirs, name, LONGEST_EPOCH, path) == 0)
			continue;
		snprintf(err, err_len,
			 "%s: the path of the runtime directory is too long for the bus socket of "
			 "%s in it: choose one that is shorter by %zu bytes",
			 dirs->runtime, name,
			 strlen(dirs->bus) + strlen(name) + BUS_PATH_REST - (SUP_PATH_MAX - 1));
		return -ENAMETOOLONG;
	}
	return 0;
}

void
sup_dirs_close(struct sup_dirs *dirs)
{
	if (dirs->lock_fd >= 0 && dirs->lock != NULL) {
		unlink(dirs->ctl);
		clear(dirs);
		rmdir(dirs->bus);
		unlink(dirs->lock);
		close(dirs->lock_fd);
	}
	if (dirs->made_runtime && dirs->runtime != NULL)
		rmdir(dirs->runtime);
	free(dirs->runtime);
	free(dirs->lock);
	free(dirs->bus);
	free(dirs->ctl);
	free(dirs->results);
	free(dirs->list_link);
	*dirs = (struct sup_dirs){ .lock_fd = -1 };
}
