/* Plain files are opened, nothing else is, and nobody is waited for. */
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
#include <unistd.h>

#include "base/plain_file.h"

/* The linker puts the second in the place of stat (tests/unit/base.inc). */
int __real_stat(const char *path, struct stat *st);
int __wrap_stat(const char *path, struct stat *st);

/* A pipe takes the file's place as soon as it was looked at. */
static bool swap_behind;

int __wrap_stat(const char *path, struct stat *st)
{
	int err = __real_stat(path, st);

	if (swap_behind) {
		swap_behind = false;
		assert_int_equal(unlink(path), 0);
		assert_int_equal(mkfifo(path, 0600), 0);
	}
	return err;
}

struct folder {
	char dir[40];
	char path[64];
};

static int make_folder(void **state)
{
	static struct folder f;

	(void)snprintf(f.dir, sizeof(f.dir), "/tmp/p2pchat-file-XXXXXX");
	if (mkdtemp(f.dir) == NULL)
		return -1;
	(void)snprintf(f.path, sizeof(f.path), "%s/x", f.dir);
	*state = &f;
	return 0;
}

static int remove_folder(void **state)
{
	struct folder *f = *state;

	(void)unlink(f->path);
	(void)rmdir(f->path);
	return rmdir(f->dir);
}

static void refuses(const char *path, const char *words)
{
	static const int flags[] = {
		O_RDONLY, O_WRONLY | O_CREAT | O_APPEND, O_RDWR | O_CREAT};
	struct stat st;
	const char *why = NULL;

	assert_int_equal(plain_file_look(path, &st, &why), PLAIN_FILE_ODD);
	assert_string_equal(why, words);
	for (size_t i = 0; i < P2P_ARRAY_LEN(flags); i++) {
		assert_int_equal(
			plain_file_open(path, flags[i], &why), PLAIN_FILE_ODD);
		assert_string_equal(why, words);
	}
}

static void test_a_plain_file_is_made_for_us_alone(void **state)
{
	struct folder *f = *state;
	const char *why = NULL;
	struct stat st;
	int fd = plain_file_open(f->path, O_WRONLY | O_CREAT, &why);

	assert_true(fd >= 0);
	assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
	assert_int_equal(close(fd), 0);
	assert_int_equal(plain_file_look(f->path, &st, &why), PLAIN_FILE_OK);
	assert_int_equal(st.st_mode & 0177, 0);
	fd = plain_file_open_or_null(f->path, O_RDONLY, &why);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
}

static void test_what_is_not_there_is_the_systems_word(void **state)
{
	struct folder *f = *state;
	const char *why = NULL;

	assert_int_equal(
		plain_file_open(f->path, O_RDONLY, &why), PLAIN_FILE_FAULT);
	assert_int_equal(errno, ENOENT);
	assert_string_equal(why, strerror(ENOENT));
}

static void test_other_kinds_are_told_by_name(void **state)
{
	struct folder *f = *state;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	refuses(f->path, "a pipe, not a file");
	assert_int_equal(unlink(f->path), 0);
	assert_int_equal(mkdir(f->path, 0700), 0);
	refuses(f->path, "a folder, not a file");
	refuses("/dev/zero", "a device, not a file");
	refuses("/dev/null", "a device, not a file");
}

static void test_what_comes_into_the_place_meanwhile_is_told(void **state)
{
	struct folder *f = *state;
	const char *why = NULL;
	int fd = plain_file_open(f->path, O_RDWR | O_CREAT, &why);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	swap_behind = true;
	/* Who waits in open is not let wait for ever. */
	(void)alarm(20);
	assert_int_equal(
		plain_file_open(f->path, O_RDONLY, &why), PLAIN_FILE_ODD);
	(void)alarm(0);
	assert_string_equal(why, "a pipe, not a file");
}

static void test_the_null_device_is_taken_where_nothing_is_meant(void **state)
{
	const char *why = NULL;
	int fd = plain_file_open_or_null("/dev/null", O_RDONLY, &why);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(plain_file_open_or_null("/dev/zero", O_RDONLY, &why),
		PLAIN_FILE_ODD);
}

#define STORY(name) \
	cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORY(test_a_plain_file_is_made_for_us_alone),
		STORY(test_what_is_not_there_is_the_systems_word),
		STORY(test_other_kinds_are_told_by_name),
		STORY(test_what_comes_into_the_place_meanwhile_is_told),
		STORY(test_the_null_device_is_taken_where_nothing_is_meant),
	};

	return cmocka_run_group_tests_name("plain_file", tests, NULL, NULL);
}
