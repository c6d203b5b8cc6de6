/*
 * Ping (libp2p ping spec): 32 bytes are sent back as they came. Ours goes out
 * only on connections whose channel asks for no signs of life itself (mplex);
 * elsewhere the channel measures and notices death.
 */
#ifndef NET_PROTO_PING_H
#define NET_PROTO_PING_H

#include "net/serve/serve.h"

extern const struct service_ops ping_ops;

#endif
