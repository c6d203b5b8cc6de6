/*
 * What may be given as an address or a profile, asked of the parts that will
 * take it, so that a start refuses exactly what they could not use.
 */
#include <string.h>

#include "app/options.h"
#include "net/discover/mdns.h"
#include "net/node/node.h"
#include "net/wire/dialable.h"

bool option_is_listen(const char *value)
{
	struct maddr a;
	struct dialable at;

	if (maddr_parse_text(&a, bytes_str(value)) != 0)
		return false;
	dialable_of(&at, &a);
	return dialable_is_spoken(&at);
}

bool option_is_connect(const char *value)
{
	struct maddr whole, a;
	struct dialable at;
	struct bytes id;

	if (node_parse_connect(value, &whole) != 0)
		return false;
	maddr_split_peer(&whole, &a, &id);
	dialable_of(&at, &a);
	return dialable_is_spoken(&at);
}

bool option_is_keep(const char *value)
{
	struct peer_id peer;
	struct maddr a;

	return node_parse_keep(value, &peer, &a) == 0;
}

bool option_is_service(const char *value)
{
	struct mdns_services alone;

	mdns_services_init(&alone);
	return mdns_services_add(&alone, value) == 0;
}

/* It becomes a folder: nothing that could lead elsewhere. */
bool option_is_profile(const char *value)
{
	return value[0] != '.' && value[0] != '\0' && strlen(value) <= 64 &&
	       strchr(value, '/') == NULL;
}
