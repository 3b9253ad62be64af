/*
 * The floor: the camera's pictures straight to a page, over a WebSocket (RFC 6455) of its own, with
 * as little around them as will do.
 *
 *	GET /h264        access units in Annex B form
 *	GET /h264?fmp4   fragments of MP4
 *	GET /jpeg        JPEGs
 *
 * First comes a text, {"codec": "avc1.42C01F" or "jpeg", "init": init segment in base64}, then one
 * binary message for each picture, from a key frame on that is made at once: 4 bytes number, 4
 * bytes flags (1: key frame), 8 bytes time on the stream's line in microseconds, all little-endian;
 * then the picture.
 */
#ifndef CAMHUB_BENCH_GLASS_WS_SERVICE_H
#define CAMHUB_BENCH_GLASS_WS_SERVICE_H

struct service;

const struct service *ws_service(void);

#endif
