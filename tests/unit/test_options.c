/*
 * Options from flags, environment and config file, and where files live; the
 * program as a whole is tried by tests/program/cli.py.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "app/paths.h"

static const char *const *environment; /* name, value, ..., NULL */

static const char *fake_env(const char *name)
{
	for (size_t i = 0; environment[i] != NULL; i += 2)
		if (strcmp(environment[i], name) == 0)
			return environment[i + 1];
	return NULL;
}

static const char *const nothing[] = {NULL};

static int read_line(struct options *o, char *a, char *b, char *error)
{
	char name[] = "p2pchat-tui";
	char *argv[] = {name, a, b, NULL};
	int argc = a == NULL ? 1 : b == NULL ? 2 : 3;

	return options_read(o, argc, argv, fake_env, error);
}

static void test_flags_replace_the_lists_of_the_environment(void **state)
{
	static const char *const env[] = {"CHAT_TOPIC", "from-env", NULL};
	char error[OPTIONS_ERROR_MAX] = "";
	char flag[] = "--room=from-flag";
	struct options o;

	(void)state;
	environment = env;
	assert_int_equal(read_line(&o, NULL, NULL, error), 0);
	assert_int_equal(o.rooms.count, 1);
	assert_string_equal(o.rooms.items[0], "from-env");
	options_clear(&o);
	assert_int_equal(read_line(&o, flag, NULL, error), 0);
	assert_int_equal(o.rooms.count, 1);
	assert_string_equal(o.rooms.items[0], "from-flag");
	options_clear(&o);
}

static void test_wrong_flags_say_what_and_why(void **state)
{
	char error[OPTIONS_ERROR_MAX] = "";
	char json[] = "--json", room[] = "--room", no[] = "--no-such";
	char *const bad[] = {json, room, no};
	struct options o;

	(void)state;
	environment = nothing;
	for (size_t i = 0; i < P2P_ARRAY_LEN(bad); i++) {
		assert_int_equal(
			read_line(&o, bad[i], NULL, error), EXIT_USAGE);
		assert_non_null(strstr(error, bad[i]));
		options_clear(&o);
	}
}

static void test_a_list_has_an_end(void **state)
{
	struct options o = {.help = false};

	(void)state;
	for (int i = 0; i < OPTIONS_LIST_MAX; i++)
		assert_int_equal(option_set(&o, "room", "r"), 0);
	assert_int_equal(option_set(&o, "room", "r"), P2P_ERR_LIMIT);
	assert_int_equal(option_set(&o, "name", ""), P2P_ERR_INVAL);
	assert_int_equal(option_set(&o, "help", NULL), P2P_ERR_NOT_FOUND);
	assert_int_equal(option_set(&o, "json", "off"), 0);
	assert_false(o.json);
	options_clear(&o);
}

static void test_names_of_services_are_names(void **state)
{
	char error[OPTIONS_ERROR_MAX] = "";
	char flag[] = "--mdns-service=_x._udp";
	struct options o = {.help = false};

	(void)state;
	environment = nothing;
	assert_int_equal(option_set(&o, "mdns-service", "kitchen"), 0);
	assert_int_equal(option_set(&o, "mdns-service", "a b"), P2P_ERR_INVAL);
	assert_int_equal(o.mdns_services.count, 1);
	options_clear(&o);
	assert_int_equal(read_line(&o, flag, NULL, error), 0);
	assert_string_equal(o.mdns_services.items[0], "_x._udp");
	options_clear(&o);
}

static void read_config(
	struct options *o, const char *text, int status, const char *words)
{
	char error[OPTIONS_ERROR_MAX] = "";

	*o = (struct options){.help = false};
	assert_int_equal(
		config_text_read(o, bytes_str(text), "conf", error), status);
	assert_string_equal(error, words);
}

static void test_lines_of_the_file_stand_for_themselves(void **state)
{
	struct options o;

	(void)state;
	read_config(&o,
		"\xef\xbb\xbf  name = a;b ; c\r\n\n\troom=one\n;x\n#y\n"
		" room = two\njson=on",
		0, "");
	assert_string_equal(o.name, "a;b");
	assert_int_equal(o.rooms.count, 2);
	assert_string_equal(o.rooms.items[1], "two");
	assert_true(o.json);
	assert_int_equal(o.json_line, 7);
	options_clear(&o);
}

static void test_long_lines_are_not_cut(void **state)
{
	char text[1200], room[129];
	struct options o;

	(void)state;
	memset(room, 'r', 128);
	room[128] = '\0';
	(void)snprintf(text, sizeof(text), "#%400s\n%300sroom = %s%300s\n#%s",
		"name = no", "", room, "", "x");
	read_config(&o, text, 0, "");
	assert_null(o.name);
	assert_int_equal(o.rooms.count, 1);
	assert_string_equal(o.rooms.items[0], room);
	options_clear(&o);
}

static void test_faults_of_the_file_have_their_line(void **state)
{
	static const char *const table[][2] = {
		{"\nname = a\ncolor = pink",
			"conf:3: color = pink: use auto, always or never"},
		{"no-such = 1", "conf:1: no-such: unknown setting"},
		{"help = yes", "conf:1: help: unknown setting"},
		{"#\n x", "conf:2: not a line of the form NAME = VALUE"},
		{"= 1", "conf:1: : unknown setting"},
		{"name = \x1b", "conf:1: holds a control character"},
		{"# a\rname = b", "conf:1: holds a control character"},
		{"# \xff\nname = \xff", "conf:2: is not UTF-8"},
		{"[a]\nname = b", "conf:2: stands in a section, and sections "
				  "are not used"},
		{"json = 2", "conf:1: json = 2: use yes or no"},
		{"log = ; none", "conf:1: log: use the path of a file or "
				 "folder"},
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < P2P_ARRAY_LEN(table); i++) {
		read_config(&o, table[i][0], EXIT_CONFIG, table[i][1]);
		options_clear(&o);
	}
}

static void test_the_form_comes_before_the_values(void **state)
{
	char text[40 * (OPTIONS_LIST_MAX + 1)] = "color = pink\n";
	struct options o;
	size_t len = strlen(text);

	(void)state;
	for (int i = 0; i <= OPTIONS_LIST_MAX; i++)
		len += (size_t)snprintf(
			text + len, sizeof(text) - len, "connect = b\n");
	read_config(&o, text, EXIT_CONFIG,
		"conf:18: connect: given more than 16 times");
	options_clear(&o);
}

static void test_the_environment_is_looked_at_as_well(void **state)
{
	static const char *const env[] = {"CHAT_TOPIC", "\x1b", NULL};
	char error[OPTIONS_ERROR_MAX] = "";
	struct options o;

	(void)state;
	environment = env;
	assert_int_equal(read_line(&o, NULL, NULL, error), EXIT_USAGE);
	assert_non_null(strstr(error, "CHAT_TOPIC"));
	assert_non_null(strstr(error, "use a topic"));
	options_clear(&o);
}

static void test_paths_ignore_relative_folders(void **state)
{
	static const char *const env[] = {"HOME", "/home/a", "XDG_CONFIG_HOME",
		"relative", "XDG_DATA_HOME", "/data", NULL};
	struct options o = {.help = false};
	char two[] = "two", dir[] = "/d";
	char *path;

	(void)state;
	environment = env;
	path = path_config(fake_env);
	assert_string_equal(path, "/home/a/.config/p2pchat-tui/config");
	free(path);
	path = path_profile(&o, fake_env);
	assert_string_equal(path, "/data/p2pchat-tui");
	free(path);
	o.data_dir = dir;
	o.profile = two;
	path = path_profile(&o, fake_env);
	assert_string_equal(path, "/d/profiles/two");
	free(path);
	environment = nothing;
	assert_null(path_config(fake_env));
	o.data_dir = NULL;
	assert_null(path_profile(&o, fake_env));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			test_flags_replace_the_lists_of_the_environment),
		cmocka_unit_test(test_wrong_flags_say_what_and_why),
		cmocka_unit_test(test_a_list_has_an_end),
		cmocka_unit_test(test_names_of_services_are_names),
		cmocka_unit_test(test_lines_of_the_file_stand_for_themselves),
		cmocka_unit_test(test_long_lines_are_not_cut),
		cmocka_unit_test(test_faults_of_the_file_have_their_line),
		cmocka_unit_test(test_the_form_comes_before_the_values),
		cmocka_unit_test(test_the_environment_is_looked_at_as_well),
		cmocka_unit_test(test_paths_ignore_relative_folders),
	};

	return cmocka_run_group_tests_name("options", tests, NULL, NULL);
}
