/*
 * The tracks of a session: which ones, over what, and where their packets go. Silence of video is
 * judged here; sound alone is no life.
 */
#include "config.h"

#include "worker/rtsp_client_int.h"

#include "shared/log.h"
#include "worker/rtsp_url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Which tracks */

static const char *
why_no_video(const struct sdp *sdp)
{
	for (size_t i = 0; i < sdp->n_media; i++) {
		const struct sdp_media *media = &sdp->media[i];

		if (media->kind == SDP_VIDEO && !media->is_backchannel && media->why[0] != '\0')
			return media->why;
	}
	return "its description has no video";
}

/* False: there is none, or its address cannot be used. */
static bool
add_track(struct rtsp_client *client, enum sdp_kind kind)
{
	struct rtsp_media *media = &client->media[client->n_media];
	int index = sdp_find(client->sdp, kind);
	char *url;

	if (index < 0)
		return false;
	url = rtsp_url_control(client->url, client->base_url, client->sdp->media[index].control);
	if (url == NULL)
		return false;
	*media = (struct rtsp_media){ .client = client,
				      .described = &client->sdp->media[index],
				      .url = url };
	client->n_media++;
	return true;
}

int
rtsp_client_choose_tracks(struct rtsp_client *client)
{
	if (sdp_find(client->sdp, SDP_VIDEO) < 0) {
		rtsp_client_blame(client, WRK_CLASS_UNSUPPORTED,
				  "the camera offers no picture that can be read: %s",
				  why_no_video(client->sdp));
		return -ENOTSUP;
	}
	client->play_url = rtsp_url_control(client->url, client->base_url, client->sdp->control);
	if (client->play_url == NULL)
		client->play_url = rtsp_url_control(client->url, client->base_url, "");
	if (client->play_url == NULL || !add_track(client, SDP_VIDEO)) {
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera's description names an address that cannot be used");
		return -EPROTO;
	}
	(void)add_track(client, SDP_AUDIO);
	return 0;
}

void
rtsp_client_drop_audio(struct rtsp_client *client)
{
	struct rtsp_media *audio = &client->media[1];

	log_debug("no sound: %s", client->reason);
	rtsp_udp_free(&audio->udp);
	free(audio->url);
	*audio = (struct rtsp_media){ .client = client };
	client->n_media = 1;
	client->current = 0;
}

/* Packets in */

static bool
wants_packets(const struct rtsp_client *client)
{
	return client->state >= RTSP_STATE_SETUP && client->state <= RTSP_STATE_PAUSE;
}

static void
note_bye(struct rtsp_client *client, const struct rtsp_media *media, const uint8_t *data,
	 size_t len, int64_t now_ns)
{
	struct rtcp_seen seen = { .has_bye = false };

	(void)rtcp_parse(data, len, &seen);
	if (!seen.has_bye || media != &client->media[0])
		return;
	client->has_bye = true;
	client->bye_ns = now_ns;
	client->bye_packets = rtsp_client_video_packets(client);
	rtsp_client_arm(client);
}

static void
push(struct rtsp_media *media, bool is_rtcp, const uint8_t *data, size_t len, int64_t now_ns,
     int64_t realtime_ns)
{
	struct rtsp_client *client = media->client;

	if (media->track == NULL || !wants_packets(client))
		return;
	if (!is_rtcp) {
		(void)rtsp_track_rtp(media->track, data, len, now_ns, realtime_ns);
		return;
	}
	rtsp_track_rtcp(media->track, data, len, now_ns, realtime_ns);
	note_bye(client, media, data, len, now_ns);
}

void
rtsp_client_on_data(struct rtsp_client *client, const struct rtsp_item *item, int64_t now_ns,
		    int64_t realtime_ns)
{
	int where = client->channel_of[item->channel];

	if (where != RTSP_NO_CHANNEL)
		push(&client->media[where >> 1], where & 1, item->data, item->len, now_ns,
		     realtime_ns);
}

static void
on_udp_packet(void *arg, bool is_rtcp, const uint8_t *data, size_t len, int64_t monotonic_ns,
	      int64_t realtime_ns)
{
	push(arg, is_rtcp, data, len, monotonic_ns, realtime_ns);
}

/* A hole that opened has to be closed in time, whether or not more comes. */
static void
on_udp_drained(void *arg)
{
	struct rtsp_client *client = ((struct rtsp_media *)arg)->client;
	int64_t due_ns = rtsp_client_tracks_due_ns(client);

	if (due_ns != INT64_MAX &&
	    (!clock_timer_is_set(&client->timer) || due_ns < client->timer.deadline_ns))
		rtsp_client_arm(client);
}

/* Bursts */

static uint64_t
count_units(const struct rtsp_client *client)
{
	uint64_t units = 0;

	for (size_t i = 0; i < client->n_media; i++)
		if (client->media[i].track != NULL)
			units += rtsp_track_stats(client->media[i].track)->units;
	return units;
}

bool
rtsp_client_hold(struct rtsp_client *client, int64_t now_ns)
{
	uint64_t units = count_units(client);

	if (now_ns >= client->burst_end_ns) {
		client->burst_end_ns = now_ns + RTSP_BURST_MS * NS_PER_MS;
		client->burst_units = units;
	}
	if (client->conn == NULL || units - client->burst_units < RTSP_BURST_UNITS)
		return false;
	client->is_held = true;
	rtsp_conn_hold(client->conn, true);
	rtsp_client_arm(client);
	return true;
}

/* SETUP */

static int
open_udp(struct rtsp_client *client, struct rtsp_media *media)
{
	static const struct rtsp_udp_ops ops = { on_udp_packet, on_udp_drained };
	int rc;

	if (media->udp != NULL)
		return 0;
	rc = rtsp_udp_new(client->base, client->clock, rtsp_conn_fd(client->conn), &ops, media,
			  &media->udp);
	if (rc < 0)
		rtsp_client_blame(client, WRK_CLASS_INTERNAL, "cannot open ports for UDP: %s",
				  strerror(-rc));
	return rc;
}

char *
rtsp_client_transport(struct rtsp_client *client)
{
	struct rtsp_media *media = &client->media[client->current];
	struct rtsp_transport transport = { .is_tcp = client->is_tcp };

	if (client->is_tcp) {
		media->channel[0] = (uint8_t)(2 * client->current);
		media->channel[1] = (uint8_t)(2 * client->current + 1);
		transport.has_channels = true;
		memcpy(transport.channel, media->channel, sizeof(media->channel));
		return rtsp_transport_write(&transport);
	}
	if (open_udp(client, media) < 0)
		return NULL;
	transport.client_port[0] = rtsp_udp_port(media->udp);
	transport.client_port[1] = (uint16_t)(transport.client_port[0] + 1);
	return rtsp_transport_write(&transport);
}

static bool
is_channel_taken(const struct rtsp_client *client, const uint8_t channel[2])
{
	return client->channel_of[channel[0]] != RTSP_NO_CHANNEL ||
	       client->channel_of[channel[1]] != RTSP_NO_CHANNEL || channel[0] == channel[1];
}

/* Any numbers, as the camera chose them; but some give each track the same ones and mean what was
 * asked for. */
static void
take_channels(struct rtsp_client *client, struct rtsp_media *media,
	      const struct rtsp_transport *chosen)
{
	int where = (int)(media - client->media) << 1;

	if (chosen->has_channels && !is_channel_taken(client, chosen->channel))
		memcpy(media->channel, chosen->channel, sizeof(media->channel));
	client->channel_of[media->channel[0]] = (int16_t)where;
	client->channel_of[media->channel[1]] = (int16_t)(where | 1);
	rtsp_reader_know_channel(client->reader, media->channel[0]);
	rtsp_reader_know_channel(client->reader, media->channel[1]);
}

/* What the camera chose must be what was asked for. */
static int
take_transport(struct rtsp_client *client, struct rtsp_media *media, const struct rtsp_item *reply)
{
	const struct rtsp_text *value = rtsp_item_header(reply, "Transport");
	struct rtsp_transport chosen;

	memset(&chosen, 0, sizeof(chosen));
	chosen.is_tcp = client->is_tcp; /* who says nothing means that */
	if ((value != NULL && rtsp_transport_parse(value, &chosen) < 0) ||
	    chosen.is_tcp != client->is_tcp || chosen.is_multicast) {
		rtsp_client_blame(client, WRK_CLASS_PROTOCOL,
				  "the camera answers with another transport than %s",
				  client->is_tcp ? "TCP" : "UDP");
		return -EPROTO;
	}
	if (client->is_tcp)
		take_channels(client, media, &chosen);
	else
		rtsp_udp_set_camera_ports(media->udp, chosen.server_port);
	return 0;
}

int
rtsp_client_set_up(struct rtsp_client *client, const struct rtsp_item *reply)
{
	struct rtsp_media *media = &client->media[client->current];
	struct rtsp_track_config config = {
		.format = &media->described->format,
		.wait_ns = client->is_tcp ? 0 : client->reorder_ms * NS_PER_MS,
		.our_ssrc = client->our_ssrc + (uint32_t)client->current,
		.framerate = media->described->framerate,
	};
	int rc = take_transport(client, media, reply);

	if (rc < 0)
		return rc;
	media->is_set_up = true;
	media->track = rtsp_track_new(&client->tracks, &config);
	if (media->track != NULL)
		return 0;
	rtsp_client_blame(client, WRK_CLASS_UNSUPPORTED, "%s cannot be read",
			  media->described->encoding);
	return -ENOTSUP;
}

void
rtsp_client_punch(struct rtsp_client *client)
{
	for (size_t i = 0; i < client->n_media; i++)
		if (client->media[i].udp != NULL)
			rtsp_udp_punch(client->media[i].udp, client->our_ssrc + (uint32_t)i);
}

/* Time */

int64_t
rtsp_client_tracks_due_ns(const struct rtsp_client *client)
{
	int64_t due_ns = INT64_MAX;

	if (!wants_packets(client))
		return due_ns;
	for (size_t i = 0; i < client->n_media; i++) {
		const struct rtsp_track *track = client->media[i].track;
		int64_t track_due_ns = track != NULL ? rtsp_track_due_ns(track) : INT64_MAX;

		if (track_due_ns < due_ns)
			due_ns = track_due_ns;
	}
	return due_ns;
}

void
rtsp_client_tick_tracks(struct rtsp_client *client, int64_t now_ns)
{
	if (!wants_packets(client))
		return;
	for (size_t i = 0; i < client->n_media; i++) {
		struct rtsp_track *track = client->media[i].track;

		if (track != NULL && rtsp_track_due_ns(track) <= now_ns)
			rtsp_track_tick(track, now_ns);
	}
}

static void
send_interleaved(struct rtsp_client *client, uint8_t channel, const uint8_t *report, size_t len)
{
	uint8_t data[4 + RTCP_RR_BYTES_MAX] = { '$', channel, (uint8_t)(len >> 8), (uint8_t)len };

	memcpy(data + 4, report, len);
	/* who does not read loses reports first, and the session with the next request */
	(void)rtsp_conn_send(client->conn, data, 4 + len);
}

void
rtsp_client_send_reports(struct rtsp_client *client, int64_t now_ns)
{
	for (size_t i = 0; i < client->n_media && client->conn != NULL; i++) {
		struct rtsp_media *media = &client->media[i];
		uint8_t report[RTCP_RR_BYTES_MAX];
		size_t len =
		    media->track != NULL ? rtsp_track_report(media->track, now_ns, report) : 0;

		if (len == 0)
			continue;
		if (media->udp != NULL)
			rtsp_udp_send_rtcp(media->udp, report, len);
		else
			send_interleaved(client, media->channel[1], report, len);
	}
}

/* Silence */

static int64_t
last_packet_ns(struct rtsp_track *track)
{
	return track != NULL ? rtsp_track_stats(track)->last_packet_ns : 0;
}

uint64_t
rtsp_client_video_packets(const struct rtsp_client *client)
{
	struct rtsp_track *video = client->media[0].track;

	return video != NULL ? rtsp_track_stats(video)->packets : 0;
}

static bool
has_said_bye(const struct rtsp_client *client)
{
	return client->has_bye && rtsp_client_video_packets(client) == client->bye_packets;
}

static bool
was_helped_in_vain(const struct rtsp_client *client)
{
	return client->was_revived && rtsp_client_video_packets(client) == client->revive_packets;
}

static int64_t
silent_since_ns(const struct rtsp_client *client)
{
	int64_t last_ns = last_packet_ns(client->media[0].track);

	return last_ns > client->go_ns ? last_ns : client->go_ns;
}

int64_t
rtsp_client_give_up_ns(const struct rtsp_client *client)
{
	return silent_since_ns(client) + client->give_up_ms * NS_PER_MS;
}

int64_t
rtsp_client_silent_ns(const struct rtsp_client *client)
{
	if (has_said_bye(client))
		return client->bye_ns + RTSP_BYE_MS * NS_PER_MS;
	if (was_helped_in_vain(client))
		return rtsp_client_give_up_ns(client);
	return silent_since_ns(client) + client->silence_ms * NS_PER_MS;
}

static void
blame_silence(struct rtsp_client *client, int64_t now_ns)
{
	int64_t sound_ns = last_packet_ns(client->media[1].track);
	bool has_sound = sound_ns > 0 && now_ns - sound_ns < client->silence_ms * NS_PER_MS;

	if (rtsp_client_video_packets(client) == 0 && !client->is_tcp && !has_sound)
		rtsp_client_blame(client, WRK_CLASS_TIMEOUT,
				  "the camera plays, but no packet gets through over UDP (a "
				  "firewall, or another network?): set transport: tcp");
	else
		rtsp_client_blame(client, WRK_CLASS_TIMEOUT,
				  "no packet of video for %.1f s%s, although the connection "
				  "lives; asking for it once more did not help",
				  (double)client->give_up_ms / 1000,
				  has_sound ? " (only sound comes)" : "");
}

enum rtsp_event
rtsp_client_judge_silence(struct rtsp_client *client, int64_t now_ns)
{
	if (has_said_bye(client)) {
		rtsp_client_blame(client, WRK_CLASS_EOF, "the camera ended the stream");
		return RTSP_EVENT_DEAD;
	}
	if (!was_helped_in_vain(client))
		return RTSP_EVENT_SILENT;
	blame_silence(client, now_ns);
	return RTSP_EVENT_DEAD;
}

/* Status and the end */

void
rtsp_client_report(struct rtsp_client *client, struct wrk_input_report *report)
{
	static const enum wrk_marker markers[] = {
		[RTP_AU_END_UNKNOWN] = WRK_MARKER_NONE,
		[RTP_AU_END_MARKER] = WRK_MARKER_OK,
		[RTP_AU_END_NEVER] = WRK_MARKER_NEVER,
		[RTP_AU_END_EACH_SLICE] = WRK_MARKER_EACH_SLICE,
	};
	const struct rtsp_track_stats *stats;

	if (client->media[0].track == NULL)
		return;
	stats = rtsp_track_stats(client->media[0].track);
	report->transport = client->is_tcp ? "tcp" : "udp";
	report->packets = stats->packets;
	report->lost = stats->lost;
	report->reordered = stats->reordered;
	report->marker = markers[stats->au_end];
	report->clock = !stats->has_clock        ? WRK_CLOCK_NONE
			: stats->is_clock_synced ? WRK_CLOCK_SYNCED
						 : WRK_CLOCK_UNSYNCED;
}

void
rtsp_client_close_tracks(struct rtsp_client *client)
{
	for (size_t i = 0; i < client->n_media; i++)
		rtsp_udp_free(&client->media[i].udp);
}

void
rtsp_client_free_tracks(struct rtsp_client *client)
{
	for (size_t i = 0; i < client->n_media; i++) {
		rtsp_track_free(&client->media[i].track);
		free(client->media[i].url);
	}
	client->n_media = 0;
}
