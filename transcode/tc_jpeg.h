/*
 * One picture to one JPEG.
 */
#ifndef CAMHUB_TRANSCODE_TC_JPEG_H
#define CAMHUB_TRANSCODE_TC_JPEG_H

struct AVFrame;
struct AVPacket;

/* A JFIF image of the picture's own size. quality: 1 best to 31. Returns 0 and *jpeg
 * (av_packet_free()), or a negative AVERROR. */
int tc_jpeg_encode(const struct AVFrame *frame, int quality, struct AVPacket **jpeg);

#endif
