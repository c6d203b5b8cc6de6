/*
 * Names under which peers are looked for. libp2p has one of its own; programs
 * that want to meet their own kind alone take another, and go-libp2p has them
 * as they are typed: "kitchen" is "kitchen.local".
 */
#include <stdio.h>

#include "net/discover/mdns.h"

#define DOMAIN ".local"

/* go-libp2p's chat example, universal-connectivity's go-peer, p2p-chat-go. */
static const char *const known[] = {"pubsub-chat-example",
	"universal-connectivity", "p2p-chat-local-discovery"};

static bool is_letter(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* RFC 1035 section 2.3.3: case says nothing. */
static bool same_name(struct bytes a, struct bytes b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (a.data[i] != b.data[i] &&
			!(is_letter(a.data[i]) && is_letter(b.data[i]) &&
				(a.data[i] | 0x20) == (b.data[i] | 0x20)))
			return false;
	return true;
}

static int check(const char *name)
{
	struct buf wire;
	int err;

	/* An instance's label goes in front. */
	buf_init(&wire, MDNS_NAME_BYTES_MAX - MDNS_INSTANCE_CHARS - 1);
	err = mdns_name_put(&wire, name);
	buf_clear(&wire);
	return err;
}

static int full_name(const char *typed, char out[static MDNS_SERVICE_TEXT_MAX])
{
	struct bytes t = bytes_str(typed), domain = bytes_str(DOMAIN);
	bool whole;

	if (t.len > 0 && t.data[t.len - 1] == '.')
		t = bytes_first(t, t.len - 1);
	whole = t.len >= domain.len &&
		same_name(bytes_skip(t, t.len - domain.len), domain);
	if (t.len + (whole ? 0 : domain.len) >= MDNS_SERVICE_TEXT_MAX)
		return P2P_ERR_TOO_BIG;
	(void)snprintf(out, MDNS_SERVICE_TEXT_MAX, "%.*s%s", (int)t.len, typed,
		whole ? "" : DOMAIN);
	return check(out);
}

static struct mdns_service *find(struct mdns_services *s, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (same_name(bytes_str(s->of[i].name), bytes_str(name)))
			return &s->of[i];
	return NULL;
}

static size_t told_count(const struct mdns_services *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->count; i++)
		n += s->of[i].told;
	return n;
}

int mdns_services_add(struct mdns_services *s, const char *typed)
{
	char name[MDNS_SERVICE_TEXT_MAX];
	struct mdns_service *sv;
	int err = full_name(typed, name);

	if (err != 0)
		return err;
	sv = find(s, name);
	if (sv != NULL && sv->told)
		return 0;
	if (told_count(s) >= MDNS_SERVICES_TOLD_MAX ||
		(sv == NULL && s->count >= MDNS_SERVICES_MAX))
		return P2P_ERR_LIMIT;
	if (sv == NULL)
		sv = &s->of[s->count++];
	/* Some programs compare to the letter. */
	memcpy(sv->name, name, sizeof(name));
	sv->told = true;
	return 0;
}

void mdns_services_init(struct mdns_services *s)
{
	*s = (struct mdns_services){.count = 0};
	P2P_ASSERT(mdns_services_add(s, MDNS_SERVICE) == 0);
	for (size_t i = 0; i < P2P_ARRAY_LEN(known); i++) {
		P2P_ASSERT(mdns_services_add(s, known[i]) == 0);
		s->of[s->count - 1].told = false;
	}
}
