/*
 * Keys of all kinds and signatures made with them. The input is the length of
 * a key protobuf, that key, then a signature over a fixed message. Whatever
 * the bytes, checking ends with one of four errors; a signature that is good
 * is good for that message alone, and is so every time.
 */
#include "base/cursor.h"
#include "net/identity/key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char text[] = "noise-libp2p-static-key:";
	uint8_t message[sizeof(text) - 1 + 32];
	struct bytes signed_text = bytes_of(message, sizeof(message));
	struct cursor c = cur_of(bytes_of(data, size));
	struct public_key key;
	struct bytes pb, sig;
	int err;

	if (crypto_init() != 0)
		return 0;
	memcpy(message, text, sizeof(text) - 1);
	for (size_t i = 0; i < 32; i++)
		message[sizeof(text) - 1 + i] = (uint8_t)i;
	pb = cur_take(&c, cur_be16(&c));
	sig = cur_rest(&c);
	if (cur_err(&c) != 0 || public_key_parse(&key, pb) != 0)
		return 0;
	err = public_key_verify(&key, signed_text, sig);
	P2P_ASSERT(err == 0 || err == P2P_ERR_AUTH ||
		   err == P2P_ERR_MALFORMED || public_key_not_built(err));
	if (err != 0)
		return 0;
	P2P_ASSERT(public_key_verify(&key, signed_text, sig) == 0);
	message[sizeof(text)] ^= 1;
	P2P_ASSERT(public_key_verify(&key, signed_text, sig) == P2P_ERR_AUTH);
	return 0;
}
