/*
 * What libp2p peers tell each other by multicast DNS (libp2p specs,
 * discovery/mdns.md; RFC 1035 sections 3.1 and 3.3, RFC 6763 section 6):
 *
 *   _p2p._udp.local             PTR  RANDOM._p2p._udp.local
 *   RANDOM._p2p._udp.local      TXT  "dnsaddr=/ip4/.../tcp/.../p2p/ID" ...
 *   RANDOM._p2p._udp.local      SRV  0 0 PORT RANDOM.local
 *   RANDOM.local                A, AAAA
 *
 * Names, record data and addresses as bytes and back; no sockets, no state.
 * Record data comes without its length and with names not compressed, as
 * Avahi hands it over. All of it is unauthenticated: a hint whom to dial.
 */
#ifndef NET_DISCOVER_MDNS_H
#define NET_DISCOVER_MDNS_H

#include "base/buf.h"
#include "base/rng.h"
#include "net/discover/discover_limits.h"
#include "net/wire/maddr.h"

#define MDNS_SERVICE "_p2p._udp.local"

/* Numbers of RFC 1035 section 3.2.2, RFC 3596, RFC 2782. */
enum mdns_type {
	MDNS_TYPE_A = 1,
	MDNS_TYPE_PTR = 12,
	MDNS_TYPE_TXT = 16,
	MDNS_TYPE_AAAA = 28,
	MDNS_TYPE_SRV = 33,
};

/* ---- names -------------------------------------------------------------- */

/*
 * Appends a name of plain labels ("a.local"; letters, digits, '-' and '_')
 * in wire form. P2P_ERR_MALFORMED for an empty label or another character,
 * P2P_ERR_TOO_BIG for a label or name that is too long.
 */
int mdns_name_put(struct buf *out, const char *text) P2P_MUST_CHECK;
/*
 * Reads a whole view as one name in wire form and writes it as text, with
 * its NUL, the way Avahi spells names: '.' and '\' in a label behind a
 * backslash, what is no letter, digit, '-' or '_' as \DDD. P2P_ERR_MALFORMED
 * for a compressed or empty name or bytes behind it, P2P_ERR_TRUNCATED,
 * P2P_ERR_TOO_BIG; out is "" then.
 */
int mdns_name_text(
	struct bytes raw, char out[static MDNS_NAME_TEXT_MAX]) P2P_MUST_CHECK;
/* A fresh name for an instance: random a-z0-9, says nothing about the host. */
void mdns_instance_name(
	struct rng *rng, char out[static MDNS_INSTANCE_CHARS + 1]);

/* ---- names of services -------------------------------------------------- */

struct mdns_service {
	char name[MDNS_SERVICE_TEXT_MAX]; /* "kitchen.local" */
	bool told;                        /* we are to be found under it, too */
};

/* Under which names peers are looked for; the first is libp2p's own. */
struct mdns_services {
	size_t count;
	struct mdns_service of[MDNS_SERVICES_MAX];
};

/* libp2p's own name, and to look only, those that known programs use
 * (docs/decisions/0031-as-others-do-it.md). */
void mdns_services_init(struct mdns_services *s);
/*
 * A name as a person types it, "kitchen" or "_x._udp.local": looked for, and
 * told. P2P_ERR_MALFORMED for another character than letters, digits, '-', '_'
 * and '.', P2P_ERR_TOO_BIG, P2P_ERR_LIMIT; then nothing has changed.
 */
int mdns_services_add(
	struct mdns_services *s, const char *typed) P2P_MUST_CHECK;

/* ---- writing ------------------------------------------------------------ */

/* The data of an SRV record: priority and weight 0. Errors of mdns_name_put. */
int mdns_srv_put(
	struct buf *out, uint16_t port, const char *target) P2P_MUST_CHECK;
/*
 * The data of the TXT record for these addresses with /p2p/ID behind them:
 * private ones first, then public, then link-local ones, which are written
 * without their zone, since that is the reader's own business. Twins, what is
 * of no use to others (loopback, unspecified, multicast) and what does not
 * fit any more is left out. `out` is made with MDNS_TXT_OWN_BYTES_MAX.
 * Returns how many were written; a record without strings is one empty
 * string (RFC 6763 section 6.1).
 */
size_t mdns_txt_put(struct buf *out, const struct maddr *addrs, size_t count);
/* The same, but the first `near` of them, which are of the interface where the
 * record is told, come before all others. */
size_t mdns_txt_put_near(
	struct buf *out, const struct maddr *addrs, size_t count, size_t near);

/* ---- reading ------------------------------------------------------------ */

/* What is needed to judge where a record came from. */
struct mdns_origin {
	char zone[MDNS_ZONE_MAX]; /* name of the interface; "" if unknown */
	bool loopback;            /* it came by the loopback interface */
};

/*
 * One string of a TXT record. P2P_ERR_NOT_FOUND when it is something else
 * than a "dnsaddr=" attribute (the key in any case, RFC 6763 section 6.4);
 * P2P_ERR_MALFORMED, P2P_ERR_UNSUPPORTED or P2P_ERR_TOO_BIG for an address
 * that is not one or lacks a right peer id at its end; P2P_ERR_INVAL for one
 * that cannot lead to another host: loopback unless it came from there,
 * unspecified, multicast, or link-local IPv6 from nowhere. Link-local IPv6
 * gets the zone it came from, whatever zone it names.
 */
int mdns_dnsaddr(struct maddr *addr, struct bytes string,
	const struct mdns_origin *from) P2P_MUST_CHECK;
/*
 * All usable addresses of a TXT record's data, at most MDNS_ADDRESSES_MAX of
 * the first MDNS_STRINGS_MAX strings; one bad string voids no other.
 */
size_t mdns_txt_addresses(struct maddr out[static MDNS_ADDRESSES_MAX],
	struct bytes raw, const struct mdns_origin *from);

/*
 * The same of a whole packet: of every TXT record in an answer that names a
 * libp2p instance, "_p2p._udp.local PTR", with that name written out. No more
 * than MDNS_RECORDS_MAX records are looked at, and none behind one that is
 * malformed. Queries, errors and goodbyes (a TTL of 0) give none.
 */
size_t mdns_packet_addresses(struct maddr out[static MDNS_ADDRESSES_MAX],
	struct bytes raw, const struct mdns_origin *from);
/* A query for the PTR records of one name, as a whole packet. `out` is made
 * with at least 18 bytes more than a name has. Errors of mdns_name_put. */
int mdns_packet_question(struct buf *out, const char *name) P2P_MUST_CHECK;

/* ---- for those whom Avahi's answers do not reach ------------------------ */

/* Whether a packet is a query in which "_p2p._udp.local PTR" is asked for,
 * among the first MDNS_QUESTIONS_MAX questions. */
bool mdns_packet_asks(struct bytes raw);
/*
 * Writes the answer to that as rust-libp2p reads it: the PTR record of
 * INSTANCE, and beside it, as an additional record, the TXT record of
 * mdns_txt_put. `out` is made with MDNS_ANSWER_BYTES_MAX. P2P_ERR_NOT_FOUND,
 * and nothing in `out`, when no address is of use to others.
 */
int mdns_packet_answer(struct buf *out, const char *instance,
	const struct maddr *addrs, size_t count) P2P_MUST_CHECK;

#endif
