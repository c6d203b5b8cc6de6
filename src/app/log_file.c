/*
 * The log's sink. Any thread may write, so each line is one locked piece. A
 * program that runs for months starts a file that has grown too large anew;
 * while a screen is up its standard error goes here too, since what a library
 * says would else stand in the middle of the screen.
 */
#include "app/log_file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/plain_file.h"

static void write_line(struct log *log, enum log_level level, const char *line)
{
	struct log_file *lf = P2P_CONTAINER_OF(log, struct log_file, log);
	uint64_t now = clock_wall_ms();

	pthread_mutex_lock(&lf->lock);
	if (lf->file != NULL) {
		/* A program runs for months; what it says last matters. */
		if (ftello(lf->file) > (off_t)LOG_FILE_BYTES_MAX &&
			ftruncate(fileno(lf->file), 0) == 0)
			rewind(lf->file);
		(void)fprintf(lf->file, "%" PRIu64 ".%03u %s %s\n", now / 1000,
			(unsigned)(now % 1000), log_level_name(level), line);
		(void)fflush(lf->file);
	}
	pthread_mutex_unlock(&lf->lock);
}

int log_file_open(struct log_file *lf, const char *path, enum log_level level,
	const char **why)
{
	struct stat st;
	int flags = O_WRONLY | O_CREAT | O_APPEND;
	int fd;

	*lf = (struct log_file){
		.log = {.write = write_line, .level = level},
		.stderr_copy = -1,
	};
	P2P_ASSERT(pthread_mutex_init(&lf->lock, NULL) == 0);
	if (stat(path, &st) == 0 && st.st_size > (off_t)LOG_FILE_BYTES_MAX)
		flags |= O_TRUNC;
	fd = plain_file_open_or_null(path, flags, why);
	if (fd < 0)
		return fd;
	lf->file = fdopen(fd, "a");
	if (lf->file == NULL) {
		int keep = errno;

		(void)close(fd);
		*why = strerror(keep);
		errno = keep;
		return PLAIN_FILE_FAULT;
	}
	return 0;
}

void log_file_close(struct log_file *lf)
{
	log_file_give_stderr(lf);
	if (lf->file != NULL)
		(void)fclose(lf->file);
	lf->file = NULL;
	pthread_mutex_destroy(&lf->lock);
}

void log_file_take_stderr(struct log_file *lf)
{
	int to = lf->file != NULL ? fileno(lf->file)
				  : open("/dev/null", O_WRONLY | O_CLOEXEC);

	lf->stderr_copy = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
	if (to >= 0)
		(void)dup2(to, STDERR_FILENO);
	if (lf->file == NULL && to >= 0)
		(void)close(to);
}

void log_file_give_stderr(struct log_file *lf)
{
	if (lf->stderr_copy < 0)
		return;
	(void)dup2(lf->stderr_copy, STDERR_FILENO);
	(void)close(lf->stderr_copy);
	lf->stderr_copy = -1;
}
