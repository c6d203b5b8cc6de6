/* The addresses of this machine: which come first, and what is near them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "net/loop/loop_internal.h"

/* As own_read would find them on a machine with a LAN and a bridge. */
static const struct own_address machine[] = {
	{.interface = 2, .ip = {192, 168, 1, 2}, .ip_len = 4, .prefix = 24},
	{.interface = 2,
		.ip = {0x20, 1, 0xd, 0xb8, 0, 1, 2, 3},
		.ip_len = 16,
		.prefix = 61},
	{.interface = 9, .ip = {172, 17, 0, 1}, .ip_len = 4, .prefix = 16},
	{.interface = 4, .ip = {10, 8, 0, 1}, .ip_len = 4, .prefix = 0},
	{.interface = 1,
		.ip = {127, 0, 0, 1},
		.ip_len = 4,
		.prefix = 8,
		.internal = true},
};

static bool on_link(unsigned interface, const char *text)
{
	struct maddr a;

	assert_int_equal(maddr_parse_text(&a, bytes_str(text)), 0);
	return own_is_on_link(machine, P2P_ARRAY_LEN(machine), interface, &a);
}

static void test_own_on_link_is_of_the_interface_where_it_was_heard(
	void **state)
{
	(void)state;
	assert_true(on_link(2, "/ip4/192.168.1.99/tcp/1"));
	assert_false(on_link(2, "/ip4/192.168.2.99/tcp/1"));
	/* The bridge's network, but that is not where it was heard. */
	assert_false(on_link(2, "/ip4/172.17.0.1/tcp/1"));
	assert_true(on_link(9, "/ip4/172.17.9.9/tcp/1"));
	/* A network that does not end at a byte. */
	assert_true(on_link(2, "/ip6/2001:db8:1:207::9/tcp/1"));
	assert_false(on_link(2, "/ip6/2001:db8:1:208::9/tcp/1"));
	/* The zone says so already. */
	assert_true(on_link(2, "/ip6zone/eth0/ip6/fe80::9/tcp/1"));
	/* Nothing is known of where, of the network, or of the host. */
	assert_false(on_link(0, "/ip4/192.168.1.99/tcp/1"));
	assert_false(on_link(4, "/ip4/10.8.0.2/tcp/1"));
	assert_false(on_link(1, "/ip4/127.0.0.2/tcp/1"));
	assert_false(on_link(2, "/dns4/example.org/tcp/1"));
}

static unsigned interface_to(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	uint8_t ip[] = {a, b, c, d};

	return own_interface_to(
		machine, P2P_ARRAY_LEN(machine), bytes_of(ip, sizeof(ip)));
}

static void test_own_the_interface_to_a_neighbour(void **state)
{
	(void)state;
	assert_int_equal(interface_to(192, 168, 1, 77), 2);
	assert_int_equal(interface_to(172, 17, 3, 3), 9);
	assert_int_equal(interface_to(8, 8, 8, 8), 0);
	assert_int_equal(interface_to(127, 0, 0, 1), 0);
}

/* Of whatever machine this runs on. */
static void test_own_the_best_first_loopback_last(void **state)
{
	struct own_address *list;
	size_t count = own_read(&list);
	bool internal = false;

	(void)state;
	for (size_t i = 0; i < count; i++) {
		assert_true(list[i].ip_len == 4 || list[i].ip_len == 16);
		assert_in_range(list[i].prefix, 0, 8 * list[i].ip_len);
		assert_true(i == 0 || list[i - 1].rank <= list[i].rank);
		assert_true(list[i].internal || !internal);
		internal = list[i].internal;
	}
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_own_on_link_is_of_the_interface_where_it_was_heard),
		cmocka_unit_test(test_own_the_interface_to_a_neighbour),
		cmocka_unit_test(test_own_the_best_first_loopback_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
