/*
 * Multihashes: code, length, digest. Which of them may name a peer is decided
 * here: SHA-256, or a whole key that is short enough to stand for itself.
 */
#include "net/wire/multihash.h"

#include "net/wire/varint.h"
#include "net/wire/wire_limits.h"

#define SHA2_256_BYTES 32
#define PEER_ID_INLINE_BYTES_MAX 42

struct multihash multihash_read(struct cursor *c)
{
	struct multihash mh = {.code = cur_uvarint(c, VARINT_SHORT_BYTES_MAX)};
	uint64_t len = cur_uvarint(c, VARINT_SHORT_BYTES_MAX);

	if (cur_ok(c) && len > MULTIHASH_DIGEST_BYTES_MAX)
		cur_fail(c, P2P_ERR_TOO_BIG);
	if (cur_ok(c) && mh.code == MULTIHASH_SHA2_256 && len != SHA2_256_BYTES)
		cur_fail(c, P2P_ERR_MALFORMED);
	mh.digest = cur_take(c, (size_t)len);
	return cur_ok(c) ? mh : (struct multihash){0};
}

bool multihash_is_peer_id(struct bytes raw)
{
	struct cursor c = cur_of(raw);
	struct multihash mh = multihash_read(&c);

	if (!cur_done(&c))
		return false;
	if (mh.code == MULTIHASH_SHA2_256)
		return true;
	return mh.code == MULTIHASH_IDENTITY && mh.digest.len > 0 &&
	       mh.digest.len <= PEER_ID_INLINE_BYTES_MAX;
}
