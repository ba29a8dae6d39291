/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/config_secret.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

void config_secret_release(char *text, size_t len)
{
	if (text)
		OPENSSL_cleanse(text, len);
	free(text);
}

/* ---- files ---- */

static const char *judge_file(int fd, size_t max, struct stat *st)
{
	if (fd < 0 || fstat(fd, st) < 0)
		return errno == ENOENT  ? "there is no such file; make it, or write another path"
		       : errno == ELOOP ? "is a symbolic link; write the file's own path"
					: "cannot be read; start as the user who may";
	if (!S_ISREG(st->st_mode))
		return "is no regular file";
	if (st->st_mode & 077)
		return "others may read it; say  chmod 600  and, if they did, make new keys";
	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "belongs to another user; say  chown root";
	if (st->st_size < 0 || (size_t)st->st_size > max)
		return max == CONFIG_SECRET_MAX ? "is longer than 32 MB" : "is longer than 4 MB";
	return NULL;
}

static const char *read_all(int fd, size_t size, char **text, size_t *len)
{
	ssize_t n = 0;

	*text = calloc(1, size + 1);
	if (!*text)
		return "out of memory";
	*len = 0;
	while (*len < size && (n = read(fd, *text + *len, size - *len)) > 0)
		*len += (size_t)n;
	return n < 0 ? "cannot be read" : NULL;
}

const char *config_secret_file(const char *path, size_t max, char **text, size_t *len)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st = {0};
	const char *why = judge_file(fd, max, &st);

	*text = NULL;
	if (!why)
		why = read_all(fd, (size_t)st.st_size, text, len);
	if (why && *text) {
		config_secret_release(*text, *len);
		*text = NULL;
	}
	if (fd >= 0)
		close(fd);
	return why;
}

/* ---- commands ---- */

#define MAX_WORDS 32
#define FIRST_SIZE 65536

struct child {
	pid_t pid;
	int out, err; /* -1: closed */
	char *text;
	size_t len, cap;
	char *why;
	size_t why_len, why_cap;
	bool too_long, no_memory;
};

static size_t split(char *command, char *words[MAX_WORDS + 1])
{
	size_t n = 0;
	char *rest = command, *word;

	while (n < MAX_WORDS && (word = strtok_r(rest, " \t", &rest)))
		words[n++] = word;
	words[n] = NULL;
	return rest && *rest ? 0 : n;
}

/* Behind fork(): only what signal-safety(7) lists. */
static void become(char *const words[], int out, int err)
{
	static char path[] = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	char *const environment[] = {path, NULL};
	int null = open("/dev/null", O_RDONLY);
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setpgid(0, 0);
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0 ||
		close_range(3, ~0u, 0) < 0)
		_exit(127);
	execve(words[0], words, environment);
	_exit(127);
}

static bool start(struct child *c, char *const words[])
{
	int out[2] = {-1, -1}, err[2] = {-1, -1};

	c->pid = -1;
	if (pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0)
		c->pid = fork();
	if (c->pid == 0)
		become(words, out[1], err[1]);
	if (out[1] >= 0)
		close(out[1]);
	if (err[1] >= 0)
		close(err[1]);
	c->out = out[0];
	c->err = err[0];
	return c->pid > 0;
}

static bool make_room(struct child *c)
{
	size_t cap = c->cap ? 2 * c->cap : FIRST_SIZE;
	char *more;

	if (c->len + 1 < c->cap)
		return true;
	more = calloc(1, cap);
	if (!more)
		return false;
	/* by hand: realloc() would leave a copy of the secrets behind */
	if (c->text)
		memcpy(more, c->text, c->len);
	config_secret_release(c->text, c->cap);
	c->text = more;
	c->cap = cap;
	return true;
}

static void take(int *fd, ssize_t n)
{
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	close(*fd);
	*fd = -1;
}

static void read_out(struct child *c)
{
	ssize_t n;

	c->no_memory = !make_room(c);
	if (c->no_memory)
		return;
	n = read(c->out, c->text + c->len, c->cap - c->len - 1);
	if (n > 0)
		c->len += (size_t)n;
	else
		take(&c->out, n);
	c->too_long = c->len > CONFIG_SECRET_MAX;
}

/* Its beginning, as one line; what does not fit is read all the same. */
static void read_err(struct child *c)
{
	char some[512];
	ssize_t n = read(c->err, some, sizeof(some));

	for (ssize_t i = 0; i < n && c->why_len + 1 < c->why_cap; i++)
		c->why[c->why_len++] = isprint((unsigned char)some[i]) ? some[i] : ' ';
	c->why[c->why_len] = '\0';
	if (n <= 0)
		take(&c->err, n);
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* False: its time was over. */
static bool listen_to(struct child *c, int64_t end)
{
	while ((c->out >= 0 || c->err >= 0) && !c->too_long && !c->no_memory) {
		struct pollfd p[2] = {{c->out, POLLIN, 0}, {c->err, POLLIN, 0}};
		int64_t left = end - now_ms();

		if (left <= 0 || (poll(p, 2, (int)left) < 0 && errno != EINTR))
			return false;
		if (p[0].revents)
			read_out(c);
		if (p[1].revents)
			read_err(c);
	}
	return true;
}

/* It has closed its output and may still be busy: its time is the same. */
static bool wait_for(struct child *c, int64_t end, int *status)
{
	struct timespec pause = {.tv_nsec = 2000000};
	pid_t got;

	while ((got = waitpid(c->pid, status, WNOHANG)) == 0 && now_ms() < end)
		nanosleep(&pause, NULL);
	return got == c->pid;
}

static const char *verdict(const struct child *c, bool in_time, bool ended, int status)
{
	if (c->no_memory)
		return "out of memory";
	if (c->too_long)
		return "printed more than 32 MB";
	if (!in_time || !ended)
		return "did not end in time; it must print the keys and end";
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return "could not be started; write an absolute path of a program, and its "
		       "arguments";
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return "failed";
	return NULL;
}

const char *config_secret_command(
	const char *command, int timeout_ms, char **text, size_t *len, char *why, size_t why_cap)
{
	char copy[4096], *words[MAX_WORDS + 1];
	struct child c = {.out = -1, .err = -1, .why = why, .why_cap = why_cap};
	int64_t end = now_ms() + timeout_ms;
	bool in_time, ended;
	const char *fault;
	int status = 0;

	*text = NULL;
	why[0] = '\0';
	if ((size_t)snprintf(copy, sizeof(copy), "%s", command) >= sizeof(copy) ||
		!split(copy, words))
		return "is too long; write a script and its path";
	if (!start(&c, words))
		fault = "could not be started";
	else {
		in_time = listen_to(&c, end);
		ended = in_time && !c.too_long && !c.no_memory && wait_for(&c, end, &status);
		if (!ended) {
			kill(-c.pid, SIGKILL);
			kill(c.pid, SIGKILL);
			waitpid(c.pid, NULL, 0);
		}
		fault = verdict(&c, in_time, ended, status);
	}
	if (c.out >= 0)
		close(c.out);
	if (c.err >= 0)
		close(c.err);
	if (fault || !c.len) {
		config_secret_release(c.text, c.cap);
		return fault ? fault : "printed nothing";
	}
	*text = c.text;
	*len = c.len;
	return NULL;
}
