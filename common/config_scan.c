/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The complaints that are possible before a configuration is parsed.
 *
 * libconfig reads the grammar, but on its own it would leave a user alone
 * with "syntax error" for the usual slips: an address or a word without
 * quotes, a bracket that is never closed (found at the end of the file, far
 * from its start), a string or comment that runs away.  It wraps numbers that
 * do not fit 32 bits without a word, and ends the program when an included
 * file is a directory.  So the text goes through this scanner first.  It
 * knows strings, comments, brackets, numbers, words and their order, and
 * says such things with the place where they began.
 *
 * It also finds the includes (the directive is libconfig's own: @include
 * "FILE" at the beginning of a line), so that libconfig gets one text.
 */
#include "common/config_scan.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Of one file. */
struct cursor {
	const char *p, *end;
	uint32_t file, line;
	bool bol; /* at the beginning of a line */
};

static bool fault(struct config_scan *sc, uint32_t file, uint32_t line, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Always false, for the caller to return. */
static bool fault(struct config_scan *sc, uint32_t file, uint32_t line, const char *fmt, ...)
{
	char message[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(message, sizeof(message), fmt, ap);
	va_end(ap);
	sc->faults++;
	config_error(sc->errors, sc->source->files[file], line, "%s", message);
	return false;
}

static size_t left(const struct cursor *c)
{
	return (size_t)(c->end - c->p);
}

static bool starts(const struct cursor *c, const char *what)
{
	return left(c) >= strlen(what) && memcmp(c->p, what, strlen(what)) == 0;
}

/* n, but not more than a message can bear */
static int quoted(size_t n)
{
	return (int)(n < 60 ? n : 60);
}

/* Take n octets over into the text. */
static bool take(struct config_scan *sc, struct cursor *c, size_t n)
{
	for (; n > 0; n--, c->p++) {
		if (!config_source_put(sc->source, *c->p, c->file, c->line))
			return fault(sc, c->file, c->line, "out of memory");
		c->bol = *c->p == '\n';
		if (c->bol)
			c->line++;
	}
	return true;
}

/* A token of n octets that has its right place; due and last are of what follows it. */
static bool token(
	struct config_scan *sc, struct cursor *c, size_t n, char last, enum config_due due)
{
	sc->last = last;
	sc->due = due;
	return take(sc, c, n);
}

static char inside(const struct config_scan *sc)
{
	return sc->n_brackets ? sc->brackets[sc->n_brackets - 1].open : '{';
}

/* The token of n octets at the cursor has no place here. */
static bool misplaced(struct config_scan *sc, const struct cursor *c, size_t n)
{
	const char *what = "a setting is written  name = value;";

	if (sc->due == DUE_EQUALS)
		what = "'=' is missing before it; a setting is written  name = value;";
	else if (sc->due == DUE_VALUE)
		what = "a value is due";
	else if (sc->due == DUE_END && inside(sc) != '{')
		what = "',' is missing before it";
	return fault(sc, c->file, c->line, "'%.*s' has no place here; %s", quoted(n), c->p, what);
}

/* ---- comments, strings ---- */

static bool scan_comment(struct config_scan *sc, struct cursor *c)
{
	const char *q;

	if (!starts(c, "/*")) {
		q = memchr(c->p, '\n', left(c));
		return take(sc, c, q ? (size_t)(q - c->p) : left(c));
	}
	q = memmem(c->p + 2, left(c) - 2, "*/", 2);
	if (!q)
		return fault(sc, c->file, c->line,
			"the comment that begins here never ends; add the closing */");
	return take(sc, c, (size_t)(q + 2 - c->p));
}

static bool scan_string(struct config_scan *sc, struct cursor *c)
{
	const char *q = c->p + 1;

	while (q < c->end && *q != '"' && *q != '\n' && *q != '\0')
		q += (*q == '\\' && q + 1 < c->end && q[1] != '\n' && q[1] != '\0') ? 2 : 1;
	if (q >= c->end || *q != '"')
		return fault(sc, c->file, c->line,
			"the text  %.*s  does not end on its line; add the closing \"",
			quoted((size_t)(q - c->p)), c->p);
	/* texts in a row are one text */
	if (sc->due != DUE_VALUE && !(sc->due == DUE_END && sc->last == '"'))
		return misplaced(sc, c, (size_t)(q + 1 - c->p));
	return token(sc, c, (size_t)(q + 1 - c->p), '"', DUE_END);
}

/* ---- brackets, marks ---- */

static char closing(char open)
{
	return open == '{' ? '}' : open == '(' ? ')' : ']';
}

static bool scan_open(struct config_scan *sc, struct cursor *c)
{
	if (sc->due != DUE_VALUE)
		return misplaced(sc, c, 1);
	if (inside(sc) == '[')
		return fault(sc, c->file, c->line,
			"an array in [ ] holds plain values only; write a list in ( )");
	if (sc->n_brackets == CONFIG_SCAN_DEPTH)
		return fault(sc, c->file, c->line,
			"brackets are nested too deeply; mip6d needs four levels at most");
	sc->brackets[sc->n_brackets++] = (struct config_bracket){*c->p, c->file, c->line};
	return token(sc, c, 1, *c->p, *c->p == '{' ? DUE_NAME : DUE_VALUE);
}

static bool scan_close(struct config_scan *sc, struct cursor *c)
{
	const struct config_bracket *b;

	if (sc->n_brackets == 0)
		return fault(sc, c->file, c->line,
			"'%c' closes nothing; remove it, or add what opens it", *c->p);
	b = &sc->brackets[sc->n_brackets - 1];
	if (closing(b->open) != *c->p)
		return fault(sc, c->file, c->line,
			"'%c' has no place in the '%c' of line %u; close that with '%c' first",
			*c->p, b->open, b->line, closing(b->open));
	if (sc->due == DUE_EQUALS || (sc->due == DUE_VALUE && sc->last != b->open))
		return misplaced(sc, c, 1);
	sc->n_brackets--;
	return token(sc, c, 1, *c->p, DUE_END);
}

static bool scan_mark(struct config_scan *sc, struct cursor *c)
{
	bool list = inside(sc) != '{';

	switch (*c->p) {
	case '=':
	case ':':
		if (sc->due != DUE_EQUALS)
			return misplaced(sc, c, 1);
		return token(sc, c, 1, *c->p, DUE_VALUE);
	case ',':
	case ';':
		if (list && *c->p == ';') {
			const struct config_bracket *b = &sc->brackets[sc->n_brackets - 1];

			return fault(sc, c->file, c->line,
				"';' has no place in the '%c' of line %u; write ',' between "
				"values, or close it with '%c'",
				b->open, b->line, closing(b->open));
		}
		if (sc->due != DUE_END)
			return misplaced(sc, c, 1);
		return token(sc, c, 1, *c->p, list ? DUE_VALUE : DUE_NAME);
	case '\0':
		return fault(
			sc, c->file, c->line, "there is a NUL octet; this must be a text file");
	case '@':
		return fault(sc, c->file, c->line,
			"'@' begins an include; write  @include \"FILE\"  at the beginning of a "
			"line");
	default:
		return fault(sc, c->file, c->line,
			"the character '%c' has no meaning here; text must stand in quotes", *c->p);
	}
}

/* ---- words, numbers ---- */

/* Things like 2001:db8::1 outside of quotes: neither "::" nor "7:" can occur in the grammar. */
static bool is_bare_address(const struct cursor *c, const char *q)
{
	bool number = isdigit((unsigned char)*c->p);

	return q < c->end && *q == ':' && (number || (q + 1 < c->end && q[1] == ':'));
}

static bool bare_address(struct config_scan *sc, const struct cursor *c)
{
	size_t n = 0;

	while (n < left(c) && (isxdigit((unsigned char)c->p[n]) || strchr(":./", c->p[n])) &&
		c->p[n])
		n++;
	return fault(sc, c->file, c->line, "an address must stand in quotes; write \"%.*s\"",
		quoted(n), c->p);
}

static bool word_char(char ch)
{
	return isalnum((unsigned char)ch) || ch == '_' || ch == '-' || ch == '*';
}

static bool scan_word(struct config_scan *sc, struct cursor *c)
{
	const char *q = c->p;
	bool boolean;
	size_t n;

	while (q < c->end && word_char(*q))
		q++;
	n = (size_t)(q - c->p);
	boolean = (n == 4 && strncasecmp(c->p, "true", 4) == 0) ||
		  (n == 5 && strncasecmp(c->p, "false", 5) == 0);
	if (is_bare_address(c, q))
		return bare_address(sc, c);
	if (sc->due == DUE_VALUE && boolean)
		return token(sc, c, n, 'a', DUE_END);
	if (sc->due == DUE_VALUE)
		return fault(sc, c->file, c->line, "text must stand in quotes; write \"%.*s\"",
			quoted(n), c->p);
	/* the mark between two settings may be left out */
	if (boolean || sc->due == DUE_EQUALS || (sc->due == DUE_END && inside(sc) != '{'))
		return misplaced(sc, c, n);
	return token(sc, c, n, 'a', DUE_EQUALS);
}

enum number { NUMBER_FITS, NUMBER_TOO_LARGE, NUMBER_MALFORMED };

/* libconfig takes "600" and "0x258" as 32 bits, "600L" as 64, and wraps what does not fit. */
static enum number judge_number(const char *text)
{
	size_t sign = strspn(text, "+-");
	bool hex = text[sign] == '0' && (text[sign + 1] | 0x20) == 'x';
	long long v;
	char *end;

	if (sign > 1 || (hex && sign) || !isdigit((unsigned char)text[sign]))
		return NUMBER_MALFORMED;
	errno = 0;
	v = strtoll(text, &end, hex ? 16 : 10);
	if (errno)
		return NUMBER_TOO_LARGE;
	if (!hex && (*end == '.' || *end == 'e' || *end == 'E')) {
		strtod(text, &end);
		return *end ? NUMBER_MALFORMED : NUMBER_FITS;
	}
	if (strcmp(end, "L") == 0 || strcmp(end, "LL") == 0)
		return NUMBER_FITS;
	if (*end)
		return NUMBER_MALFORMED;
	return v >= INT32_MIN && v <= INT32_MAX ? NUMBER_FITS : NUMBER_TOO_LARGE;
}

static bool scan_number(struct config_scan *sc, struct cursor *c)
{
	const char *q = c->p;
	char text[64];
	size_t n;

	if (*q == '+' || *q == '-')
		q++;
	while (q < c->end && (isalnum((unsigned char)*q) || *q == '.'))
		q++;
	if (is_bare_address(c, q))
		return bare_address(sc, c);
	n = (size_t)(q - c->p);
	snprintf(text, sizeof(text), "%.*s", quoted(n), c->p);
	switch (n < 60 ? judge_number(text) : NUMBER_TOO_LARGE) {
	case NUMBER_TOO_LARGE:
		return fault(sc, c->file, c->line,
			"the number %s%s is too large; no setting goes beyond %d", text,
			n > 60 ? "..." : "", INT32_MAX);
	case NUMBER_MALFORMED:
		return fault(sc, c->file, c->line,
			"%s is not a number; write digits only, or text in quotes", text);
	case NUMBER_FITS:
		break;
	}
	if (sc->due != DUE_VALUE)
		return misplaced(sc, c, n);
	return token(sc, c, n, '0', DUE_END);
}

static bool scan_token(struct config_scan *sc, struct cursor *c)
{
	char ch = *c->p;

	if (ch != '\0' && strchr(" \t\r\n\f\v", ch))
		return take(sc, c, 1);
	if (ch == '#' || starts(c, "//") || starts(c, "/*"))
		return scan_comment(sc, c);
	if (ch == '"')
		return scan_string(sc, c);
	if (ch == '{' || ch == '(' || ch == '[')
		return scan_open(sc, c);
	if (ch == '}' || ch == ')' || ch == ']')
		return scan_close(sc, c);
	if (isalpha((unsigned char)ch) || ch == '*')
		return scan_word(sc, c);
	if (isdigit((unsigned char)ch) || ch == '+' || ch == '-')
		return scan_number(sc, c);
	if (starts(c, "::"))
		return bare_address(sc, c);
	return scan_mark(sc, c);
}

/* ---- includes ---- */

/* The name of @include "NAME" at the cursor, NULL when there is none; *after is what follows it. */
static char *include_name(const struct cursor *c, const char **after)
{
	const char *p = c->p, *q;

	while (p < c->end && (*p == ' ' || *p == '\t'))
		p++;
	if (c->end - p < 9 || memcmp(p, "@include", 8) != 0)
		return NULL;
	for (p += 8; p < c->end && (*p == ' ' || *p == '\t');)
		p++;
	if (p == c->end || *p != '"')
		return NULL;
	p++;
	for (q = p; q < c->end && *q != '"' && *q != '\n' && *q != '\0';)
		q++;
	if (q == c->end || *q != '"' || q == p)
		return NULL;
	*after = q + 1;
	return strndup(p, (size_t)(q - p));
}

/* Relative names are looked up beside the file that includes. */
static char *include_path(const char *includer, const char *name)
{
	const char *slash = strrchr(includer, '/');
	char *path;

	if (name[0] == '/' || !slash)
		return strdup(name);
	if (asprintf(&path, "%.*s/%s", (int)(slash - includer), includer, name) < 0)
		return NULL;
	return path;
}

static bool scan_include(
	struct config_scan *sc, struct cursor *c, char *name, const char *after, unsigned depth)
{
	char *path = include_path(sc->source->files[c->file], name);
	bool ok;

	free(name);
	if (!path)
		return fault(sc, c->file, c->line, "out of memory");
	ok = config_scan_include(sc, path, depth + 1, c->file, c->line);
	free(path);
	c->p = after;
	c->bol = false;
	/* what follows the directive is on a line of its own in the text */
	return ok && config_source_put(sc->source, '\n', c->file, c->line);
}

bool config_scan_text(
	struct config_scan *sc, const char *text, size_t len, uint32_t file, unsigned depth)
{
	struct cursor c = {text, text + len, file, 1, true};

	if (starts(&c, "\xef\xbb\xbf"))
		c.p += 3; /* a byte order mark, of no use here */
	while (c.p < c.end) {
		const char *after;
		char *name = c.bol ? include_name(&c, &after) : NULL;

		if (name ? !scan_include(sc, &c, name, after, depth) : !scan_token(sc, &c))
			return false;
	}
	return true;
}

void config_scan_end(struct config_scan *sc)
{
	const struct config_origin *last;

	if (sc->n_brackets) {
		const struct config_bracket *b = &sc->brackets[sc->n_brackets - 1];

		fault(sc, b->file, b->line, "'%c' is never closed; add '%c'", b->open,
			closing(b->open));
	} else if (sc->due == DUE_EQUALS || sc->due == DUE_VALUE) {
		last = &sc->source->lines[sc->source->n_lines - 1];
		fault(sc, last->file, last->line,
			"the file ends within a setting; a setting is written  name = value;");
	}
}
