/*
 * The high bits are those that bring a picture nearest to the last reference picture.
 */
#include "config.h"

#include "media/picture_order.h"

bool
picture_order_step(struct picture_order *order, const struct picture_order_step *step)
{
	int64_t range = (int64_t)1 << step->bits;
	int64_t count = step->lsb, ahead;
	bool is_reordered;

	if (step->is_restart || !order->has_any) {
		*order = (struct picture_order){ true, count, count };
		return false;
	}
	ahead = (count - order->reference) % range;
	if (ahead < 0)
		ahead += range;
	if (ahead >= range / 2)
		ahead -= range;
	count = order->reference + ahead;
	is_reordered = count < order->highest;
	if (count > order->highest)
		order->highest = count;
	if (step->is_reference)
		order->reference = count;
	return is_reordered;
}
