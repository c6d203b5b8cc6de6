/* yamux against any bytes, cuts and calls: see fuzz_mux.h. */
#include "tests/fuzz/fuzz_mux.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_mux(MUXER_YAMUX, bytes_of(data, size));
	return 0;
}
