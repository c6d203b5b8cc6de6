/*
 * In the place of key_secp256k1.c where the program is built without the
 * library: such keys can be read and named, not checked.
 */
#include "net/identity/key_secp256k1.h"

bool key_secp256k1_built(void)
{
	return false;
}

int key_secp256k1_verify(
	struct bytes point, struct bytes message, struct bytes sig)
{
	(void)point;
	(void)message;
	(void)sig;
	return P2P_ERR_NO_SECP256K1;
}

bool key_secp256k1_is_plain(struct bytes point, struct bytes sig)
{
	(void)point;
	(void)sig;
	return false;
}
