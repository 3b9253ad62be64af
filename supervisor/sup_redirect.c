/*
 * What a camera says about where it is may be a lie: everything is checked before it is followed.
 */
#include "config.h"

#include "supervisor/sup_redirect.h"

#include "shared/log.h"
#include "shared/redact.h"
#include "shared/xalloc.h"
#include "supervisor/sup_stream.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int
refuse(struct sup_stream *stream, const char *why)
{
	sup_stream_trouble(stream, "protocol", "the camera redirects, %s", why);
	return -EINVAL;
}

/* As safe as what it comes from, or safer. */
static bool
may_lead(const char *from, const char *to)
{
	if (strcmp(from, "rtsps") == 0)
		return strcmp(to, "rtsps") == 0;
	return strcmp(from, "rtsp") == 0 && (strcmp(to, "rtsp") == 0 || strcmp(to, "rtsps") == 0);
}

/* The address that the camera which redirects was reached at; NULL: unknown. */
static const struct sockaddr *
reached_at(const struct sup_stream *stream)
{
	const struct sup_addresses *addresses = &stream->addresses;

	if (addresses->n == 0)
		return NULL;
	return (const struct sockaddr *)&addresses->list[stream->next_address % addresses->n];
}

/* By its name, or by the very address that was connected to. */
static bool
is_here(const struct sup_stream *stream, const char *host)
{
	const struct sockaddr *address = reached_at(stream);
	struct sockaddr_storage named;
	char a[64], b[64];

	if (strcasecmp(stream->url.host, host) == 0)
		return true;
	if (address == NULL || sup_address_parse(host, stream->url.port, &named) < 0)
		return false;
	return strcmp(conf_address_format((struct sockaddr *)&named, a),
		      conf_address_format(address, b)) == 0;
}

static bool
has_delivered(struct sup_stream *stream)
{
	sup_account_on_down(&stream->account, sup_now_ns(stream->sup));
	return stream->account.delivered_ms >= sup_settings(stream->sup)->restart_worker.good_ms;
}

static void
take(struct sup_stream *stream, const char *location, const struct url *url)
{
	struct sup_redirect *redirect = &stream->redirect;
	bool here = is_here(stream, url->host);
	char *shown = redact_url(location);

	if (redirect->url == NULL) {
		const struct sockaddr *address = reached_at(stream);

		redirect->is_same_host = true;
		redirect->may_loop_back = address == NULL || conf_address_is_loopback(address);
	}
	/* In a chain each step must keep the host. */
	redirect->is_same_host = redirect->is_same_host && here;
	redirect->is_due = true;
	redirect->in_row++;
	log_msg(stream->failing ? LOG_LEVEL_DEBUG : LOG_LEVEL_NOTICE, "cam=%s: redirected to %s%s",
		stream->name, shown,
		redirect->is_same_host || stream->conf->camera->user == NULL
		    ? ""
		    : ", another host: without user and password");
	free(shown);
	free(redirect->url);
	redirect->url = xstrdup(location);
	(void)sup_stream_set_url(stream, location);
}

int
sup_redirect_follow(struct sup_stream *stream, const char *location)
{
	char err[URL_ERROR_MAX];
	struct url url;
	int rc = 0;

	if (stream->conf == NULL)
		return -EINVAL;
	if (has_delivered(stream))
		stream->redirect.in_row = 0;
	if (url_parse(location, &url, err) < 0)
		return refuse(stream, "but to no URL that can be read");
	if (!may_lead(stream->url.scheme->name, url.scheme->name))
		rc = refuse(stream, strcmp(stream->url.scheme->name, "rtsps") == 0
					? "but from rtsps:// to something less safe"
					: "but to something else than RTSP");
	else if (url.has_userinfo)
		rc = refuse(stream, "but with a user in the URL");
	else if (stream->redirect.in_row >= SUP_REDIRECTS_MAX)
		rc = refuse(stream, "and again, and again: more than 3 times without a picture");
	else
		take(stream, location, &url);
	url_clear(&url);
	return rc;
}

bool
sup_redirect_forget(struct sup_stream *stream)
{
	bool was_active = stream->redirect.url != NULL;

	sup_redirect_clear(&stream->redirect);
	if (was_active && stream->conf != NULL)
		(void)sup_stream_set_url(stream, stream->conf->url);
	return was_active;
}

const char *
sup_redirect_url(const struct sup_stream *stream)
{
	return stream->redirect.url != NULL ? stream->redirect.url : stream->conf->url;
}

bool
sup_redirect_is_active(const struct sup_stream *stream)
{
	return stream->redirect.url != NULL;
}

bool
sup_redirect_keeps_password(const struct sup_stream *stream)
{
	return stream->redirect.url == NULL || stream->redirect.is_same_host;
}

const char *
sup_redirect_words(const struct sup_stream *stream)
{
	return stream->redirect.url != NULL ? "; the camera sent us there" : "";
}

/* To connect there means to connect to this machine, too. */
static bool
is_unspecified(const struct sockaddr *address)
{
	static const struct in6_addr any;

	if (address->sa_family == AF_INET)
		return ((const struct sockaddr_in *)address)->sin_addr.s_addr == INADDR_ANY;
	return memcmp(&((const struct sockaddr_in6 *)address)->sin6_addr, &any, sizeof(any)) == 0;
}

bool
sup_redirect_may_reach(const struct sup_stream *stream, const struct sockaddr *address)
{
	return stream->redirect.url == NULL || stream->redirect.may_loop_back ||
	       (!conf_address_is_loopback(address) && !is_unspecified(address));
}

void
sup_redirect_clear(struct sup_redirect *redirect)
{
	free(redirect->url);
	*redirect = (struct sup_redirect){ 0 };
}
