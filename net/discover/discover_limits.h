/*
 * Every maximum of this folder. Bytes and counts; what is done with more than
 * that is said where the reader is declared.
 */
#ifndef NET_DISCOVER_DISCOVER_LIMITS_H
#define NET_DISCOVER_DISCOVER_LIMITS_H

/* A name on the wire and one of its labels (RFC 1035 section 2.3.4). */
#define MDNS_NAME_BYTES_MAX 255
#define MDNS_LABEL_BYTES_MAX 63
/* A name as text with its NUL: each byte may need four characters. */
#define MDNS_NAME_TEXT_MAX 1024
/* What we publish: Avahi silently never sends a TXT record that does not fit
 * one packet together with the others of its service. */
#define MDNS_TXT_OWN_BYTES_MAX 1000
/* A string of a TXT record (RFC 1035 section 3.3). */
#define MDNS_STRING_BYTES_MAX 255
/* What we read: addresses of one record, strings looked at. */
#define MDNS_ADDRESSES_MAX 16
#define MDNS_STRINGS_MAX 64
/* Records of one packet that are looked at. */
#define MDNS_RECORDS_MAX 64
/* Questions of one packet that are looked at. */
#define MDNS_QUESTIONS_MAX 16
/* A whole answer of ours: the header, two records with their names, the TXT
 * record's data. It fits one packet of Ethernet. */
#define MDNS_ANSWER_BYTES_MAX (MDNS_TXT_OWN_BYTES_MAX + 200)
/* A name of a network interface, with its NUL (IFNAMSIZ). */
#define MDNS_ZONE_MAX 16
/* Names of services: one as text with its NUL; those that are looked for, and
 * those among them that we are told of under, libp2p's own and eight given: a
 * daemon takes 32 records a group, and each has three. */
#define MDNS_SERVICE_TEXT_MAX 128
#define MDNS_SERVICES_MAX 16
#define MDNS_SERVICES_TOLD_MAX 9
/* Random name of an instance (libp2p mDNS spec: 32 to 63 characters). */
#define MDNS_INSTANCE_CHARS 32

#endif
