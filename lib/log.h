/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Log lines: to stderr (with a level prefix "<N>" that journald understands
 * when it is the reader, plain text otherwise).  Keys never pass through here.
 */
#ifndef LIB_LOG_H
#define LIB_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "mip6/monotime.h"

enum log_level { LOGL_ERROR, LOGL_WARNING, LOGL_NOTICE, LOGL_INFO, LOGL_DEBUG };

void log_setup(const char *ident, enum log_level least);
void log_line(enum log_level level, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define log_error(...) log_line(LOGL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOGL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOGL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOGL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOGL_DEBUG, __VA_ARGS__)

/*
 * A token bucket for lines that a remote can provoke.  log_allowed() says
 * whether one more line may be written now; when it may again after some were
 * held back, *suppressed is how many.
 */
struct log_limit {
	uint32_t burst, per_minute;
	/* private */
	monotime_t last;
	int64_t tokens_milli;
	uint64_t held;
	bool started;
};
#define LOG_LIMIT_INIT(burst_, per_minute_) {.burst = (burst_), .per_minute = (per_minute_)}
bool log_allowed(struct log_limit *l, monotime_t now, uint64_t *suppressed);

#endif
