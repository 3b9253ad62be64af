/*
 * What the tests of the reorder window share: packets are pushed by their numbers, and every
 * delivery is written down: "7 8 +2:11" are 7, 8, then 11 with 2 lost before it; "*:5" is 5 after a
 * reset. The payload of each packet is checked on the way.
 */
#ifndef CAMHUB_TESTS_RTP_REORDER_RIG_H
#define CAMHUB_TESTS_RTP_REORDER_RIG_H

#include "media/rtp_reorder.h"
#include "tests/media_data.h"

#define MS     INT64_C(1000000)
#define WAIT   (60 * MS)
#define SSRC   0xcafe0001u
#define PACKET (12u + 4u)

extern struct rtp_reorder *rig_reorder;
extern char rig_history[];
/* Of the last delivery. */
extern int64_t rig_last_arrived_ns;
extern uint8_t rig_delivered_fill;
extern size_t rig_delivered_len;
extern const uint8_t *rig_delivered;
/* Allocations of the code under test, by the linker's --wrap, while rig_is_inside: how many there
 * were, how many more succeed (UINT_MAX: all), and how many bytes were held at most. */
extern bool rig_is_inside;
extern unsigned rig_allocated, rig_allocations_left;
extern size_t rig_peak_bytes;

void rig_on_packet(void *arg, const struct rtp_packet *packet, uint32_t lost, int64_t arrived_ns);
void rig_setup(int64_t wait_ns);
/* A packet of len bytes, header included. */
void rig_push_sized(uint32_t ssrc, uint16_t seq, int64_t arrived_ns, size_t len);
void rig_push(uint16_t seq, int64_t arrived_ms);
/* n numbers, all at 0 ms. */
void rig_push_all(size_t n, ...);
void rig_flush(void);
/* What was delivered since the last such call. */
void rig_expect(const char *expected);

#define RIG_STAT(field, value) ck_assert_uint_eq(rtp_reorder_stats(rig_reorder)->field, value)

#endif
