/* The log file of a program that runs for months. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/log_file.h"
#include "base/plain_file.h"

/* The linker puts the second in the place of fdopen (tests/unit/app.inc). */
FILE *__real_fdopen(int fd, const char *mode);
FILE *__wrap_fdopen(int fd, const char *mode);
static bool no_stream;

FILE *__wrap_fdopen(int fd, const char *mode)
{
	if (!no_stream)
		return __real_fdopen(fd, mode);
	errno = ENOMEM;
	return NULL;
}

static int next_descriptor(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void test_log_file_without_a_stream_is_told_and_closed(void **state)
{
	struct log_file lf;
	int next = next_descriptor();
	const char *why;

	(void)state;
	no_stream = true;
	assert_int_equal(log_file_open(&lf, "/dev/null", LOG_LEVEL_WARN, &why),
		PLAIN_FILE_FAULT);
	assert_int_equal(errno, ENOMEM);
	assert_string_equal(why, strerror(ENOMEM));
	no_stream = false;
	log_printf(&lf.log, LOG_LEVEL_WARN, "to nowhere");
	assert_int_equal(next_descriptor(), next);
	log_file_close(&lf);
}

static void test_log_file_stays_bounded_while_it_runs(void **state)
{
	char path[] = "/tmp/p2pchat-log-XXXXXX";
	char line[1001];
	const char *why;
	struct log_file lf;
	struct stat st;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	assert_int_equal(log_file_open(&lf, path, LOG_LEVEL_WARN, &why), 0);
	for (size_t i = 0; i < 2 * LOG_FILE_BYTES_MAX / sizeof(line); i++)
		log_printf(&lf.log, LOG_LEVEL_WARN, "%s", line);
	log_printf(&lf.log, LOG_LEVEL_WARN, "the end");
	log_file_close(&lf);
	assert_int_equal(stat(path, &st), 0);
	assert_in_range(st.st_size, 1, LOG_FILE_BYTES_MAX + 2 * sizeof(line));
	unlink(path);
}

static void test_log_file_is_a_file(void **state)
{
	char path[] = "/tmp/p2pchat-log-XXXXXX";
	struct log_file lf;
	const char *why;

	(void)state;
	assert_non_null(mkdtemp(path));
	assert_int_equal(
		log_file_open(&lf, path, LOG_LEVEL_WARN, &why), PLAIN_FILE_ODD);
	assert_string_equal(why, "a folder, not a file");
	log_printf(&lf.log, LOG_LEVEL_WARN, "to nowhere");
	log_file_close(&lf);
	assert_int_equal(rmdir(path), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_file_is_a_file),
		cmocka_unit_test(test_log_file_stays_bounded_while_it_runs),
		cmocka_unit_test(
			test_log_file_without_a_stream_is_told_and_closed),
	};

	return cmocka_run_group_tests_name("log_file", tests, NULL, NULL);
}
