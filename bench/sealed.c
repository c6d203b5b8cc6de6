/*
 * What a sealed stream costs at least: one process seals frames of the size
 * that Noise uses and writes them to a loopback connection, another reads and
 * opens them. Nothing else. security.md's "loopback, sealed" is this.
 *
 *   sealed MEGABYTES      prints {"name":"sealed","mb_s":N}
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "net/identity/crypto.h"

#define PLAIN_BYTES 65519 /* the most that a Noise frame carries */
#define FRAME_BYTES (PLAIN_BYTES + CRYPTO_TAG_BYTES)

static const uint8_t key[CRYPTO_KEY_BYTES] = {1, 2, 3};

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static double now_s(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n <= 0)
			die("write");
		data += n;
		len -= (size_t)n;
	}
}

static void read_all(int fd, uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = read(fd, data, len);

		if (n <= 0)
			die("read");
		data += n;
		len -= (size_t)n;
	}
}

static void send_frames(int fd, uint64_t frames)
{
	static uint8_t plain[PLAIN_BYTES], frame[FRAME_BYTES];

	for (uint64_t n = 0; n < frames; n++) {
		crypto_seal(frame, key, n, bytes_of(NULL, 0),
			bytes_of(plain, sizeof(plain)));
		write_all(fd, frame, sizeof(frame));
	}
}

static void take_frames(int fd, uint64_t frames)
{
	static uint8_t plain[PLAIN_BYTES], frame[FRAME_BYTES];

	for (uint64_t n = 0; n < frames; n++) {
		read_all(fd, frame, sizeof(frame));
		if (crypto_open(plain, key, n, bytes_of(NULL, 0),
			    bytes_of(frame, sizeof(frame))) != 0)
			exit(1);
	}
}

static int connected_pair(int *other)
{
	struct sockaddr_in at = {.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (listener < 0 || fd < 0 ||
		bind(listener, (struct sockaddr *)&at, len) != 0 ||
		listen(listener, 1) != 0 ||
		getsockname(listener, (struct sockaddr *)&at, &len) != 0 ||
		connect(fd, (struct sockaddr *)&at, len) != 0)
		die("loopback");
	*other = accept(listener, NULL, NULL);
	if (*other < 0)
		die("accept");
	(void)close(listener);
	return fd;
}

int main(int argc, char **argv)
{
	uint64_t frames;
	double began;
	int fd, other;
	pid_t child;

	if (argc != 2 || crypto_init() != 0)
		return 64;
	frames = strtoull(argv[1], NULL, 10) * 1000000 / PLAIN_BYTES + 1;
	fd = connected_pair(&other);
	child = fork();
	if (child < 0)
		die("fork");
	if (child == 0) {
		(void)close(other);
		send_frames(fd, frames);
		_exit(0);
	}
	(void)close(fd);
	began = now_s();
	take_frames(other, frames);
	(void)printf("{\"name\":\"sealed\",\"mb_s\":%.1f}\n",
		(double)frames * PLAIN_BYTES / 1e6 / (now_s() - began));
	(void)waitpid(child, NULL, 0);
	return 0;
}
