/*
 * Pages and assets.
 */
#include "config.h"

#include "http/pages.h"

#include "http/login.h"
#include "http/reply.h"
#include "http/stream.h"
#include "shared/log.h"
#include "shared/xalloc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASSETS_MAX      128
#define ASSET_BYTES_MAX (2 << 20)
#define ETAG_BYTES      20 /* two quotes, 16 hex digits, the zero */

struct asset {
	char *name;
	const char *type;
	char etag[ETAG_BYTES];
	uint8_t *bytes;
	size_t len;
};

struct assets {
	struct asset *list;
	size_t count;
};

static const char *
type_of(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ ".html", "text/html; charset=utf-8" },
		{ ".js", "text/javascript; charset=utf-8" },
		{ ".css", "text/css; charset=utf-8" },
		{ ".svg", "image/svg+xml" },
		{ ".png", "image/png" },
		{ ".ico", "image/x-icon" },
		{ ".webmanifest", "application/manifest+json" },
	};
	size_t len = strlen(name);

	if (name[0] == '.' || strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789._-") != len)
		return NULL;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		size_t suffix = strlen(types[i].suffix);

		if (len > suffix && strcmp(name + len - suffix, types[i].suffix) == 0)
			return types[i].type;
	}
	return NULL;
}

static int
read_whole(int fd, uint8_t **bytes, size_t *len)
{
	struct stat st;
	size_t done = 0;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || st.st_size > ASSET_BYTES_MAX)
		return -EFBIG;
	*bytes = xmalloc((size_t)st.st_size + 1);
	while (done < (size_t)st.st_size) {
		ssize_t n = read(fd, *bytes + done, (size_t)st.st_size - done);

		if (n <= 0) {
			free(*bytes);
			return n < 0 ? -errno : -EIO;
		}
		done += (size_t)n;
	}
	*len = done;
	return 0;
}

static void
make_etag(struct asset *asset)
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned digest_len;

	EVP_Digest(asset->bytes, asset->len, digest, &digest_len, EVP_sha256(), NULL);
	asset->etag[0] = '"';
	for (size_t i = 0; i < 8; i++)
		sprintf(asset->etag + 1 + 2 * i, "%02x", digest[i]);
	strcpy(asset->etag + 17, "\"");
}

static void
load_one(struct assets *assets, int dir_fd, const char *name)
{
	struct asset asset = { .type = type_of(name) };
	int fd, rc;

	if (asset.type == NULL || assets->count == ASSETS_MAX)
		return;
	fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	rc = fd >= 0 ? read_whole(fd, &asset.bytes, &asset.len) : -errno;
	if (fd >= 0)
		close(fd);
	if (rc < 0) {
		log_warn("web: %s is not served: %s", name, strerror(-rc));
		return;
	}
	asset.name = xstrdup(name);
	make_etag(&asset);
	assets->list = xreallocarray(assets->list, assets->count + 1, sizeof(assets->list[0]));
	assets->list[assets->count++] = asset;
}

struct assets *
assets_load(const char *path)
{
	struct assets *assets = xcalloc(1, sizeof(*assets));
	DIR *dir = opendir(path);
	const struct dirent *entry;

	if (dir == NULL) {
		log_err("web: cannot read %s: %s, there are no pages", path, strerror(errno));
		return assets;
	}
	while ((entry = readdir(dir)) != NULL)
		load_one(assets, dirfd(dir), entry->d_name);
	closedir(dir);
	if (assets->count == 0)
		log_err("web: %s has no pages", path);
	return assets;
}

void
assets_free(struct assets **assets)
{
	if (*assets == NULL)
		return;
	for (size_t i = 0; i < (*assets)->count; i++) {
		free((*assets)->list[i].name);
		free((*assets)->list[i].bytes);
	}
	free((*assets)->list);
	free(*assets);
	*assets = NULL;
}

size_t
assets_count(const struct assets *assets)
{
	return assets->count;
}

static const struct asset *
find_asset(const struct front *front, const char *name)
{
	if (front->assets == NULL)
		return NULL;
	for (size_t i = 0; i < front->assets->count; i++)
		if (strcmp(front->assets->list[i].name, name) == 0)
			return &front->assets->list[i];
	return NULL;
}

bool
pages_has(const struct front *front, const char *name)
{
	return find_asset(front, name) != NULL;
}

void
pages_send(struct request *request, const char *name)
{
	const struct asset *asset = find_asset(request->front, name);
	const char *known =
	    evhttp_find_header(evhttp_request_get_input_headers(request->req), "If-None-Match");

	if (asset == NULL) {
		reply_error(request, request->front->configured ? 404 : 503, "not found");
		return;
	}
	reply_header(request, "ETag", asset->etag);
	reply_header(request, "Cache-Control", "no-cache");
	if (known != NULL && strcmp(known, asset->etag) == 0)
		reply_send(request, 304, NULL, NULL, 0);
	else
		reply_send(request, 200, asset->type, asset->bytes, asset->len);
}

void
pages_wall(struct request *request)
{
	pages_send(request, "index.html");
}

void
pages_other(struct request *request)
{
	const char *name = request->path + 1;

	if (find_asset(request->front, name) != NULL)
		pages_send(request, name);
	else if (stream_is_name(name) && !request->front->synced)
		reply_error(request, 503, "starting");
	else if (stream_is_name(name) && stream_find(request->front, name) != NULL)
		login_camera_page(request);
	else
		reply_error(request, 404, "not found");
}
