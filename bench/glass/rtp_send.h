/*
 * Pictures as RTP packets in the interleaved frames of RTSP (RFC 2326 10.12).
 */
#ifndef CAMHUB_BENCH_GLASS_RTP_SEND_H
#define CAMHUB_BENCH_GLASS_RTP_SEND_H

#include <stdint.h>

struct conn;
struct encoded;

#define RTP_SEND_H264_PAYLOAD 96
#define RTP_SEND_JPEG_PAYLOAD 26

/* RFC 6184, single units and FU-A. */
void rtp_send_h264(struct conn *conn, const struct encoded *picture);

/* RFC 2435, with the tables of quantisation in each picture. The JPEG is 4:2:0, with the usual
 * Huffman tables. */
void rtp_send_jpeg(struct conn *conn, const struct encoded *picture);

/* A sender report (RFC 3550 6.4.1) once in a second: the picture's timestamp belongs to the time
 * that is in the picture. */
void rtp_send_report(struct conn *conn, const struct encoded *picture);

#endif
