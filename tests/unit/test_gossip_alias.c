/* Peers whose message ids are hashes are answered and told of messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/identity/crypto.h"
#include "net/pubsub/gossip_id.h"
#include "tests/unit/gossip_lab.h"

static int setup(void **state)
{
	struct gossip_lab *l = lab_new();

	assert_int_equal(gossip_join(l->g, &l->te.env, bytes_str("room")), 0);
	*state = l;
	return 0;
}

static int teardown(void **state)
{
	lab_free(*state);
	return 0;
}

/* The id of the message of author 9 with this seqno and text. */
static struct bytes id_of(struct gossip_lab *l, uint64_t seqno,
	const char *text, enum gossip_id_form form, uint8_t *out)
{
	struct unit u;

	assert_int_equal(
		unit_parse(&u, lab_sign(l, 9, seqno, "room", text)), 0);
	return bytes_of(out, gossip_id_of_unit(form, &u, out));
}

static void hear(struct gossip_lab *l, uint64_t seqno, const char *text)
{
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 9, seqno, "room", text)), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	lab_hush(l);
}

static void test_alias_forms_are_those_of_other_programs(void **state)
{
	struct gossip_lab *l = *state;
	/* Made with rust 1.95.0: Vec<u8>::hash into std's DefaultHasher. */
	static const struct {
		const char *text, *id;
	} rust[] = {
		{"", "13646096770106105413"},
		{"hello", "9754003402134539932"},
		{"12345678", "1551100642313695"},
		{"a longer line of text, more than two words",
			"8770848655197554557"},
	};
	uint8_t out[GOSSIP_ID_BYTES_MAX], want[32];
	struct bytes id;

	for (size_t i = 0; i < P2P_ARRAY_LEN(rust); i++) {
		id = id_of(l, 1, rust[i].text, GOSSIP_FORM_DATA_SIPHASH, out);
		assert_true(bytes_equal(id, bytes_str(rust[i].id)));
	}
	crypto_sha256(want, bytes_str("1234567890123"));
	id = id_of(l, 1234567890123, "x", GOSSIP_FORM_SEQNO_SHA256, out);
	assert_true(bytes_equal(id, bytes_of(want, sizeof(want))));
	crypto_sha256(want, bytes_str("some words"));
	id = id_of(l, 1, "some words", GOSSIP_FORM_DATA_SHA256, out);
	assert_true(bytes_equal(id, bytes_of(want, sizeof(want))));
}

static void test_alias_answers_iwant_and_learns_the_form(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];

	lab_member(l, 0, GOSSIP_V11);
	for (unsigned i = 1; i <= 3; i++)
		lab_add(l, i, GOSSIP_V11, false);
	hear(l, 5, "older");
	for (unsigned i = 1; i <= 3; i++) {
		enum gossip_id_form form = GOSSIP_FORM_SEQNO_SHA256 + i - 1;

		/* One that came before such ids were met, one after. */
		assert_int_equal(
			lab_iwant(l, i, id_of(l, 5, "older", form, out)), 0);
		assert_int_equal(lab_said(l, i).messages, 1);
		assert_int_equal(gpeer_find(l->g, lab_id(l, i))->form, form);
	}
	hear(l, 6, "newer");
	for (unsigned i = 1; i <= 3; i++) {
		enum gossip_id_form form = GOSSIP_FORM_SEQNO_SHA256 + i - 1;

		assert_int_equal(
			lab_iwant(l, i, id_of(l, 6, "newer", form, out)), 0);
		assert_int_equal(lab_said(l, i).messages, 1);
		assert_int_equal(
			lab_iwant(l, i, id_of(l, 7, "none", form, out)), 0);
		assert_int_equal(lab_said(l, i).messages, 0);
	}
}

static void test_alias_spares_duplicates_and_is_spoken(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];
	struct bytes id;
	struct said s;

	/* A full mesh, so that the last one is told by IHAVE. */
	for (unsigned i = 0; i < 5; i++)
		lab_member(l, i, GOSSIP_V11);
	assert_false(gossip_in_mesh(l->g, bytes_str("room"), lab_id(l, 4)));
	hear(l, 5, "first");
	id = id_of(l, 5, "first", GOSSIP_FORM_DATA_SHA256, out);
	assert_int_equal(lab_ihave(l, 4, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 4).iwant_ids, 0);
	id = id_of(l, 6, "second", GOSSIP_FORM_DATA_SHA256, out);
	assert_int_equal(lab_ihave(l, 4, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 4).iwant_ids, 1);
	lab_pass(l, GOSSIP_HEARTBEAT_MS);
	s = lab_said(l, 4);
	assert_int_equal(s.ihave_ids, 1);
	assert_true(
		bytes_equal(id_of(l, 5, "first", GOSSIP_FORM_DATA_SHA256, out),
			bytes_of(s.id[0].raw, s.id[0].len)));
}

/* One hash in 256 begins as a key does. Taken for one, it would be asked for
 * though it is known, and a promise that nothing can keep. */
static void test_alias_that_begins_like_a_key_is_none(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];
	struct bytes id = bytes_of(NULL, 0);
	uint64_t seqno = 0;

	lab_member(l, 0, GOSSIP_V11);
	lab_member(l, 1, GOSSIP_V11);
	do
		id = id_of(l, ++seqno, "x", GOSSIP_FORM_SEQNO_SHA256, out);
	while (id.data[0] != 0x08);
	hear(l, seqno, "x");
	assert_int_equal(lab_ihave(l, 1, "room", id, 1), 0);
	assert_int_equal(lab_said(l, 1).iwant_ids, 0);
	assert_int_equal(
		gpeer_find(l->g, lab_id(l, 1))->form, GOSSIP_FORM_SEQNO_SHA256);
	assert_int_equal(lab_iwant(l, 1, id), 0);
	assert_int_equal(lab_said(l, 1).messages, 1);
}

static void test_alias_is_obeyed_in_idontwant(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];

	lab_member(l, 0, GOSSIP_V12);
	lab_member(l, 1, GOSSIP_V12);
	hear(l, 5, "first");
	assert_int_equal(
		lab_idontwant(l, 1,
			id_of(l, 5, "first", GOSSIP_FORM_DATA_SIPHASH, out)),
		0);
	assert_int_equal(
		lab_idontwant(l, 1,
			id_of(l, 6, "next", GOSSIP_FORM_DATA_SIPHASH, out)),
		0);
	assert_int_equal(
		lab_message(l, 0, lab_sign(l, 9, 6, "room", "next")), 0);
	assert_int_equal(lab_events(l, GOSSIP_EV_UNIT), 1);
	assert_int_equal(lab_said(l, 1).messages, 0);
}

static void test_alias_is_forgotten_when_unused(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];

	lab_member(l, 0, GOSSIP_V11);
	hear(l, 5, "first");
	assert_int_equal(l->g->aliases.count, 0);
	assert_int_equal(lab_iwant(l, 0, bytes_str("123")), 0);
	assert_int_equal(l->g->aliases.count, 3);
	/* What is forgotten is named by nobody. */
	lab_pass(l, (GOSSIP_HISTORY_WINDOWS + 1) * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(l->g->cache.count, 0);
	assert_int_equal(l->g->aliases.count, 0);
	assert_true(l->g->aliases_kept);
	assert_int_equal(
		lab_iwant(l, 0,
			id_of(l, 5, "first", GOSSIP_FORM_DATA_SHA256, out)),
		0);
	assert_int_equal(lab_said(l, 0).messages, 0);
	lab_pass(l, (GOSSIP_ALIAS_HEARTBEATS + 1) * GOSSIP_HEARTBEAT_MS);
	assert_false(l->g->aliases_kept);
}

/* What the tables hold is on the bill of the cache while they hold it. */
static void test_alias_is_charged_with_its_message(void **state)
{
	struct gossip_lab *l = *state;
	size_t before;

	lab_member(l, 0, GOSSIP_V11);
	hear(l, 5, "first");
	hear(l, 6, "second");
	before = gossip_cache_bytes(l->g);
	assert_int_equal(lab_iwant(l, 0, bytes_str("123")), 0);
	assert_int_equal(
		gossip_cache_bytes(l->g), before + 2 * GOSSIP_ALIAS_COST_BYTES);
	hear(l, 7, "third");
	assert_true(gossip_cache_bytes(l->g) >
		    before + 3 * GOSSIP_ALIAS_COST_BYTES);
	lab_pass(l, (GOSSIP_HISTORY_WINDOWS + 1) * GOSSIP_HEARTBEAT_MS);
	assert_int_equal(gossip_cache_bytes(l->g), 0);
	/* Nobody uses them any more, and messages are there. */
	for (unsigned n = 0; l->g->aliases_kept; n++) {
		assert_true(n < 2 * GOSSIP_ALIAS_HEARTBEATS);
		hear(l, 100 + n, "later");
		lab_pass(l, GOSSIP_HEARTBEAT_MS);
	}
	assert_true(l->g->cache.count > 0);
	before = gossip_cache_bytes(l->g);
	assert_int_equal(lab_iwant(l, 0, bytes_str("123")), 0);
	assert_int_equal(gossip_cache_bytes(l->g),
		before + l->g->cache.count * GOSSIP_ALIAS_COST_BYTES);
}

/* Where there is room for some alone the newest are found, and what comes later
 * takes the place of the oldest. */
static void test_alias_without_room_is_of_the_newest(void **state)
{
	struct gossip_lab *l = *state;
	uint8_t out[GOSSIP_ID_BYTES_MAX];

	lab_member(l, 0, GOSSIP_V11);
	hear(l, 5, "first");
	hear(l, 6, "second");
	l->g->cache_budget.max =
		gossip_cache_bytes(l->g) + GOSSIP_ALIAS_COST_BYTES;
	assert_int_equal(lab_iwant(l, 0, bytes_str("123")), 0);
	assert_int_equal(l->g->aliases.count, 3);
	assert_int_equal(
		lab_iwant(l, 0,
			id_of(l, 5, "first", GOSSIP_FORM_DATA_SHA256, out)),
		0);
	assert_int_equal(lab_said(l, 0).messages, 0);
	assert_int_equal(
		lab_iwant(l, 0,
			id_of(l, 6, "second", GOSSIP_FORM_DATA_SHA256, out)),
		0);
	assert_int_equal(lab_said(l, 0).messages, 1);
	hear(l, 7, "third!");
	assert_true(l->g->cache_budget.used <= l->g->cache_budget.max);
	assert_int_equal(
		lab_iwant(l, 0,
			id_of(l, 7, "third!", GOSSIP_FORM_DATA_SHA256, out)),
		0);
	assert_int_equal(lab_said(l, 0).messages, 1);
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_alias_forms_are_those_of_other_programs),
		T(test_alias_answers_iwant_and_learns_the_form),
		T(test_alias_spares_duplicates_and_is_spoken),
		T(test_alias_that_begins_like_a_key_is_none),
		T(test_alias_is_obeyed_in_idontwant),
		T(test_alias_is_forgotten_when_unused),
		T(test_alias_is_charged_with_its_message),
		T(test_alias_without_room_is_of_the_newest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
