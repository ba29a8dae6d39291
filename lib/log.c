/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines to stderr, and the token bucket that keeps strangers from
 * filling the log.
 *
 * A line is made in one buffer and handed over in one write, so that lines
 * of several daemons on one terminal stay whole.  Control characters become
 * '?': some of what is logged was chosen by a remote, and must not be able
 * to start a line of its own or talk to the terminal.
 */
#include "lib/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_MAX_LEN 1024

static struct {
	const char *ident;
	enum log_level least;
	bool journal;
} log_state = {.least = LOGL_INFO};

/*
 * systemd sets JOURNAL_STREAM to "device:inode" of the stream it gave to the
 * service.  When stderr was redirected after that, the variable is still
 * there but the reader is no longer the journal; systemd.exec(5) therefore
 * asks for the comparison.
 */
static bool stderr_is_journal(void)
{
	const char *s = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!s || sscanf(s, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return (unsigned long long)st.st_dev == dev && (unsigned long long)st.st_ino == ino;
}

void log_setup(const char *ident, enum log_level least)
{
	log_state.ident = ident;
	log_state.least = least;
	log_state.journal = stderr_is_journal();
}

static int prefix(char *line, size_t cap, enum log_level level)
{
	static const char *const names[] = {
		[LOGL_ERROR] = "error",
		[LOGL_WARNING] = "warning",
		[LOGL_NOTICE] = "notice",
		[LOGL_INFO] = "info",
		[LOGL_DEBUG] = "debug",
	};

	if (log_state.journal) /* sd-daemon(3): the numbers of syslog(3), LOG_ERR being 3 */
		return snprintf(line, cap, "<%d>", 3 + (int)level);
	if (log_state.ident)
		return snprintf(line, cap, "%s: %s: ", log_state.ident, names[level]);
	return snprintf(line, cap, "%s: ", names[level]);
}

static void write_all(const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(STDERR_FILENO, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return; /* nowhere left to complain */
		p += done;
		n -= (size_t)done;
	}
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_LEN];
	int saved_errno = errno;
	size_t start, len;
	va_list ap;
	int n;

	if (level > log_state.least)
		return;
	n = prefix(line, sizeof(line), level);
	start = n < 0 ? 0 : (size_t)n;
	if (start > sizeof(line) / 2)
		start = sizeof(line) / 2;
	errno = saved_errno; /* for %m */
	va_start(ap, fmt);
	n = vsnprintf(line + start, sizeof(line) - start, fmt, ap);
	va_end(ap);
	len = start + (n < 0 ? 0 : (size_t)n);
	if (len > sizeof(line) - 1) {
		len = sizeof(line) - 1;
		memcpy(line + len - 3, "...", 3);
	}
	for (size_t i = start; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		if (c < 0x20 || c == 0x7f)
			line[i] = '?';
	}
	line[len++] = '\n'; /* takes the place of the closing NUL */
	write_all(line, len);
	errno = saved_errno;
}

/*
 * Thousandths of a token, so that slow rates refill smoothly.  Only the time
 * that was turned into tokens is taken off the clock; otherwise a flood of
 * calls, each too early for a whole thousandth, would stop the refill.
 */
static void refill(struct log_limit *l, monotime_t now)
{
	const int64_t full = (int64_t)l->burst * 1000;
	int64_t elapsed_us = now.us - l->last.us, gained;

	if (!l->per_minute || elapsed_us <= 0)
		return;
	if (elapsed_us / 60000 > full / l->per_minute) {
		l->tokens_milli = full;
		l->last = now;
		return;
	}
	gained = elapsed_us * l->per_minute / 60000;
	if (gained == 0)
		return;
	l->tokens_milli += gained;
	if (l->tokens_milli >= full) {
		l->tokens_milli = full;
		l->last = now;
		return;
	}
	l->last.us += gained * 60000 / l->per_minute;
}

bool log_allowed(struct log_limit *l, monotime_t now, uint64_t *suppressed)
{
	bool allowed;

	if (!l->started) {
		l->started = true;
		l->last = now;
		l->tokens_milli = (int64_t)l->burst * 1000;
	}
	refill(l, now);
	allowed = l->tokens_milli >= 1000;
	if (suppressed)
		*suppressed = allowed ? l->held : 0;
	if (allowed) {
		l->tokens_milli -= 1000;
		l->held = 0;
	} else {
		l->held++;
	}
	return allowed;
}
