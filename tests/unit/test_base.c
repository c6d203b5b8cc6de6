/* The bottom folder: cursor, buf, bufq, budget, table, rng. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/bufq.h"
#include "base/cursor.h"
#include "base/table.h"

static void test_cursor_is_sticky_after_the_first_failure(void **state)
{
	struct cursor c = cur_of(bytes_of("\x01\x02\x03", 3));

	(void)state;
	assert_int_equal(cur_be16(&c), 0x0102);
	assert_int_equal(cur_be32(&c), 0);
	assert_int_equal(cur_err(&c), P2P_ERR_TRUNCATED);
	assert_int_equal(cur_u8(&c), 0);
	assert_false(cur_done(&c));
}

static void check_uvarint(const char *raw, size_t len, uint64_t want, int err)
{
	struct cursor c = cur_of(bytes_of(raw, len));

	assert_int_equal(cur_uvarint(&c, 10), want);
	assert_int_equal(cur_err(&c), err);
}

static void test_uvarint_is_minimal_and_fits_64_bits(void **state)
{
	(void)state;
	check_uvarint("\x00", 1, 0, 0);
	check_uvarint("\xac\x02", 2, 300, 0);
	check_uvarint(
		"\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX, 0);
	check_uvarint("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 0,
		P2P_ERR_MALFORMED);
	check_uvarint("\x80\x00", 2, 0, P2P_ERR_MALFORMED);
	check_uvarint("\x80", 1, 0, P2P_ERR_TRUNCATED);
	check_uvarint("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, 0,
		P2P_ERR_MALFORMED);
}

static void test_buf_never_exceeds_its_maximum(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 5);
	assert_int_equal(buf_append_str(&b, "abc"), 0);
	assert_int_equal(buf_append_str(&b, "def"), P2P_ERR_TOO_BIG);
	assert_true(b.failed);
	assert_int_equal(buf_append_str(&b, "d"), P2P_ERR_TOO_BIG);
	assert_string_equal(buf_cstr(&b), "abc");
	buf_clear(&b);
}

static void test_bufq_gives_back_what_was_pushed(void **state)
{
	struct rng r;
	struct bufq q;
	uint8_t in = 0, out = 0;

	(void)state;
	rng_init_seeded(&r, 1);
	bufq_init(&q, 1000);
	for (int round = 0; round < 20000; round++) {
		size_t n = rng_below(&r, 200);
		uint8_t *to = bufq_extend(&q, n);

		for (size_t i = 0; to != NULL && i < n; i++)
			to[i] = in++;
		n = rng_below(&r, 200);
		n = P2P_MIN(n, q.len);
		for (size_t i = 0; i < n; i++)
			assert_int_equal(bufq_peek(&q).data[i], out++);
		bufq_consume(&q, n);
		assert_true(q.len <= 1000);
	}
	bufq_clear(&q);
}

static void test_budget_refuses_at_any_level_as_a_whole(void **state)
{
	struct budget top, a, b;

	(void)state;
	budget_init(&top, NULL, 10);
	budget_init(&a, &top, 8);
	budget_init(&b, &top, 8);
	assert_int_equal(budget_charge(&a, 6), 0);
	assert_int_equal(budget_charge(&b, 5), P2P_ERR_LIMIT);
	assert_int_equal(b.used, 0);
	assert_int_equal(top.used, 6);
	assert_int_equal(top.refused_count, 1);
	budget_clear(&a);
	assert_int_equal(top.used, 0);
	assert_int_equal(budget_charge(&b, SIZE_MAX), P2P_ERR_LIMIT);
}

static void test_budget_moves_to_another_parent_or_stays(void **state)
{
	struct budget top, pool, peer, conn;

	(void)state;
	budget_init(&top, NULL, 10);
	budget_init(&pool, &top, 8);
	budget_init(&peer, &top, 7);
	budget_init(&conn, &pool, 8);
	assert_int_equal(budget_charge(&conn, 8), 0);
	assert_int_equal(budget_move(&conn, &peer), P2P_ERR_LIMIT);
	assert_int_equal(pool.used, 8);
	assert_int_equal(peer.used, 0);
	assert_int_equal(peer.refused_count, 1);
	budget_release(&conn, 2);
	/* What both chains share counts once: 6 of 10. */
	assert_int_equal(budget_move(&conn, &peer), 0);
	assert_int_equal(pool.used, 0);
	assert_int_equal(peer.used, 6);
	assert_int_equal(top.used, 6);
	assert_int_equal(top.most, 8);
	budget_clear(&conn);
	assert_int_equal(top.used, 0);
}

static void test_bufq_charges_its_memory_before_it_takes_it(void **state)
{
	static const uint8_t block[300];
	struct budget b;
	struct bufq q;

	(void)state;
	budget_init(&b, NULL, 700);
	bufq_init_charged(&q, 4096, &b);
	assert_int_equal(bufq_push(&q, bytes_of(block, 300)), 0);
	assert_int_equal(b.used, 300);
	assert_int_equal(bufq_push(&q, bytes_of(block, 300)), 0);
	assert_int_equal(bufq_push(&q, bytes_of(block, 300)), P2P_ERR_FULL);
	assert_int_equal(q.len, 600);
	assert_int_equal(b.refused_count, 1);
	bufq_consume(&q, 600);
	assert_int_equal(b.used, 0);
	assert_int_equal(bufq_push(&q, bytes_of(block, 300)), 0);
	bufq_clear(&q);
	assert_int_equal(b.used, 0);
}

static void test_table_keeps_order_and_finds_all(void **state)
{
	struct rng r;
	struct table t;
	struct table_entry *e, *tmp;
	static uint32_t keys[1000];
	uint32_t want = 0;

	(void)state;
	rng_init_seeded(&r, 7);
	table_init(&t, &r);
	for (uint32_t i = 0; i < 1000; i++) {
		keys[i] = i;
		assert_null(table_put(&t, bytes_of(&keys[i], 4), &keys[i]));
	}
	for (uint32_t i = 0; i < 1000; i += 2)
		assert_ptr_equal(
			table_remove(&t, bytes_of(&keys[i], 4)), &keys[i]);
	assert_int_equal(t.count, 500);
	TABLE_FOREACH(e, tmp, &t) {
		assert_int_equal(*(uint32_t *)e->value, 2 * want + 1);
		want++;
	}
	assert_null(table_get(&t, bytes_of(&keys[0], 4)));
	assert_ptr_equal(table_get(&t, bytes_of(&keys[1], 4)), &keys[1]);
	table_clear(&t);
}

static void test_table_takes_an_entry_s_own_key_to_remove_it(void **state)
{
	struct table_entry *e, *tmp;
	static int values[3];
	struct table t;
	struct rng r;

	(void)state;
	rng_init_seeded(&r, 6);
	table_init(&t, &r);
	for (int i = 0; i < 3; i++)
		assert_null(table_put(&t, bytes_of(&i, 4), &values[i]));
	assert_ptr_equal(
		table_remove(&t, table_key(table_oldest(&t))), &values[0]);
	TABLE_FOREACH(e, tmp, &t)
		assert_non_null(table_remove(&t, table_key(e)));
	assert_int_equal(t.count, 0);
	assert_null(table_oldest(&t));
	table_clear(&t);
}

static void test_bytes_lose_the_blanks_at_both_ends(void **state)
{
	static const char *const same[] = {
		"a b", " a b", "a b \t", "\r\na b\n"};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(same); i++)
		assert_true(bytes_equal(
			bytes_trim(bytes_str(same[i])), bytes_str("a b")));
	assert_int_equal(bytes_trim(bytes_str(" \t\r\n")).len, 0);
	assert_int_equal(bytes_trim(bytes_of(NULL, 0)).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cursor_is_sticky_after_the_first_failure),
		cmocka_unit_test(test_uvarint_is_minimal_and_fits_64_bits),
		cmocka_unit_test(test_buf_never_exceeds_its_maximum),
		cmocka_unit_test(test_bufq_gives_back_what_was_pushed),
		cmocka_unit_test(test_budget_refuses_at_any_level_as_a_whole),
		cmocka_unit_test(test_budget_moves_to_another_parent_or_stays),
		cmocka_unit_test(
			test_bufq_charges_its_memory_before_it_takes_it),
		cmocka_unit_test(test_table_keeps_order_and_finds_all),
		cmocka_unit_test(
			test_table_takes_an_entry_s_own_key_to_remove_it),
		cmocka_unit_test(test_bytes_lose_the_blanks_at_both_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
