/*
 * Opus packets (RFC 6716) and the head that describes a stream of them (OpusHead, RFC 7845 5.1).
 */
#ifndef CAMHUB_MEDIA_OPUS_H
#define CAMHUB_MEDIA_OPUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OPUS_RATE       48000u /* what packets are counted in, whatever rate they are made for */
#define OPUS_HEAD_BYTES 19u    /* of one stream of one or two channels; others have a table */

/* How many samples a packet lasts; 0: it does not say anything sensible (RFC 6716 3.1). */
uint32_t opus_packet_samples(const uint8_t *data, size_t len);

bool opus_is_head(const uint8_t *head, size_t len);

/* For a stream that is joined anywhere: nothing to skip. channels 1 or 2. */
void opus_write_head(uint8_t channels, uint8_t out[OPUS_HEAD_BYTES]);

#endif
