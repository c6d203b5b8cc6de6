/*
 * The config file: "name = value" lines as p2pchat-tui.conf(5) says, the names
 * those of the long options. A reader of its own (decision 0028): each line
 * stands for itself, however long it is and wherever it begins, so that no part
 * of one is ever taken for another.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app/exit_status.h"
#include "app/options.h"
#include "base/plain_file.h"
#include "base/text.h"
#include "base/xmalloc.h"

/* What is said of a value in an error has at most so many bytes of it. */
#define SHOWN_BYTES_MAX 80

/* Up to a ';' at the start or behind a blank. */
static struct bytes cut_comment(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		if (in.data[i] == ';' &&
			(i == 0 || bytes_is_blank(in.data[i - 1])))
			return bytes_first(in, i);
	return in;
}

static bool has_control(struct bytes in)
{
	for (size_t i = 0; i < in.len; i++)
		if ((in.data[i] < 0x20 && in.data[i] != '\t') ||
			in.data[i] == 0x7f)
			return true;
	return false;
}

static char *text_of(struct bytes b)
{
	char *text = xmalloc(b.len + 1);

	memcpy(text, b.data, b.len);
	text[b.len] = '\0';
	return text;
}

/* What a person is shown of their own line. */
static void say(char out[static OPTIONS_ERROR_MAX], const char *name,
	const char *value, int err)
{
	struct bytes shown = bytes_first(bytes_str(value), SHOWN_BYTES_MAX);
	struct buf clean;

	buf_init(&clean, OPTIONS_ERROR_MAX);
	(void)text_clean(TEXT_LINE, bytes_str(name), &clean);
	if (err == P2P_ERR_INVAL && value[0] != '\0') {
		(void)buf_append_str(&clean, " = ");
		(void)text_clean(TEXT_LINE, shown, &clean);
		if (shown.len < strlen(value))
			(void)buf_append_str(&clean, "...");
	}
	(void)snprintf(out, OPTIONS_ERROR_MAX, "%.200s: %s", buf_cstr(&clean),
		option_why(name, err));
	buf_clear(&clean);
}

/* Where the reader is. */
struct reading {
	struct options *o;
	unsigned number;  /* of the line, from 1 */
	unsigned section; /* the line where one begins; 0: there is none */
	bool values;      /* the second time: the form is right */
	char why[OPTIONS_ERROR_MAX];
};

static int set_one(struct reading *r, struct bytes line, size_t equals)
{
	char *name = text_of(bytes_trim(bytes_first(line, equals)));
	char *value =
		text_of(bytes_trim(cut_comment(bytes_skip(line, equals + 1))));
	int err = r->values ? option_set(r->o, name, value)
			    : option_place(r->o, name, value);

	if (err != 0)
		say(r->why, name, value, err);
	free(name);
	free(value);
	return err;
}

/* One line without its end. 0, or an error and the words for it. */
static int read_line(struct reading *r, struct bytes line)
{
	const char *fault = "not a line of the form NAME = VALUE";
	struct bytes text = bytes_trim(line);
	const uint8_t *equals = NULL;

	if (has_control(line))
		fault = "holds a control character";
	else if (text.len == 0 || text.data[0] == '#' || text.data[0] == ';')
		return 0;
	else if (!utf8_valid(text))
		fault = "is not UTF-8";
	else if (text.data[0] != '[')
		equals = memchr(text.data, '=', text.len);
	else if (r->section == 0)
		r->section = r->number;
	if (r->section == r->number)
		return 0;
	if (r->section != 0)
		fault = "stands in a section, and sections are not used";
	else if (equals != NULL)
		return set_one(r, text, (size_t)(equals - text.data));
	(void)snprintf(r->why, sizeof(r->why), "%s", fault);
	return P2P_ERR_MALFORMED;
}

/* Takes the line off the front. */
static struct bytes next_line(struct bytes *text)
{
	const uint8_t *end = memchr(text->data, '\n', text->len);
	size_t len = end == NULL ? text->len : (size_t)(end - text->data);
	struct bytes line = bytes_first(*text, len);

	*text = bytes_skip(*text, end == NULL ? len : len + 1);
	if (line.len > 0 && line.data[line.len - 1] == '\r')
		line.len--;
	return line;
}

static int read_lines(struct options *o, struct bytes text, const char *path,
	bool values, char *error)
{
	struct reading r = {.o = o, .number = 1, .values = values};

	for (; text.len > 0; r.number++) {
		bool json = o->json;

		if (read_line(&r, next_line(&text)) != 0) {
			(void)snprintf(error, OPTIONS_ERROR_MAX,
				"%.250s:%u: %.240s", path, r.number, r.why);
			return EXIT_CONFIG;
		}
		if (o->json && !json)
			o->json_line = r.number;
	}
	return 0;
}

/* The form of the whole file first: one that is no config file is told as such,
 * not by a value that it happens to hold. */
int config_text_read(struct options *o, struct bytes text, const char *path,
	char error[static OPTIONS_ERROR_MAX])
{
	static const uint8_t mark[] = {0xef, 0xbb, 0xbf};
	struct options form = {.help = false};
	int status;

	/* As editors of Windows begin a file in UTF-8. */
	if (text.len >= sizeof(mark) &&
		memcmp(text.data, mark, sizeof(mark)) == 0)
		text = bytes_skip(text, sizeof(mark));
	status = read_lines(&form, text, path, false, error);
	options_clear(&form);
	return status != 0 ? status : read_lines(o, text, path, true, error);
}

/* ---- the file ---------------------------------------------------------- */

static int refuse(char *error, const char *path, const char *why)
{
	(void)snprintf(error, OPTIONS_ERROR_MAX, "%.300s: %s", path, why);
	return EXIT_CONFIG;
}

static int read_all(int fd, uint8_t *raw, size_t *len)
{
	ssize_t n = 1;

	*len = 0;
	while (n != 0 && *len <= CONFIG_FILE_BYTES_MAX) {
		n = read(fd, raw + *len, CONFIG_FILE_BYTES_MAX + 1 - *len);
		if (n < 0 && errno != EINTR)
			return errno;
		*len += n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int config_file_read(struct options *o, const char *path, bool required,
	char error[static OPTIONS_ERROR_MAX])
{
	const char *why;
	int fd = plain_file_open_or_null(path, O_RDONLY, &why);
	uint8_t *raw;
	size_t len;
	int err;

	if (fd == PLAIN_FILE_FAULT && errno == ENOENT && !required)
		return 0;
	if (fd < 0)
		return refuse(error, path, why);
	raw = xmalloc(CONFIG_FILE_BYTES_MAX + 1);
	err = read_all(fd, raw, &len);
	(void)close(fd);
	if (err != 0)
		err = refuse(error, path, strerror(err));
	else if (len > CONFIG_FILE_BYTES_MAX)
		err = refuse(error, path, "too large for a config file");
	else
		err = config_text_read(o, bytes_of(raw, len), path, error);
	free(raw);
	return err;
}
