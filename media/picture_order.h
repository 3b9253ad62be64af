/*
 * Whether pictures are shown in the order in which they are decoded: from the low bits of their
 * order counts (H.264 8.2.1.1, H.265 8.3.1).
 */
#ifndef CAMHUB_MEDIA_PICTURE_ORDER_H
#define CAMHUB_MEDIA_PICTURE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

/* All zero: nothing seen, or forgotten after a loss. */
struct picture_order {
	bool has_any;
	int64_t reference; /* count of the last picture that the next one's is told from */
	int64_t highest;   /* of all since the counting began */
};

struct picture_order_step {
	uint32_t lsb;      /* pic_order_cnt_lsb */
	unsigned bits;     /* of it, 1..16 */
	bool is_restart;   /* counting begins anew: IDR, BLA */
	bool is_reference; /* the next picture's count is told from this one's: H.264 nal_ref_idc
			      not 0, H.265 prevTid0Pic */
};

/* The next picture in decoding order. Returns true when it is to be shown before one that was
 * decoded earlier. */
bool picture_order_step(struct picture_order *order, const struct picture_order_step *step);

#endif
