/*
 * Every maximum of this folder. Bytes and counts; what is done with more than
 * that is said where the reader is declared.
 */
#ifndef NET_WIRE_WIRE_LIMITS_H
#define NET_WIRE_WIRE_LIMITS_H

/* Fields of numbers unknown to a reader that it skips in one message. */
#define PB_UNKNOWN_FIELDS_MAX 1024
/* Rules of one message, one bit each in the mask of what was seen. */
#define PB_RULES_MAX 32
/* The number of a field (protobuf encoding, "Message Structure"). */
#define PB_FIELD_NUMBER_MAX 536870911u

/* Input of the text codes whose cost grows with the square (base58, 36). */
#define MULTIBASE_RADIX_BYTES_MAX 128
#define MULTIBASE_RADIX_CHARS_MAX 256
#define MULTIHASH_DIGEST_BYTES_MAX 64
#define CID_BYTES_MAX 96

/* A multiaddr in binary; its text; components in it. */
#define MULTIADDR_BYTES_MAX 1024
#define MULTIADDR_TEXT_BYTES_MAX 2048
#define MULTIADDR_PARTS_MAX 16
/* A host name in /dns... (RFC 1035 section 2.3.4). */
#define MULTIADDR_NAME_BYTES_MAX 253

/* Leading bits of an address that make a site for limits: one machine has an
 * IPv4 address, and may choose freely within a /64. */
#define DIALABLE_SITE_IP4_BITS 32
#define DIALABLE_SITE_IP6_BITS 64

/* Somebody's key protobuf and signature: RSA of 8192 bits. */
#define WIRE_KEY_PB_BYTES_MAX 2048
#define WIRE_SIGNATURE_BYTES_MAX 1024
/* A binary peer id. */
#define WIRE_PEER_ID_BYTES_MAX 44
/* An id of a stream protocol. */
#define WIRE_PROTOCOL_BYTES_MAX 256

#define NOISE_PB_MUXERS_MAX 16

/* Identify: a message, and what is kept of all messages of one stream. */
#define IDENTIFY_PB_MESSAGE_BYTES_MAX 8192
#define IDENTIFY_PB_PROTOCOLS_MAX 64
#define IDENTIFY_PB_ADDRS_MAX 16
#define IDENTIFY_PB_ADDR_BYTES_MAX 1024
#define IDENTIFY_PB_AGENT_BYTES_MAX 256

/* A profile, and the name in it: what is shown of a name is shorter
 * (TEXT_NAME_BYTES_MAX). The whole has room for members to come. */
#define PROFILE_PB_BYTES_MAX 4096
#define PROFILE_PB_NAME_BYTES_MAX 256

/* A signed envelope, and the addresses of a peer record. */
#define ENVELOPE_BYTES_MAX 8192
#define PEER_RECORD_ADDRS_MAX 32

#endif
