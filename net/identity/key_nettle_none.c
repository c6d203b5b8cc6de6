/*
 * In the place of key_nettle.c where the program is built without nettle: RSA
 * and ECDSA keys can be read and named, not checked.
 */
#include "net/identity/key_nettle.h"

const char *key_nettle_version(void)
{
	return NULL;
}

int key_nettle_rsa(struct bytes spki, struct bytes message, struct bytes sig)
{
	(void)spki;
	(void)message;
	(void)sig;
	return P2P_ERR_NO_RSA;
}

int key_nettle_ecdsa(struct bytes spki, struct bytes message, struct bytes sig)
{
	(void)spki;
	(void)message;
	(void)sig;
	return P2P_ERR_NO_ECDSA;
}

bool key_nettle_rsa_is_plain(struct bytes spki, struct bytes sig)
{
	(void)spki;
	(void)sig;
	return false;
}

bool key_nettle_ecdsa_is_plain(struct bytes spki, struct bytes sig)
{
	(void)spki;
	(void)sig;
	return false;
}
