/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An IKE_SA that strongSwan moves by itself is refused: `moves` says who does (doc/ipsec.md, "Who moves what"). */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "ipsec-glue/swan.h"
#include "ipsec-glue/swan_internal.h"

struct world {
	struct timerq *timers;
	struct swan *swan;
	uint32_t spi_out;
	char complaint[256];
};

static monotime_t fake_now(void *ctx)
{
	(void)ctx;
	return (monotime_t){1000000};
}

static void child(void *ctx, const struct swan_child *c)
{
	((struct world *)ctx)->spi_out = c->spi_out;
}

static void complaint(void *ctx, const struct swan_ref *ref, const char *text)
{
	struct world *w = ctx;

	ck_assert(ref != NULL);
	strncpy(w->complaint, text, sizeof(w->complaint) - 1);
}

static const struct swan_ops ops = {.child = child, .complaint = complaint};

static void open_world(struct world *w)
{
	struct swan_ref ref = {.use = IPSEC_DATA, .reqid = 2, .connection = "home", .child = "tun"};

	memset(w, 0, sizeof(*w));
	inet_pton(AF_INET6, "2001:db8:1::100", &ref.home_address);
	inet_pton(AF_INET6, "2001:db8:1::1000", &ref.home_agent);
	w->timers = timerq_new();
	w->swan = swan_open("/nonexistent", w->timers, fake_now, NULL, &ops, w);
	ck_assert(w->swan != NULL);
	ck_assert_int_eq(swan_watch(w->swan, &ref), 0);
}

static void close_world(struct world *w)
{
	swan_close(w->swan);
	timerq_free(w->timers);
}

/* A child-updown event; nat: a key of the IKE_SA that is "yes", or NULL. */
static void up(struct world *w, const char *port, const char *nat)
{
	uint8_t octets[1024];
	struct wbuf b;
	struct rbuf r;

	b = wbuf_make(octets, sizeof(octets));
	vici_write_value(&b, "up", "yes");
	vici_write_section(&b, "home");
	vici_write_value(&b, "local-host", "2001:db8:a::1");
	vici_write_value(&b, "local-port", port);
	vici_write_value(&b, "remote-host", "2001:db8:1::1000");
	vici_write_value(&b, "remote-port", port);
	if (nat)
		vici_write_value(&b, nat, "yes");
	vici_write_section(&b, "child-sas");
	vici_write_section(&b, "tun-1");
	vici_write_value(&b, "name", "tun");
	vici_write_value(&b, "uniqueid", "1");
	vici_write_value(&b, "reqid", "2");
	vici_write_value(&b, "spi-in", "c0000001");
	vici_write_value(&b, "spi-out", "c0000002");
	for (int i = 0; i < 3; i++)
		vici_write_section_end(&b);
	ck_assert(!b.overflow);
	r = rbuf_make(octets, b.len);
	ck_assert(vici_message_ok(r));
	swan_child_updown(w->swan, r);
}

START_TEST(an_sa_of_ours)
{
	struct world w;

	open_world(&w);
	up(&w, "500", NULL);
	ck_assert_uint_eq(w.spi_out, 0xc0000002);
	ck_assert_str_eq(w.complaint, "");
	close_world(&w);
}
END_TEST

START_TEST(moved_by_mobike)
{
	struct world w;

	open_world(&w);
	up(&w, "4500", NULL);
	ck_assert_uint_eq(w.spi_out, 0);
	ck_assert_msg(strstr(w.complaint, "\"home\" is moved by strongSwan, with MOBIKE"), "%s",
		w.complaint);
	ck_assert(strstr(w.complaint, "mobike = no") && strstr(w.complaint, "moves = \"charon\""));
	close_world(&w);
}
END_TEST

START_TEST(behind_a_nat)
{
	static const char *const nat[] = {"nat-local", "nat-remote", "nat-fake"};

	for (int i = 0; i < 3; i++) {
		struct world w;

		open_world(&w);
		up(&w, "4500", nat[i]);
		ck_assert_uint_eq(w.spi_out, 0xc0000002);
		close_world(&w);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("who moves an IKE_SA");
	TCase *tc = tcase_create("child-updown");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_test(tc, an_sa_of_ours);
	tcase_add_test(tc, moved_by_mobike);
	tcase_add_test(tc, behind_a_nat);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
