/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mip6d/config.h; the wording of complaints is tested in tests/golden */
#include <arpa/inet.h>
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "mip6d/config.h"
#include "mip6d/proto/ha.h"
#include "mip6d/proto/mn.h"

#define HA_TEXT                                                              \
	"role = \"home-agent\";\n"                                           \
	"home_agent = { address = \"2001:db8:1::1000\"; ipsec = \"none\";\n" \
	"home_prefixes = ( \"2001:db8:1::/64\" );\n"
#define MN_TEXT                                                                   \
	"role = \"mobile-node\";\n"                                               \
	"mobile_node = { home_address = \"2001:db8:1::100\"; ipsec = \"none\";\n" \
	"home_prefix = \"2001:db8:1::/64\"; home_agent = \"2001:db8:1::1000\";\n"

static struct in6_addr a6(const char *text)
{
	struct in6_addr a;

	ck_assert_int_eq(inet_pton(AF_INET6, text, &a), 1);
	return a;
}

static struct mip6d_config good(const char *text)
{
	struct config_errors e;
	struct mip6d_config c;
	bool ok = config_load_text("t", text, strlen(text), &c, &e);

	ck_assert_msg(ok, "%s", e.n ? e.lines[0] : "refused without a word");
	ck_assert_uint_eq(e.n + e.left_out, 0);
	config_errors_release(&e);
	return c;
}

/* The n lines of complaints joined by '|'; owned by the caller */
static char *complaints(const char *text, size_t len)
{
	struct config_errors e;
	struct mip6d_config c;
	char *all = calloc(1, 16384);

	ck_assert(!config_load_text("t", text, len, &c, &e));
	ck_assert_uint_ge(e.n, 1);
	ck_assert_ptr_null(c.home_agent.home_addresses);
	for (size_t i = 0; i < e.n; i++) {
		strcat(all, i ? "|" : "");
		strcat(all, e.lines[i]);
	}
	config_errors_release(&e);
	return all;
}

static char *printed(const struct mip6d_config *c)
{
	char *text = NULL;
	size_t n;
	FILE *f = open_memstream(&text, &n);

	config_print(c, f);
	fclose(f);
	return text;
}

START_TEST(ha_defaults)
{
	struct mip6d_config c = good(HA_TEXT "};");
	struct ha_config ha;

	ck_assert_int_eq(c.role, ROLE_HOME_AGENT);
	ck_assert_int_eq(c.log_level, LOGL_INFO);
	ck_assert_str_eq(c.control_socket, "/run/mip6d/mip6d.sock");
	ck_assert_str_eq(c.control_group, "");
	config_to_ha(&c, &ha);
	ck_assert_mem_eq(&ha.address, &(struct in6_addr[]){a6("2001:db8:1::1000")}, 16);
	ck_assert_int_eq(ha.home_ifindex, 0);
	ck_assert_uint_eq(ha.n_prefixes, 1);
	ck_assert_uint_eq(ha.prefixes[0].prefix.plen, 64);
	ck_assert_uint_eq(ha.prefixes[0].valid_s, UINT32_MAX);
	ck_assert_uint_eq(ha.n_allowed, 0);
	ck_assert_uint_eq(ha.max_lifetime_s, 86400);
	ck_assert_uint_eq(ha.refresh_advice_s, 0);
	ck_assert_uint_eq(ha.max_bindings, 100000);
	ck_assert(ha.optimistic);
	ck_assert(!ha.require_ipsec);
	config_release(&c);
}
END_TEST

START_TEST(ha_values)
{
	struct mip6d_config c = good(HA_TEXT
		"home_addresses = ( \"2001:db8:1::9\", \"2001:db8:1::3\", \"2001:db8:1::5\" );\n"
		"max_lifetime = 600; refresh_advice = 300; max_bindings = 9; optimistic = false; "
		"};");
	struct ha_config ha;

	config_to_ha(&c, &ha);
	ck_assert_uint_eq(ha.n_allowed, 3);
	/* sorted, as ha.h wants it */
	for (size_t i = 1; i < ha.n_allowed; i++)
		ck_assert_int_lt(memcmp(&ha.allowed[i - 1], &ha.allowed[i], 16), 0);
	ck_assert_uint_eq(ha.max_lifetime_s, 600);
	ck_assert_uint_eq(ha.refresh_advice_s, 300);
	ck_assert_uint_eq(ha.max_bindings, 9);
	ck_assert(!ha.optimistic);
	config_release(&c);
}
END_TEST

START_TEST(mn_defaults)
{
	struct mip6d_config c = good(MN_TEXT "interfaces = ( \"wlan0\" ); };");
	struct mn_config mn;

	config_to_mn(&c, &mn);
	ck_assert_uint_eq(mn.n_interfaces, 1);
	ck_assert_int_eq(mn.interfaces[0].ifindex, 0);
	ck_assert_uint_eq(mn.lifetime_s, 600);
	ck_assert_int_eq(mn.uplink, MN_UPLINK_OPTIMISTIC);
	ck_assert(mn.optimistic_dad && !mn.eager && !mn.random_iid && !mn.require_ipsec);
	ck_assert_uint_eq(mn.hold_ms, 5000);
	ck_assert_str_eq(c.mobile_node.tunnel, "mip6mn0");
	ck_assert_uint_eq(c.mobile_node.table, 6275);
	config_release(&c);
}
END_TEST

START_TEST(mn_values)
{
	struct mip6d_config c = good(MN_TEXT "interfaces = ( { name = \"a\"; preference = 3; }, { "
					     "preference = 1000; name = \"b\"; } );\n"
					     "lifetime = 1200; uplink = \"cautious\"; "
					     "optimistic_dad = false; movement = \"eager\";\n"
					     "interface_id = \"random\"; hold = 0; };");
	struct mn_config mn;

	config_to_mn(&c, &mn);
	ck_assert_mem_eq(&mn.home_address, &(struct in6_addr[]){a6("2001:db8:1::100")}, 16);
	ck_assert_mem_eq(&mn.home_agent, &(struct in6_addr[]){a6("2001:db8:1::1000")}, 16);
	ck_assert_uint_eq(mn.home_prefix.plen, 64);
	ck_assert_uint_eq(mn.n_interfaces, 2);
	ck_assert_int_eq(mn.interfaces[0].preference, 3);
	ck_assert_int_eq(mn.interfaces[1].preference, 1000);
	ck_assert_str_eq(c.mobile_node.interfaces[1].name, "b");
	ck_assert_uint_eq(mn.lifetime_s, 1200);
	ck_assert_int_eq(mn.uplink, MN_UPLINK_CAUTIOUS);
	ck_assert(!mn.optimistic_dad && mn.eager && mn.random_iid);
	ck_assert_uint_eq(mn.hold_ms, 0);
	config_release(&c);
}
END_TEST

START_TEST(paths_survive_printing)
{
	struct mip6d_config
		c = good("state_file = \"/a \\\"b\\\" \\\\c \\x01 \\t\xc3\xa4\";\n" HA_TEXT "};"),
		again;
	char *once = printed(&c), *twice;

	again = good(once);
	ck_assert_str_eq(again.state_file, "/a \"b\" \\c \x01 \t\xc3\xa4");
	twice = printed(&again);
	ck_assert_str_eq(once, twice);
	free(once);
	free(twice);
	config_release(&c);
	config_release(&again);
}
END_TEST

START_TEST(lines_count_from_the_setting)
{
	const char *text = "# one\n\n/* three\nfour */ rolle = 1;\n";
	char *e = complaints(text, strlen(text));

	ck_assert_msg(
		strstr(e, "t:4: rolle: there is no such setting; did you mean role?"), "%s", e);
	free(e);
}
END_TEST

/* Nothing of a refused file is left, and what is wrong twice is said twice. */
START_TEST(all_at_once)
{
	const char *text = "role = \"home-agent\"; log_level = 5;\ncontrol = { sockets = 1; group "
			   "= \"\"; };\n";
	char *e = complaints(text, strlen(text));

	ck_assert(strstr(e, "log_level"));
	ck_assert(strstr(e, "sockets"));
	ck_assert(strstr(e, "control.group"));
	ck_assert(strstr(e, "needs a group  home_agent"));
	free(e);
}
END_TEST

START_TEST(number_of_complaints_is_bounded)
{
	struct config_errors e;
	struct mip6d_config c;
	char *text = NULL, name[32];
	size_t n;
	FILE *f = open_memstream(&text, &n);

	fputs(HA_TEXT, f);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "strange%d", i);
		fprintf(f, "%s = 1;\n", name);
	}
	fputs("};", f);
	fclose(f);
	ck_assert(!config_load_text("t", text, n, &c, &e));
	ck_assert_uint_eq(e.n, CONFIG_MAX_ERRORS);
	ck_assert_uint_eq(e.n + e.left_out, 1000);
	config_errors_release(&e);
	free(text);
}
END_TEST

/* A file that was cut off anywhere is refused. */
START_TEST(truncation)
{
	static const char text[] = HA_TEXT "home_addresses = ( \"2001:db8:1::9\" ); }";

	for (size_t n = 0; n < sizeof(text) - 1; n++)
		free(complaints(text, n));
}
END_TEST

/* Numbers that libconfig would wrap around to something harmless. */
START_TEST(numbers_do_not_wrap)
{
	static const char *const bad[] = {"4294967896", "4294967896L", "18446744073709552216",
		"0x100000258", "-4294966696", "1e3", "600.0", "6e", "0x", "+", "600LLL", "6OO"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char text[512];
		int n = snprintf(text, sizeof(text), HA_TEXT "max_lifetime = %s; };", bad[i]);

		free(complaints(text, (size_t)n));
	}
	for (int i = 0; i < 2; i++) {
		struct mip6d_config c = good(
			i ? HA_TEXT "max_lifetime = 600L; };" : HA_TEXT "max_lifetime = 0x258; };");

		ck_assert_uint_eq(c.home_agent.max_lifetime_s, 600);
		config_release(&c);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("config");
	TCase *t = tcase_create("config");
	SRunner *r = srunner_create(s);
	int failed;

	suite_add_tcase(s, t);
	tcase_add_test(t, ha_defaults);
	tcase_add_test(t, ha_values);
	tcase_add_test(t, mn_defaults);
	tcase_add_test(t, mn_values);
	tcase_add_test(t, paths_survive_printing);
	tcase_add_test(t, lines_count_from_the_setting);
	tcase_add_test(t, all_at_once);
	tcase_add_test(t, number_of_complaints_is_bounded);
	tcase_add_test(t, truncation);
	tcase_add_test(t, numbers_do_not_wrap);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
