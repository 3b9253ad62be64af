/*
 * Packets of H.264, see fuzz_depay.h.
 */
#include "config.h"

#include "tests/fuzz/fuzz_depay.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_depay(NAL_H264, data, size);
	return 0;
}
