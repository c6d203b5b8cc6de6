/* What comes in from the world: chance, time, errors, log lines, memory. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/budget.h"
#include "base/buf.h"
#include "base/bufq.h"
#include "base/clock.h"
#include "base/env.h"
#include "base/xmalloc.h"
#include "tests/lib/test_env.h"

#define WALL_2026_MS 1767225600000ULL

/* ---- chance ------------------------------------------------------------ */

/* Changing the generator would change every recorded seed. */
static void test_seeded_chance_is_frozen(void **state)
{
	struct rng a, b, c;

	(void)state;
	rng_init_seeded(&a, 1);
	rng_init_seeded(&b, 1);
	rng_init_seeded(&c, 2);
	for (int i = 0; i < 100; i++) {
		uint64_t v = rng_u64(&a);

		assert_int_equal(v, rng_u64(&b));
		assert_int_not_equal(v, rng_u64(&c));
	}
	rng_init_seeded(&a, 42);
	assert_int_equal(rng_u64(&a), 0xff6c38842d1b4c22ULL);
}

static void test_rng_below_is_even_and_below(void **state)
{
	unsigned counts[7] = {0};
	struct rng r;

	(void)state;
	rng_init_seeded(&r, 3);
	for (int i = 0; i < 70000; i++) {
		uint64_t v = rng_below(&r, 7);

		assert_true(v < 7);
		counts[v]++;
	}
	for (int i = 0; i < 7; i++)
		assert_in_range(counts[i], 9500, 10500);
	assert_int_equal(rng_below(&r, 1), 0);
	assert_true(rng_one_in(&r, 1));
	for (int i = 0; i < 10; i++)
		assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
}

static void test_rng_fills_every_byte_of_any_length(void **state)
{
	struct rng r;

	(void)state;
	for (int kind = 0; kind < 2; kind++) {
		if (kind == 0)
			rng_init_seeded(&r, 5);
		else
			rng_init_os(&r);
		for (size_t len = 0; len < 40; len++) {
			uint8_t seen[41] = {0}, raw[41];

			/* 64 tries leave no byte zero but by a fault. */
			for (int i = 0; i < 64; i++) {
				memset(raw, 0, sizeof(raw));
				rng_fill(&r, raw, len);
				for (size_t k = 0; k < sizeof(raw); k++)
					seen[k] |= raw[k];
			}
			for (size_t k = 0; k < sizeof(raw); k++)
				assert_int_equal(seen[k] != 0, k < len);
		}
	}
}

/* ---- time -------------------------------------------------------------- */

static void test_clocks_go_forward(void **state)
{
	uint64_t before = clock_now_ms();

	(void)state;
	assert_true(clock_now_ms() >= before);
	before = clock_now_us();
	assert_true(clock_now_ms() >= before / 1000);
	assert_true(clock_now_us() / 1000 <= clock_now_ms());
	assert_true(clock_wall_ms() > WALL_2026_MS / 2);
}

static void test_a_delay_past_all_time_is_never(void **state)
{
	struct env env = {.now_ms = 1000};

	(void)state;
	assert_int_equal(env_after(&env, 500), 1500);
	assert_int_equal(env_after(&env, P2P_NEVER), P2P_NEVER);
	assert_int_equal(env_after(&env, P2P_NEVER - 999), P2P_NEVER);
}

static void test_the_time_in_us_is_the_same_moment(void **state)
{
	struct env env = {.now_ms = 7};

	(void)state;
	assert_int_equal(env_now_us(&env), 7000);
	env_set_now_us(&env, 12999);
	assert_int_equal(env.now_ms, 12);
	assert_int_equal(env_now_us(&env), 12999);
	env.now_ms++;
	assert_int_equal(env_now_us(&env), 13999);
}

/* ---- errors ------------------------------------------------------------ */

static void test_errors_have_names_texts_and_classes(void **state)
{
	static const struct {
		int err;
		const char *name;
		enum p2p_class class;
	} all[] = {
#define X(name, number, class, text) {number, #name, P2P_CLASS_##class},
		P2P_ERR_LIST(X)
#undef X
	};

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(all); i++) {
		assert_true(all[i].err < 0);
		assert_string_equal(p2p_err_name(all[i].err), all[i].name);
		assert_int_equal(p2p_err_class(all[i].err), all[i].class);
		assert_string_not_equal(
			p2p_err_text(all[i].err), p2p_err_text(1));
	}
	assert_string_equal(p2p_err_name(0), "OK");
	assert_string_equal(p2p_err_text(0), "no error");
	assert_int_equal(p2p_err_class(0), P2P_CLASS_NONE);
	assert_string_equal(p2p_err_name(-9999), "UNKNOWN");
	assert_int_equal(p2p_err_class(-9999), P2P_CLASS_LOCAL);
}

static void hook_says_so(void)
{
	static const char text[] = "terminal restored\n";

	assert_true(write(STDERR_FILENO, text, sizeof(text) - 1) > 0);
}

/* What a failed assertion writes before it aborts. */
static void run_failing_child(int to)
{
	dup2(to, STDERR_FILENO);
	/* Sanitizers would report the abort on their own. */
	signal(SIGABRT, SIG_DFL);
	p2p_set_abort_hook(hook_says_so);
	P2P_ASSERT(1 + 1 == 3);
	_exit(0);
}

static void test_a_failed_assertion_runs_the_hook_and_aborts(void **state)
{
	char said[400] = "";
	int ends[2], status;
	size_t len = 0;
	ssize_t n;
	pid_t child;

	(void)state;
	assert_int_equal(pipe(ends), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0)
		run_failing_child(ends[1]);
	close(ends[1]);
	while ((n = read(ends[0], said + len, sizeof(said) - 1 - len)) > 0)
		len += (size_t)n;
	close(ends[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_ptr_equal(strstr(said, "terminal restored\n"), said);
	assert_non_null(strstr(said, "bug: "));
	assert_non_null(strstr(said, "1 + 1 == 3"));
}

/* ---- log --------------------------------------------------------------- */

struct kept {
	struct log log;
	enum log_level level;
	unsigned count;
	char line[1100];
};

static void keep(struct log *log, enum log_level level, const char *line)
{
	struct kept *k = P2P_CONTAINER_OF(log, struct kept, log);

	k->level = level;
	k->count++;
	snprintf(k->line, sizeof(k->line), "%s", line);
}

static void test_log_lines_pass_up_to_the_level_and_are_cut(void **state)
{
	struct kept k = {.log = {.write = keep, .level = LOG_LEVEL_WARN}};
	char big[3000];

	(void)state;
	log_printf(&k.log, LOG_LEVEL_INFO, "no");
	assert_int_equal(k.count, 0);
	log_printf(&k.log, LOG_LEVEL_WARN, "%d of %s", 3, "four");
	assert_int_equal(k.count, 1);
	assert_int_equal(k.level, LOG_LEVEL_WARN);
	assert_string_equal(k.line, "3 of four");
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	log_printf(&k.log, LOG_LEVEL_ERROR, "%s", big);
	assert_int_equal(strlen(k.line), 1000);
	log_printf(NULL, LOG_LEVEL_ERROR, "nobody");
	k.log.write = NULL;
	log_printf(&k.log, LOG_LEVEL_ERROR, "nobody");
	assert_int_equal(k.count, 2);
}

static void test_log_levels_have_names(void **state)
{
	enum log_level level;

	(void)state;
	for (int i = LOG_LEVEL_ERROR; i <= LOG_LEVEL_DEBUG; i++) {
		const char *name = log_level_name((enum log_level)i);

		assert_true(log_level_parse(name, &level));
		assert_int_equal(level, i);
	}
	assert_false(log_level_parse("", &level));
	assert_false(log_level_parse("Error", &level));
	assert_false(log_level_parse("warning", &level));
}

/* ---- memory ------------------------------------------------------------ */

static void test_the_nth_charge_can_be_refused(void **state)
{
	struct budget b;

	(void)state;
	budget_init(&b, NULL, 100);
	(void)budget_test_refuse_nth(2);
	assert_int_equal(budget_charge(&b, 1), 0);
	assert_int_equal(budget_charge(&b, 1), P2P_ERR_LIMIT);
	assert_int_equal(budget_charge(&b, 1), 0);
	assert_int_equal(b.used, 2);
	assert_int_equal(b.refused_count, 1);
	assert_int_equal(budget_test_refuse_nth(0), 3);
	budget_release(&b, 2);
	assert_int_equal(b.used, 0);
}

static void test_what_is_owed_counts_though_it_is_too_much(void **state)
{
	struct budget all, b;

	(void)state;
	budget_init(&all, NULL, 100);
	budget_init(&b, &all, SIZE_MAX);
	assert_int_equal(budget_charge(&b, 90), 0);
	budget_owe(&b, 30);
	assert_int_equal(all.used, 120);
	assert_int_equal(all.most, 120);
	assert_int_equal(budget_charge(&b, 0), P2P_ERR_LIMIT);
	assert_int_equal(budget_charge(&all, 1), P2P_ERR_LIMIT);
	budget_release(&b, 21);
	assert_int_equal(budget_charge(&b, 1), 0);
	assert_int_equal(budget_charge(&b, 1), P2P_ERR_LIMIT);
	budget_clear(&b);
	assert_int_equal(all.used, 0);
}

static void test_a_full_queue_is_left_as_it_was(void **state)
{
	struct bufq q;

	(void)state;
	bufq_init(&q, 6);
	assert_int_equal(bufq_push(&q, bytes_str("")), 0);
	assert_int_equal(bufq_push(&q, bytes_str("abcd")), 0);
	assert_int_equal(bufq_push(&q, bytes_str("efg")), P2P_ERR_FULL);
	assert_null(bufq_extend(&q, SIZE_MAX));
	assert_int_equal(bufq_room(&q), 2);
	memcpy(bufq_extend(&q, 2), "ef", 2);
	bufq_unextend(&q, 1);
	assert_true(bytes_equal(bufq_peek(&q), bytes_str("abcde")));
	bufq_clear(&q);
	assert_int_equal(bufq_room(&q), 6);
}

static void test_an_emptied_queue_gives_large_memory_back(void **state)
{
	struct bufq q;

	(void)state;
	bufq_init(&q, 1 << 20);
	assert_non_null(bufq_extend(&q, 100000));
	bufq_consume(&q, 100000);
	assert_int_equal(q.cap, 0);
	assert_non_null(bufq_extend(&q, 100));
	bufq_consume(&q, 100);
	assert_true(q.cap > 0);
	bufq_clear(&q);
}

static void test_buf_hands_out_cuts_and_wipes(void **state)
{
	static const uint8_t want[] = {1, 2, 3, 4, 5, 6, 7, 'x', '9'};
	struct buf b;
	uint8_t *data;
	size_t len;

	(void)state;
	buf_init(&b, 100);
	assert_string_equal(buf_cstr(&b), "");
	assert_int_equal(buf_append_u8(&b, 1), 0);
	assert_int_equal(buf_append_be16(&b, 0x0203), 0);
	assert_int_equal(buf_append_be32(&b, 0x04050607), 0);
	assert_int_equal(buf_appendf(&b, "x%d", 9), 0);
	assert_int_equal(buf_room(&b), 91);
	assert_true(bytes_equal(buf_bytes(&b), bytes_of(want, sizeof(want))));
	buf_truncate(&b, 3);
	buf_drop_front(&b, 0);
	buf_drop_front(&b, 1);
	assert_true(bytes_equal(buf_bytes(&b), bytes_of(want + 1, 2)));
	data = buf_take(&b, &len);
	assert_int_equal(len, 2);
	assert_int_equal(b.len, 0);
	free(data);
	assert_null(buf_extend(&b, 101));
	buf_reset(&b);
	assert_non_null(buf_extend(&b, 100));
	buf_wipe(&b);
	assert_null(b.data);
	buf_wipe(&b);
}

static void test_copies_are_whole_and_ended(void **state)
{
	char *text = xstrdup("abc");
	char *part = xstrndup("abcdef", 2);
	char *none = xstrndup(NULL, 0);
	char *made = xasprintf("%s-%d", "n", 5);
	uint8_t *same = xmemdup("\0\1", 2);
	uint64_t *zero = xcalloc(3, sizeof(*zero));

	(void)state;
	assert_string_equal(text, "abc");
	assert_string_equal(part, "ab");
	assert_string_equal(none, "");
	assert_string_equal(made, "n-5");
	assert_memory_equal(same, "\0\1", 2);
	assert_int_equal(zero[0] | zero[1] | zero[2], 0);
	free(text);
	free(part);
	free(none);
	free(made);
	free(same);
	free(zero);
	/* No size is refused for being zero. */
	free(xmalloc(0));
	free(xcalloc(0, 0));
	free(xmemdup(NULL, 0));
	free(xreallocarray(NULL, 0, 8));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_seeded_chance_is_frozen),
		cmocka_unit_test(test_rng_below_is_even_and_below),
		cmocka_unit_test(test_rng_fills_every_byte_of_any_length),
		cmocka_unit_test(test_clocks_go_forward),
		cmocka_unit_test(test_a_delay_past_all_time_is_never),
		cmocka_unit_test(test_the_time_in_us_is_the_same_moment),
		cmocka_unit_test(test_errors_have_names_texts_and_classes),
		cmocka_unit_test(
			test_a_failed_assertion_runs_the_hook_and_aborts),
		cmocka_unit_test(
			test_log_lines_pass_up_to_the_level_and_are_cut),
		cmocka_unit_test(test_log_levels_have_names),
		cmocka_unit_test(test_the_nth_charge_can_be_refused),
		cmocka_unit_test(
			test_what_is_owed_counts_though_it_is_too_much),
		cmocka_unit_test(test_a_full_queue_is_left_as_it_was),
		cmocka_unit_test(test_an_emptied_queue_gives_large_memory_back),
		cmocka_unit_test(test_buf_hands_out_cuts_and_wipes),
		cmocka_unit_test(test_copies_are_whole_and_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
