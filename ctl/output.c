/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables, colours, durations. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static const char *const escapes[] = {
	[PLAIN] = "",
	[BOLD] = "\033[1m",
	[GREEN] = "\033[32m",
	[YELLOW] = "\033[33m",
	[RED] = "\033[31m",
	[DIM] = "\033[2m",
};

enum ctl_color ctl_state_color(const char *word)
{
	static const struct {
		const char *word;
		enum ctl_color color;
	} colors[] = {
		{"active", GREEN},
		{"registered", GREEN},
		{"home", GREEN},
		{"away", GREEN},
		{"attached", GREEN},
		{"ready", GREEN},
		{"dad", YELLOW},
		{"pending", YELLOW},
		{"refreshing", GREEN},
		{"deregistering", YELLOW},
		{"soliciting", YELLOW},
		{"probing", YELLOW},
		{"tentative", YELLOW},
		{"optimistic", YELLOW},
		{"invalid", DIM},
		{"down", DIM},
		{"none", DIM},
		{"refused", RED},
		{"nowhere", RED},
		{"duplicate", RED},
	};

	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (strcmp(colors[i].word, word) == 0)
			return colors[i].color;
	return PLAIN;
}

/* width: 0 as it is, negative to the left in that many columns, positive to the right */
void ctl_colored(FILE *to, bool color, enum ctl_color c, const char *text, int width)
{
	if (color && c != PLAIN)
		fprintf(to, "%s%*s\033[0m", escapes[c], width, text);
	else
		fprintf(to, "%*s", width, text);
}

static void *or_die(void *p)
{
	if (p)
		return p;
	exit(ctl_fail(CTL_UNREACHABLE, "out of memory"));
}

struct ctl_row *ctl_table_row(struct ctl_table *t)
{
	if (t->n == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 16;
		t->rows = or_die(reallocarray(t->rows, t->cap, sizeof(*t->rows)));
	}
	t->rows[t->n] = (struct ctl_row){.turn = t->n};
	return &t->rows[t->n++];
}

void ctl_cell(struct ctl_row *row, size_t column, enum ctl_color color, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	row->cell[column] = (struct ctl_cell){or_die(text), color};
}

static int by_key(const void *a, const void *b)
{
	const struct ctl_row *x = a, *y = b;
	int order = memcmp(&x->key, &y->key, sizeof(x->key));

	return order ? order : (x->turn > y->turn) - (x->turn < y->turn);
}

void ctl_table_sort(struct ctl_table *t)
{
	if (t->n)
		qsort(t->rows, t->n, sizeof(*t->rows), by_key);
}

static const char *text_of(const struct ctl_row *row, size_t column)
{
	return row->cell[column].text ? row->cell[column].text : "-";
}

static void print_cell(const struct ctl_table *t, size_t column, bool last, bool color, int width,
	enum ctl_color c, const char *text, FILE *to)
{
	if (column)
		fputs("  ", to);
	if (t->right[column] == 'r')
		ctl_colored(to, color, c, text, width);
	else
		ctl_colored(to, color, c, text, last ? 0 : -width);
}

void ctl_table_print(const struct ctl_table *t, bool color, FILE *to)
{
	int width[CTL_COLUMNS] = {0};
	size_t columns = strlen(t->right);

	for (size_t k = 0; k < columns; k++) {
		width[k] = t->heads ? (int)strlen(t->heads[k]) : 0;
		for (size_t i = 0; i < t->n; i++) {
			int w = (int)strlen(text_of(&t->rows[i], k));

			width[k] = w > width[k] ? w : width[k];
		}
	}
	for (size_t k = 0; t->heads && k < columns; k++)
		print_cell(t, k, k + 1 == columns, color, width[k], BOLD, t->heads[k], to);
	if (t->heads)
		putc('\n', to);
	for (size_t i = 0; i < t->n; i++) {
		size_t used = columns; /* no blanks at the end of a line */

		while (used > 1 && text_of(&t->rows[i], used - 1)[0] == '\0')
			used--;
		for (size_t k = 0; k < used; k++)
			print_cell(t, k, k + 1 == used, color, width[k], t->rows[i].cell[k].color,
				text_of(&t->rows[i], k), to);
		putc('\n', to);
	}
}

void ctl_table_free(struct ctl_table *t)
{
	for (size_t i = 0; i < t->n; i++)
		for (size_t k = 0; k < CTL_COLUMNS; k++)
			free(t->rows[i].cell[k].text);
	free(t->rows);
	t->rows = NULL;
	t->n = t->cap = 0;
}

void ctl_print_json(json_t *data)
{
	json_dumpf(data, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
}

const char *ctl_duration(int64_t s)
{
	static char ring[2][48];
	static unsigned turn;
	char *buf = ring[turn++ % 2];
	int days = (int)(s / 86400), h = (int)(s / 3600 % 24), m = (int)(s / 60 % 60),
	    rest = (int)(s % 60);

	if (days)
		snprintf(buf, sizeof(ring[0]), "%d d %02d:%02d:%02d", days, h, m, rest);
	else if (h)
		snprintf(buf, sizeof(ring[0]), "%d:%02d:%02d", h, m, rest);
	else if (m)
		snprintf(buf, sizeof(ring[0]), "%d min %02d s", m, rest);
	else
		snprintf(buf, sizeof(ring[0]), "%d s", rest);
	return buf;
}

const char *ctl_text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	return s ? s : "";
}

int64_t ctl_int(const json_t *o, const char *key)
{
	return json_integer_value(json_object_get(o, key));
}
