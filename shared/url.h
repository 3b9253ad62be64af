/*
 * Source URLs: which schemes there are, what libavformat may open for each, and the parts of one.
 */
#ifndef CAMHUB_SHARED_URL_H
#define CAMHUB_SHARED_URL_H

#include <stdbool.h>
#include <stddef.h>

#define URL_MAX_BYTES 4096
#define URL_ERROR_MAX 200

enum url_shape {
	URL_NETWORK, /* scheme://host[:port]/path */
	URL_PATH,    /* scheme:/absolute/path[?parameters] */
	URL_PATTERN, /* scheme:word[?parameters] */
};

struct url_param {
	const char *name;
	const char *expect; /* in words: "a whole number from 1 to 60" */
	bool (*is_valid)(const char *value);
};

struct url_scheme {
	const char *name;
	enum url_shape shape;
	unsigned default_port; /* 0 unless URL_NETWORK */
	const char *open_as; /* scheme that libavformat is given; NULL: not opened by a protocol */
	const char *format;  /* libavformat's input format when the scheme names it, or NULL */
	const char *protocols; /* libavformat's protocol_whitelist; "" allows none */
	const char *program;   /* the worker that reads it */
	const char
	    *prefix; /* URL_PATH: what the path must begin with; URL_PATTERN: the one pattern */
	const struct url_param
	    *params; /* ends with name NULL; NULL: any query (the camera's business) */
};

/* A program that reads sources. takes_socket: a socket that is connected to the source comes along
 * with its configuration, so that it needs no right to open one. */
struct url_program {
	const char *name;
	bool takes_socket;
};
/* NULL when there is none of that name. */
const struct url_program *url_program_find(const char *name);

/* NULL when there is none of that name. */
const struct url_scheme *url_scheme_find(const char *name);
/* The index-th of the table, NULL behind the last. */
const struct url_scheme *url_scheme_at(size_t index);

struct url {
	const struct url_scheme *scheme;
	bool has_userinfo;
	char *host; /* "" unless URL_NETWORK; IPv6 without brackets */
	bool host_is_numeric;
	unsigned port; /* the default filled in; 0 unless URL_NETWORK */
	char *path;    /* "/stream1", "/dev/video0", "clock"; never NULL */
	char *query;   /* behind '?', not decoded; "" when there is none */
};

/*
 * Parse and check text. 0 and *url (contents owned: url_clear()). -EINVAL and in err (URL_ERROR_MAX
 * bytes) "what is wrong, expected ...", which never quotes more than the scheme and names of
 * parameters. userinfo is no error here: has_userinfo tells.
 */
int url_parse(const char *text, struct url *url, char *err);
void url_clear(struct url *url);

/* "rtsp:// rtsps:// ... test:clock", for messages; static. */
const char *url_schemes_text(void);

/* Parameter's value, percent-decoded, malloc'd; NULL when absent. The first of several. */
char *url_param(const struct url *url, const char *name);

/* What avformat_open_input() is given: the text with open_as for its scheme, and user and password
 * (both or NULL) put in, percent-encoded. URL_PATH: the path. malloc'd; holds a secret when they
 * were given. */
char *url_for_open(const char *text, const struct url *url, const char *user, const char *password);

/*
 * Take "user:password@" out of text. 0: *bare, *user, *password malloc'd, percent-decoded; user and
 * password are NULL when the URL has none. -EINVAL: cannot be told apart (no out-parameter
 * touched).
 */
int url_split_userinfo(const char *text, char **bare, char **user, char **password);

#endif
