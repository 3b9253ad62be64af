/*
 * The Transport header (RFC 2326 12.39), both ways.
 */
#ifndef CAMHUB_WORKER_RTSP_TRANSPORT_H
#define CAMHUB_WORKER_RTSP_TRANSPORT_H

#include "worker/rtsp_msg.h"

struct rtsp_transport {
	bool is_tcp;        /* RTP/AVP/TCP, interleaved */
	uint8_t channel[2]; /* interleaved: RTP, RTCP */
	bool has_channels;
	uint16_t client_port[2]; /* 0 absent */
	uint16_t server_port[2]; /* RTP, RTCP; 0 absent */
	bool has_ssrc;
	uint32_t ssrc;
	char source[64]; /* numeric address, "" absent */
	bool is_multicast;
};

/* What SETUP asks for. malloc'd. */
char *rtsp_transport_write(const struct rtsp_transport *transport);
/* What the camera chose; the first of several it lists. 0, -EPROTO. One channel or port alone: the
 * other is the next one. Cameras that leave out interleaved= mean what was asked. */
int rtsp_transport_parse(const struct rtsp_text *value, struct rtsp_transport *transport);

#endif
