/*
 * Pictures of webcams leave out the Huffman tables that everybody is supposed to have (ITU-T T.81
 * annex K.3); browsers want whole JFIF images.
 */
#ifndef CAMHUB_WORKER_AV_JPEG_H
#define CAMHUB_WORKER_AV_JPEG_H

struct AVBSFContext;
struct AVPacket;

/*
 * Completes the packet in place when its tables are missing; others, damaged ones included, stay as
 * they are. *filter is kept between calls, begins as NULL, and ends with av_bsf_free(). Returns 0
 * or a negative AVERROR (the packet is as before).
 */
int av_jpeg_complete(struct AVBSFContext **filter, struct AVPacket *packet);

#endif
