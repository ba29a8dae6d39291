/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ipsec-glue/vici.h: what is written is read back; what is cut off or nested
 * wrongly is refused; and a client, whose peer is this test at the other end
 * of a socket, asks one thing at a time and survives a peer of any manners.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "ipsec-glue/vici.h"

static uint8_t octets[4096];
static struct wbuf w;

static void write_sample(void)
{
	w = wbuf_make(octets, sizeof(octets));
	vici_write_packet(&w, VICI_EVENT, "child-updown");
	vici_write_value(&w, "up", "yes");
	vici_write_section(&w, "home");
	vici_write_value(&w, "state", "ESTABLISHED");
	vici_write_list(&w, "ts");
	vici_write_item(&w, "one");
	vici_write_item(&w, "two");
	vici_write_list_end(&w);
	vici_write_section(&w, "child-sas");
	vici_write_value(&w, "state", "inner");
	vici_write_section_end(&w);
	vici_write_value(&w, "last", "0c");
	vici_write_section_end(&w);
	ck_assert(vici_write_done(&w));
}

/* ---- codec ---- */

START_TEST(test_round)
{
	struct vici_packet p;
	struct vici_item home, list, item;
	uint32_t v;

	write_sample();
	ck_assert_uint_eq((size_t)octets[2] << 8 | octets[3], w.len - 4);
	ck_assert(vici_packet_parse(octets + 4, w.len - 4, &p));
	ck_assert_int_eq(p.type, VICI_EVENT);
	ck_assert(vici_is(p.name, "child-updown"));
	ck_assert(vici_is(vici_value(p.message, "up"), "yes"));
	ck_assert_uint_eq(vici_value(p.message, "state").len, 0); /* is further inside */
	ck_assert(vici_find(p.message, VICI_SECTION_START, "home", &home));
	ck_assert(vici_is(vici_value(home.inside, "state"), "ESTABLISHED"));
	ck_assert(vici_number(vici_value(home.inside, "last"), 16, &v) && v == 12);
	ck_assert(vici_find(home.inside, VICI_LIST_START, "ts", &list));
	ck_assert(vici_next(&list.inside, &item) && vici_is(item.value, "one"));
	ck_assert(vici_next(&list.inside, &item) && vici_is(item.value, "two"));
	ck_assert(!vici_next(&list.inside, &item));
	ck_assert(!vici_find(home.inside, VICI_KEY_VALUE, "child-sas", &item));
}
END_TEST

/* No piece of a packet but itself is one, except where a message may end: between elements at the top. */
START_TEST(test_cut)
{
	struct vici_packet p;
	size_t whole = 0;

	write_sample();
	for (size_t n = 0; n < w.len - 4; n++) {
		uint8_t *exact = malloc(n ? n : 1);

		memcpy(exact, octets + 4, n);
		whole += vici_packet_parse(exact, n, &p);
		free(exact);
	}
	ck_assert_uint_eq(whole, 2); /* behind the name, behind up=yes */
}
END_TEST

static bool message_ok(const char *data, size_t len)
{
	return vici_message_ok(rbuf_make(data, len));
}
#define OK(text) message_ok(text, sizeof(text) - 1)

START_TEST(test_nesting)
{
	struct wbuf deep = wbuf_make(octets, sizeof(octets));

	ck_assert(OK(""));
	ck_assert(OK("\001\001a\002"));
	ck_assert(!OK("\001\001a")); /* not closed */
	ck_assert(!OK("\002")); /* not open */
	ck_assert(!OK("\001\001a\002\002"));
	ck_assert(!OK("\005\000\001x")); /* an item outside of a list */
	ck_assert(!OK("\004\001l\003\001k\000\001v\006")); /* a value inside of one */
	ck_assert(!OK("\004\001l\001\001a\002\006")); /* a section inside of one */
	ck_assert(!OK("\004\001l\004\001m\006\006"));
	ck_assert(!OK("\001\001a\006"));
	ck_assert(!OK("\007")); /* no element */
	ck_assert(!OK("\000"));
	for (int depth = 1; depth <= VICI_DEPTH_MAX + 1; depth++) {
		deep.len = 0;
		for (int i = 0; i < depth; i++)
			vici_write_section(&deep, "s");
		for (int i = 0; i < depth; i++)
			vici_write_section_end(&deep);
		ck_assert(
			vici_message_ok(rbuf_make(octets, deep.len)) == (depth <= VICI_DEPTH_MAX));
	}
}
END_TEST

START_TEST(test_types)
{
	struct vici_packet p;

	ck_assert(!vici_packet_parse("", 0, &p));
	ck_assert(vici_packet_parse("\001", 1, &p) && p.type == VICI_RESPONSE);
	ck_assert(!vici_packet_parse("\010", 1, &p));
	ck_assert(!vici_packet_parse("\007", 1, &p)); /* an event has a name */
	ck_assert(!vici_packet_parse("\007\003ab", 4, &p));
}
END_TEST

START_TEST(test_text)
{
	const struct vici_text t = {"a\x01\x80z", 4}, none = {"", 0};
	char to[8], small[3];
	uint32_t v = 7;

	ck_assert(vici_copy(t, to, sizeof(to)));
	ck_assert_str_eq(to, "a??z");
	ck_assert(!vici_copy(t, small, sizeof(small)));
	ck_assert_str_eq(small, "a?");
	ck_assert(!vici_is(t, "a") && !vici_is(none, "a") && vici_is(none, ""));
	ck_assert(!vici_number(none, 10, &v) && v == 7);
	ck_assert(!vici_number((struct vici_text){"1f", 2}, 10, &v));
	ck_assert(!vici_number((struct vici_text){"-1", 2}, 10, &v));
	ck_assert(!vici_number((struct vici_text){"fg", 2}, 16, &v));
	ck_assert(!vici_number((struct vici_text){"100000000", 9}, 16, &v) && v == 7);
	ck_assert(vici_number((struct vici_text){"ffffffff", 8}, 16, &v) && v == UINT32_MAX);
	ck_assert(vici_number((struct vici_text){"4294967295", 10}, 10, &v) && v == UINT32_MAX);
	ck_assert(!vici_number((struct vici_text){"4294967296", 10}, 10, &v));
}
END_TEST

START_TEST(test_write_too_long)
{
	char name[VICI_NAME_MAX + 2];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	w = wbuf_make(octets, sizeof(octets));
	vici_write_packet(&w, VICI_REQUEST, "version");
	vici_write_value(&w, name, "");
	ck_assert(!vici_write_done(&w));
	w = wbuf_make(octets, 20);
	vici_write_packet(&w, VICI_REQUEST, "version");
	vici_write_value(&w, "key", "value");
	ck_assert(!vici_write_done(&w));
}
END_TEST

/* ---- client ---- */

static char folder[64], path[96];
static int listener, peer;
static struct vici *v;
static char said[4096]; /* answers and events, in their order */

static void on_answer(void *ctx, const void *tag, bool ok, struct rbuf message)
{
	ck_assert_ptr_eq(ctx, said);
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s%s%.*s;", (const char *)tag,
		ok ? "+" : "-", (int)vici_value(message, "k").len, vici_value(message, "k").at);
}

static void on_event(void *ctx, struct vici_text name, struct rbuf message)
{
	(void)ctx, (void)message;
	snprintf(
		said + strlen(said), sizeof(said) - strlen(said), "!%.*s;", (int)name.len, name.at);
}

static const struct vici_handler handler = {on_answer, on_event};

static void setup(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int err;

	snprintf(folder, sizeof(folder), "/tmp/test_vici.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/vici", folder);
	strcpy(addr.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	v = vici_connect(path, &handler, said, &err);
	ck_assert_ptr_nonnull(v);
	peer = accept(listener, NULL, NULL);
	ck_assert_int_ge(peer, 0);
	said[0] = '\0';
}

static void teardown(void)
{
	vici_close(v);
	if (peer >= 0)
		close(peer);
	close(listener);
	unlink(path);
	rmdir(folder);
}

static int ask(const char *command, const char *tag)
{
	w = wbuf_make(octets, sizeof(octets));
	vici_write_packet(&w, VICI_REQUEST, command);
	ck_assert(vici_write_done(&w));
	return vici_send(v, &w, tag);
}

static void reply(enum vici_packet_type type, const char *name, const char *k)
{
	w = wbuf_make(octets, sizeof(octets));
	vici_write_packet(&w, type, name);
	if (k)
		vici_write_value(&w, "k", k);
	ck_assert(vici_write_done(&w));
	ck_assert_int_eq(write(peer, octets, w.len), (ssize_t)w.len);
}

/* The octets that wait at the peer. */
static size_t at_peer(void)
{
	static uint8_t in[65536];
	ssize_t n = recv(peer, in, sizeof(in), MSG_DONTWAIT);

	return n > 0 ? (size_t)n : 0;
}

START_TEST(test_one_at_a_time)
{
	ck_assert(vici_idle(v));
	ck_assert_int_eq(ask("first", "a"), 0);
	ck_assert_int_eq(ask("second", "b"), 0);
	ck_assert_uint_eq(at_peer(), 4 + 2 + 5);
	reply(VICI_EVENT, "between", NULL);
	reply(VICI_RESPONSE, NULL, "1");
	ck_assert_int_eq(vici_readable(v), 0);
	ck_assert_str_eq(said, "!between;a+1;");
	ck_assert_uint_eq(at_peer(), 4 + 2 + 6);
	ck_assert(!vici_idle(v));
	reply(VICI_UNKNOWN_COMMAND, NULL, NULL);
	ck_assert_int_eq(vici_readable(v), 0);
	ck_assert_str_eq(said, "!between;a+1;b-;");
	ck_assert(vici_idle(v));
}
END_TEST

START_TEST(test_in_pieces)
{
	ck_assert_int_eq(ask("first", "a"), 0);
	w = wbuf_make(octets, sizeof(octets));
	vici_write_packet(&w, VICI_RESPONSE, NULL);
	vici_write_value(&w, "k", "piece");
	ck_assert(vici_write_done(&w));
	for (size_t i = 0; i < w.len; i++) {
		ck_assert_str_eq(said, "");
		ck_assert_int_eq(write(peer, octets + i, 1), 1);
		ck_assert_int_eq(vici_readable(v), 0);
	}
	ck_assert_str_eq(said, "a+piece;");
}
END_TEST

START_TEST(test_not_asked)
{
	reply(VICI_RESPONSE, NULL, "1");
	ck_assert_int_eq(vici_readable(v), -EPROTO);
	ck_assert_str_eq(said, "");
}
END_TEST

/* Packets that only a client sends, and frames that cannot be. */
START_TEST(test_wrong_peer)
{
	static const struct {
		const char *octets;
		size_t len;
	} bad[] = {{"\0\0\0\001\000", 5}, {"\0\0\0\004\000\002ab", 8}, {"\0\0\0\001\003", 5},
		{"\0\0\0\001\011", 5}, {"\0\0\0\0", 4}, {"\0\010\0\001", 4},
		{"\377\377\377\377", 4}, {"\0\0\0\002\001\002", 6}};

	ck_assert_int_eq(ask("first", "a"), 0);
	ck_assert_int_eq(write(peer, bad[_i].octets, bad[_i].len), (ssize_t)bad[_i].len);
	ck_assert_int_eq(vici_readable(v), -EPROTO);
	ck_assert_str_eq(said, "");
}
END_TEST
#define N_BAD 8

START_TEST(test_gone)
{
	close(peer);
	peer = -1;
	ck_assert_int_eq(vici_readable(v), -ECONNRESET);
}
END_TEST

/* A peer that does not read: what does not fit waits, and is bounded. */
START_TEST(test_deaf)
{
	static uint8_t big[70000];
	static char value[60000];
	int err = 0;
	size_t sent = 0, got = 0;

	memset(value, 'v', sizeof(value) - 1);
	w = wbuf_make(big, sizeof(big));
	vici_write_packet(&w, VICI_REQUEST, "big");
	vici_write_value(&w, "k", value);
	ck_assert(vici_write_done(&w));
	for (;;) {
		err = vici_send(v, &w, "t");
		if (err)
			break;
		sent++;
	}
	ck_assert_int_eq(err, -ENOBUFS);
	ck_assert_uint_eq(sent, 1024);
	for (size_t i = 0; i < sent; i++) {
		while (got < w.len) {
			got += at_peer();
			ck_assert_int_eq(vici_writable(v), 0);
		}
		ck_assert_uint_eq(got, w.len);
		got = 0;
		ck_assert_int_eq(write(peer, "\0\0\0\001\001", 5), 5);
		ck_assert_int_eq(vici_readable(v), 0);
		said[0] = '\0';
	}
	ck_assert(vici_idle(v) && !vici_wants_write(v));
}
END_TEST

/* An answer to what the peer cannot have read yet. */
START_TEST(test_too_early)
{
	static uint8_t big[70000];
	static char value[60000];

	memset(value, 'v', sizeof(value) - 1);
	w = wbuf_make(big, sizeof(big));
	vici_write_packet(&w, VICI_REQUEST, "big");
	vici_write_value(&w, "k", value);
	ck_assert(vici_write_done(&w));
	while (!vici_wants_write(v)) { /* answered without being read, until the socket is full */
		ck_assert_int_eq(vici_send(v, &w, "t"), 0);
		if (vici_wants_write(v))
			break;
		ck_assert_int_eq(write(peer, "\0\0\0\001\001", 5), 5);
		ck_assert_int_eq(vici_readable(v), 0);
	}
	ck_assert_int_eq(write(peer, "\0\0\0\001\001", 5), 5);
	ck_assert_int_eq(vici_readable(v), -EPROTO);
}
END_TEST

/* As many events as the peer likes: one call does not take for ever, and none is lost. */
START_TEST(test_flood)
{
	unsigned n = 0;

	for (int i = 0; i < 300; i++)
		memcpy(octets + 7 * i, "\0\0\0\003\007\001e", 7);
	ck_assert_int_eq(write(peer, octets, 7 * 300), 7 * 300);
	ck_assert_int_eq(vici_readable(v), 0);
	for (const char *at = said; (at = strchr(at, '!')); at++)
		n++;
	ck_assert_uint_eq(n, 300);
}
END_TEST

START_TEST(test_connect_fails)
{
	char longer[200];
	int err;

	memset(longer, 'x', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	ck_assert_ptr_null(vici_connect(longer, &handler, NULL, &err));
	ck_assert_int_eq(err, -ENAMETOOLONG);
	ck_assert_ptr_null(vici_connect("/tmp/there/is/nothing", &handler, NULL, &err));
	ck_assert_int_eq(err, -ENOENT);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("vici");
	TCase *codec = tcase_create("codec"), *client = tcase_create("client");
	SRunner *r;
	int failed;

	tcase_add_test(codec, test_round);
	tcase_add_test(codec, test_cut);
	tcase_add_test(codec, test_nesting);
	tcase_add_test(codec, test_types);
	tcase_add_test(codec, test_text);
	tcase_add_test(codec, test_write_too_long);
	suite_add_tcase(s, codec);
	tcase_add_checked_fixture(client, setup, teardown);
	tcase_add_test(client, test_one_at_a_time);
	tcase_add_test(client, test_in_pieces);
	tcase_add_test(client, test_not_asked);
	tcase_add_loop_test(client, test_wrong_peer, 0, N_BAD);
	tcase_add_test(client, test_gone);
	tcase_add_test(client, test_deaf);
	tcase_add_test(client, test_too_early);
	tcase_add_test(client, test_flood);
	tcase_add_test(client, test_connect_fails);
	suite_add_tcase(s, client);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
