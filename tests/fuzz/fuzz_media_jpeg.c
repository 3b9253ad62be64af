/*
 * A JPEG as it comes from a camera.
 */
#include "config.h"

#include "media/jpeg.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct jpeg_info info;

	if (jpeg_parse(data, size, &info) == 0) {
		FUZZ_CHECK(info.width > 0 && info.height > 0);
		FUZZ_CHECK(info.len_bytes <= size && info.len_bytes > 4);
		FUZZ_CHECK(data[info.len_bytes - 2] == 0xff && data[info.len_bytes - 1] == 0xd9);
	}
	return 0;
}
