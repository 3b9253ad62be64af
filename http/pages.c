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
#include <event2/buffer.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ASSETS_MAX      128
#define ASSET_BYTES_MAX (2 << 20)
#define VERSION_BYTES   17 /* 16 hex digits, the zero */
#define ETAG_BYTES      (VERSION_BYTES + 2)
#define FOLDER          "assets/"
#define FOLDER_MARK     "@ASSETS@"

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
	char version[VERSION_BYTES];
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
make_version(const void *bytes, size_t len, char version[VERSION_BYTES])
{
	unsigned char digest[EVP_MAX_MD_SIZE] = { 0 };
	unsigned digest_len;

	EVP_Digest(bytes, len, digest, &digest_len, EVP_sha256(), NULL);
	for (size_t i = 0; i < VERSION_BYTES / 2; i++)
		sprintf(version + 2 * i, "%02x", digest[i]);
}

static void
make_etag(struct asset *asset)
{
	char version[VERSION_BYTES];

	make_version(asset->bytes, asset->len, version);
	snprintf(asset->etag, sizeof(asset->etag), "\"%s\"", version);
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

static int
compare_names(const void *a, const void *b)
{
	return strcmp(((const struct asset *)a)->name, ((const struct asset *)b)->name);
}

/* A name for all of it together, the same for every front. */
static void
name_version(struct assets *assets)
{
	struct evbuffer *all = evbuffer_new();

	qsort(assets->list, assets->count, sizeof(assets->list[0]), compare_names);
	for (size_t i = 0; i < assets->count; i++)
		evbuffer_add_printf(all, "%s %s\n", assets->list[i].name, assets->list[i].etag);
	make_version(evbuffer_pullup(all, -1), evbuffer_get_length(all), assets->version);
	evbuffer_free(all);
}

/* The page with the folder of this version wherever it says so. */
static void
set_folder(const struct assets *assets, struct asset *page)
{
	const char *from = (const char *)page->bytes, *end = from + page->len, *mark;
	struct evbuffer *text = evbuffer_new();

	while ((mark = memmem(from, (size_t)(end - from), FOLDER_MARK, strlen(FOLDER_MARK))) !=
	       NULL) {
		evbuffer_add(text, from, (size_t)(mark - from));
		evbuffer_add_printf(text, FOLDER "%s", assets->version);
		from = mark + strlen(FOLDER_MARK);
	}
	evbuffer_add(text, from, (size_t)(end - from));
	free(page->bytes);
	page->len = evbuffer_get_length(text);
	page->bytes = xmalloc(page->len + 1);
	evbuffer_remove(text, page->bytes, page->len);
	evbuffer_free(text);
	make_etag(page);
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
	if (assets->count == 0) {
		log_err("web: %s has no pages", path);
		return assets;
	}
	name_version(assets);
	for (size_t i = 0; i < assets->count; i++)
		if (strncmp(assets->list[i].type, "text/html", strlen("text/html")) == 0)
			set_folder(assets, &assets->list[i]);
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
	const char *slash =
	    strncmp(name, FOLDER, strlen(FOLDER)) == 0 ? strchr(name + strlen(FOLDER), '/') : NULL;

	return find_asset(front, slash != NULL ? slash + 1 : name) != NULL;
}

/* is_fixed: under this name it is for ever what it is now. */
static void
send_asset(struct request *request, const char *name, bool is_fixed)
{
	const struct asset *asset = find_asset(request->front, name);
	const char *known =
	    evhttp_find_header(evhttp_request_get_input_headers(request->req), "If-None-Match");

	if (asset == NULL) {
		reply_error(request, request->front->configured ? 404 : 503, "not found");
		return;
	}
	reply_header(request, "ETag", asset->etag);
	reply_header(request, "Cache-Control",
		     is_fixed ? "max-age=31536000, immutable" : "no-cache");
	if (known != NULL && strcmp(known, asset->etag) == 0)
		reply_send(request, 304, NULL, NULL, 0);
	else
		reply_send(request, 200, asset->type, asset->bytes, asset->len);
}

void
pages_send(struct request *request, const char *name)
{
	send_asset(request, name, false);
}

void
pages_wall(struct request *request)
{
	pages_send(request, "index.html");
}

/* In the folder of another version, which an older page may ask for, is what there is now. */
static void
send_from_folder(struct request *request, const char *path)
{
	const char *slash = strchr(path, '/');
	const struct assets *assets = request->front->assets;
	size_t len = slash != NULL ? (size_t)(slash - path) : 0;

	if (len != VERSION_BYTES - 1)
		reply_error(request, 404, "not found");
	else
		send_asset(request, slash + 1,
			   assets != NULL && strncmp(path, assets->version, len) == 0);
}

void
pages_other(struct request *request)
{
	const char *name = request->path + 1;

	if (strncmp(name, FOLDER, strlen(FOLDER)) == 0)
		send_from_folder(request, name + strlen(FOLDER));
	else if (find_asset(request->front, name) != NULL)
		pages_send(request, name);
	else if (stream_is_name(name) &&
		 (!request->front->synced || stream_find(request->front, name) != NULL))
		login_camera_page(request);
	else
		reply_error(request, 404, "not found");
}
