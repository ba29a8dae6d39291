/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sender without a glue: lines on standard input make a plan, "go"
 * carries it out, and what the kernel then has is printed.  Answers are "ok
 * WORD" or "error WORD ...", what comes of its own accord is "event ...".
 *
 *   sa SRC DST SPI REQID transport|tunnel ALGORITHM [esn] [window=N] [sent=N]
 *      [received=N] [hard_packets=N] [soft_packets=N] [hard_s=N]
 *   limits (the same)        sa-del, stop, skip DST SPI REQID SRC
 *   policy, policy-del in|out|fwd SRC DST PROTO TYPE PRIORITY allow|block [PROTO,MODE,REQID,SRC,DST[,?] ...]
 *   ro PROTO SRC DST CARE-OF   ro-del PROTO SRC DST   wildcard PROTO
 *   migrate in|out|fwd SRC DST PROTO REQID MODE OLD-SRC OLD-DST NEW-SRC NEW-DST [LOCAL REMOTE]
 *   pause, resume ADDRESS   may-fail (the operation before)
 *   go   sas   show   events   quit
 *
 * And the glue, whose SAs are an IKE daemon's:
 *
 *   glue ha|mn HOME-ADDRESS HOME-AGENT ...   bind, unbind HOME-ADDRESS HOME-AGENT [CARE-OF]
 *   look (reads events and mends)   check   mend   settle   stats   glue-end keep|remove
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ipsec-glue/algorithm.h"
#include "ipsec-glue/glue.h"
#include "ipsec-glue/kernel_events.h"
#include "ipsec-glue/sender.h"
#include "ipsec-glue/snapshot.h"

#define MAX_WORDS 24

struct drive {
	struct ipsec_sender *sender;
	struct ipsec_kernel_events *events;
	struct ipsec_plan plan;
	bool pause_fails;
	struct ipsec_glue *glue;
};

static struct in6_addr address(const char *w)
{
	struct in6_addr a = IN6ADDR_ANY_INIT;

	if (!w || inet_pton(AF_INET6, w, &a) != 1)
		a = in6addr_any;
	return a;
}

static uint32_t number(const char *w)
{
	return w ? (uint32_t)strtoul(w, NULL, 0) : 0;
}

static uint8_t protocol(const char *w)
{
	static const struct {
		const char *name;
		uint8_t n;
	} names[] = {{"any", 0}, {"udp", 17}, {"mh", 135}, {"icmp6", 58}, {"esp", 50}, {"hao", 60}, {"route2", 43}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i].name, w) == 0)
			return names[i].n;
	return (uint8_t)number(w);
}

static enum ipsec_mode mode(const char *w)
{
	return strcmp(w, "ro") == 0 ? IPSEC_RO : strcmp(w, "tunnel") == 0 ? IPSEC_TUNNEL : IPSEC_TRANSPORT;
}

static enum ipsec_dir direction(const char *w)
{
	return strcmp(w, "in") == 0 ? IPSEC_IN : strcmp(w, "out") == 0 ? IPSEC_OUT : IPSEC_FWD;
}

/* ---- operations ---- */

static void option(struct ipsec_sa *sa, const char *w)
{
	const char *value = strchr(w, '=') ? strchr(w, '=') + 1 : "";
	uint64_t n = strtoull(value, NULL, 0);

	if (strcmp(w, "esn") == 0)
		sa->esn = true;
	else if (strncmp(w, "window=", 7) == 0)
		sa->replay_window = (uint32_t)n;
	else if (strncmp(w, "sent=", 5) == 0)
		sa->sent = n;
	else if (strncmp(w, "received=", 9) == 0)
		sa->received = n;
	else if (strncmp(w, "hard_packets=", 13) == 0)
		sa->hard_packets = n;
	else if (strncmp(w, "soft_packets=", 13) == 0)
		sa->soft_packets = n;
	else if (strncmp(w, "hard_s=", 7) == 0)
		sa->hard_s = n;
}

/* Keys of the right length, octet i of SPI s is s + i. */
static void add_sa(struct drive *d, enum ipsec_op_type type, char **w)
{
	struct ipsec_op *op = ipsec_plan_add(&d->plan, type);

	op->sa = (struct ipsec_sa){.src = address(w[0]),
		.dst = address(w[1]),
		.spi = number(w[2]),
		.reqid = number(w[3]),
		.mode = mode(w[4]),
		.algorithm = ipsec_algorithm_find(w[5])};
	op->sa.key.len = op->sa.algorithm ? ipsec_algorithm_key_len(op->sa.algorithm) : 0;
	for (size_t i = 0; i < op->sa.key.len; i++)
		op->sa.key.octets[i] = (uint8_t)(op->sa.spi + i);
	for (int i = 6; w[i]; i++)
		option(&op->sa, w[i]);
}

static void name_sa(struct drive *d, enum ipsec_op_type type, char **w)
{
	struct ipsec_op *op = ipsec_plan_add(&d->plan, type);

	op->sa.dst = address(w[0]);
	op->sa.spi = number(w[1]);
	op->sa.reqid = number(w[2]);
	op->sa.src = address(w[3]);
}

static struct ipsec_selector selector(char **w)
{
	struct ipsec_selector s = {.proto = protocol(w[2]), .type = (int16_t)atoi(w[3])};
	bool four = strchr(w[0], '.');

	s.family = four ? AF_INET : AF_INET6;
	if (four) {
		s.src.plen = s.dst.plen = 32;
		inet_pton(AF_INET, w[0], &s.src.addr);
		inet_pton(AF_INET, w[1], &s.dst.addr);
	} else if (!ip6_prefix_parse(w[0], &s.src) || !ip6_prefix_parse(w[1], &s.dst)) {
		printf("error selector: %s %s\n", w[0], w[1]);
	}
	return s;
}

static void template(struct ipsec_policy *p, const char *text)
{
	char proto[16], m[16], src[48], dst[48], level[4] = "";
	struct ipsec_template *t = &p->templates[p->n_templates++];
	unsigned reqid;

	if (sscanf(text, "%15[^,],%15[^,],%u,%47[^,],%47[^,],%3s", proto, m, &reqid, src, dst, level) < 5)
		printf("error template: %s\n", text);
	*t = (struct ipsec_template){.proto = protocol(proto),
		.mode = mode(m),
		.reqid = reqid,
		.src = address(src),
		.dst = address(dst),
		.optional = level[0] == '?'};
}

static void add_policy(struct drive *d, enum ipsec_op_type type, char **w)
{
	struct ipsec_op *op = ipsec_plan_add(&d->plan, type);

	op->policy.dir = direction(w[0]);
	op->policy.sel = selector(w + 1);
	if (type == IPSEC_POLICY_DEL)
		return;
	op->policy.priority = number(w[5]);
	op->policy.block = strcmp(w[6], "block") == 0;
	for (int i = 7; w[i]; i++)
		template(&op->policy, w[i]);
}

static void add_ro(struct drive *d, enum ipsec_op_type type, char **w, bool wildcard)
{
	struct ipsec_op *op = ipsec_plan_add(&d->plan, type);

	op->ro = (struct ipsec_ro){.proto = protocol(w[0]), .wildcard = wildcard};
	if (wildcard)
		return;
	op->ro.src = address(w[1]);
	op->ro.dst = address(w[2]);
	op->ro.care_of = address(w[3]);
}

static void add_migrate(struct drive *d, char **w)
{
	struct ipsec_op *op = ipsec_plan_add(&d->plan, IPSEC_MIGRATE);
	char *sel[] = {w[1], w[2], w[3], "-1"};

	op->migrate = (struct ipsec_migrate){.dir = direction(w[0]),
		.sel = selector(sel),
		.reqid = number(w[4]),
		.mode = mode(w[5]),
		.old_src = address(w[6]),
		.old_dst = address(w[7]),
		.new_src = address(w[8]),
		.new_dst = address(w[9]),
		.tell = w[10],
		.local = address(w[10]),
		.remote = address(w[10] ? w[11] : NULL)};
}

static bool add_op(struct drive *d, char **w)
{
	if (strcmp(w[0], "sa") == 0)
		add_sa(d, IPSEC_SA_ADD, w + 1);
	else if (strcmp(w[0], "limits") == 0)
		add_sa(d, IPSEC_SA_LIMITS, w + 1);
	else if (strcmp(w[0], "sa-del") == 0)
		name_sa(d, IPSEC_SA_DEL, w + 1);
	else if (strcmp(w[0], "stop") == 0)
		name_sa(d, IPSEC_SA_STOP, w + 1);
	else if (strcmp(w[0], "skip") == 0)
		name_sa(d, IPSEC_SA_SKIP, w + 1);
	else if (strcmp(w[0], "policy") == 0)
		add_policy(d, IPSEC_POLICY_SET, w + 1);
	else if (strcmp(w[0], "policy-del") == 0)
		add_policy(d, IPSEC_POLICY_DEL, w + 1);
	else if (strcmp(w[0], "ro") == 0)
		add_ro(d, IPSEC_RO_SET, w + 1, false);
	else if (strcmp(w[0], "ro-del") == 0)
		add_ro(d, IPSEC_RO_DEL, w + 1, false);
	else if (strcmp(w[0], "wildcard") == 0)
		add_ro(d, IPSEC_RO_SET, w + 1, true);
	else if (strcmp(w[0], "migrate") == 0)
		add_migrate(d, w + 1);
	else if (strcmp(w[0], "pause") == 0)
		ipsec_plan_add(&d->plan, IPSEC_PAUSE)->pause = address(w[1]);
	else if (strcmp(w[0], "resume") == 0)
		ipsec_plan_add(&d->plan, IPSEC_RESUME)->pause = address(w[1]);
	else if (strcmp(w[0], "may-fail") == 0)
		d->plan.ops[d->plan.n - 1].may_fail = true;
	else
		return false;
	return true;
}

/* ---- what there is ---- */

static int print_sa(void *arg, const struct ipsec_sa_info *i)
{
	const struct ipsec_sa *sa = &i->sa;

	(void)arg;
	printf("event sa %s ", in6_str(&sa->src));
	printf("%s spi 0x%x reqid %u %s %s%s window %u sent %llu received %llu hard_packets %llu packets %llu\n",
		in6_str(&sa->dst), sa->spi, sa->reqid, sa->mode == IPSEC_TUNNEL ? "tunnel" : "transport",
		sa->algorithm ? sa->algorithm->name : "?", sa->esn ? " esn" : "", sa->replay_window,
		(unsigned long long)sa->sent, (unsigned long long)sa->received,
		(unsigned long long)sa->hard_packets, (unsigned long long)i->packets);
	return 0;
}

static void print_policy(const struct ipsec_policy *p)
{
	printf("event policy %s %s/%u ", p->dir == IPSEC_IN ? "in" : p->dir == IPSEC_OUT ? "out" : "fwd",
		in6_str(&p->sel.src.addr), p->sel.src.plen);
	printf("%s/%u proto %u type %d priority %u %s", in6_str(&p->sel.dst.addr), p->sel.dst.plen,
		p->sel.proto, p->sel.type, p->priority, p->block ? "block" : "allow");
	for (size_t i = 0; i < p->n_templates; i++) {
		const struct ipsec_template *t = &p->templates[i];

		printf(" [%u %d %u %s", t->proto, t->mode, t->reqid, in6_str(&t->src));
		printf(" %s%s]", in6_str(&t->dst), t->optional ? " ?" : "");
	}
	puts("");
}

static int show(struct drive *d)
{
	struct ipsec_snapshot s;
	int err = ipsec_sender_snapshot(d->sender, &s);

	for (size_t i = 0; i < s.n_sas; i++)
		print_sa(NULL, &s.sas[i]);
	for (size_t i = 0; i < s.n_policies; i++)
		print_policy(&s.policies[i]);
	for (size_t i = 0; i < s.n_ros; i++) {
		printf("event ro %u %s ", s.ros[i].proto, in6_str(&s.ros[i].src));
		printf("%s ", in6_str(&s.ros[i].dst));
		printf("%s%s\n", in6_str(&s.ros[i].care_of), s.ros[i].wildcard ? " wildcard" : "");
	}
	ipsec_snapshot_free(&s);
	return err;
}

static void print_event(void *arg, const struct ipsec_event *e)
{
	static const char *const names[] = {
		"acquire", "expire", "mapping", "migrate", "sa-gone", "policy-gone", "flushed", "lost"};

	(void)arg;
	printf("event kernel %s %s ", names[e->type], in6_str(&e->src));
	printf("%s spi 0x%x reqid %u proto %u hard %d dir %d sel %s ", in6_str(&e->dst), e->spi, e->reqid,
		e->proto, e->hard, e->dir, in6_str(&e->sel.src.addr));
	printf("%s\n", in6_str(&e->sel.dst.addr));
}

static int pause_fn(void *ctx, const struct in6_addr *home_address, bool on)
{
	const struct drive *d = ctx;

	printf("event %s %s\n", on ? "pause" : "resume", in6_str(home_address));
	return !on && d->pause_fails ? -5 : 0;
}

/* ---- the glue ---- */

static void notice(void *ctx, const struct in6_addr *home_address, const char *text)
{
	(void)ctx;
	printf("event notice %s %s\n", in6_str(home_address), text);
}

static void needed(void *ctx, const struct in6_addr *home_address, const struct in6_addr *home_agent, enum ipsec_use use)
{
	(void)ctx;
	printf("event needed %s ", in6_str(home_address));
	printf("%s %s\n", in6_str(home_agent), use == IPSEC_DATA ? "data" : "signal");
}

static void difference(void *arg, const char *text)
{
	(void)arg;
	printf("event difference %s\n", text);
}

static const struct ipsec_glue_ops glue_ops = {.notice = notice, .needed = needed};

/* Nodes have reqids 2n + 1 and 2n + 2. */
static int open_glue(struct drive *d, char **w)
{
	const struct ipsec_glue_config c = {
		.at_home_agent = strcmp(w[0], "ha") == 0, .manager = IPSEC_STRONGSWAN, .payload = true};
	char why[200];
	int err = 0;

	d->glue = ipsec_glue_open(&c, &glue_ops, d, why, sizeof(why));
	if (!d->glue)
		return -5;
	for (uint32_t i = 0; w[1 + 2 * i] && !err; i++) {
		struct ipsec_glue_node n = {.home_address = address(w[1 + 2 * i]),
			.home_agent = address(w[2 + 2 * i]),
			.reqid = {2 * i + 1, 2 * i + 2}};

		err = ipsec_glue_add(d->glue, &n);
	}
	return err;
}

static int glue_command(struct drive *d, char **w)
{
	struct in6_addr a = address(w[1]), b = address(w[1] ? w[2] : NULL);
	struct in6_addr c = address(w[1] && w[2] ? w[3] : NULL);
	struct ipsec_glue_stats s;

	if (strcmp(w[0], "bind") == 0)
		return ipsec_glue_bind(d->glue, &a, &b, &c);
	if (strcmp(w[0], "unbind") == 0)
		return ipsec_glue_unbind(d->glue, &a, &b);
	if (strcmp(w[0], "look") == 0)
		ipsec_glue_read(d->glue);
	else if (strcmp(w[0], "check") == 0)
		printf("event differences %d\n", ipsec_glue_check(d->glue, difference, NULL));
	else if (strcmp(w[0], "mend") == 0)
		printf("event differences %d\n", ipsec_glue_mend(d->glue, difference, NULL));
	else if (strcmp(w[0], "settle") == 0)
		return ipsec_glue_settle(d->glue);
	else if (strcmp(w[0], "glue-end") == 0)
		ipsec_glue_close(d->glue, strcmp(w[1], "remove") == 0);
	else
		return -22;
	if (strcmp(w[0], "glue-end") == 0) {
		d->glue = NULL;
		return 0;
	}
	ipsec_glue_stats(d->glue, &s);
	printf("event stats mended %llu acquires %llu\n", (unsigned long long)s.mended, (unsigned long long)s.acquires);
	return 0;
}

/* ---- commands ---- */

static void go(struct drive *d)
{
	struct ipsec_failure f;
	int err = ipsec_sender_do(d->sender, &d->plan, &f);

	if (err)
		printf("error go: op %zu %s %d %s\n", f.op, ipsec_op_name(d->plan.ops[f.op].type), err, f.why);
	else
		puts("ok go");
	ipsec_plan_free(&d->plan);
}

static bool command(struct drive *d, char **w)
{
	int err = 0;

	if (strcmp(w[0], "quit") == 0)
		return false;
	if (strcmp(w[0], "go") == 0) {
		go(d);
		return true;
	}
	if (strcmp(w[0], "show") == 0)
		err = show(d);
	else if (strcmp(w[0], "sas") == 0)
		err = ipsec_sender_walk(d->sender, print_sa, NULL);
	else if (strcmp(w[0], "events") == 0)
		ipsec_kernel_events_read(d->events, ipsec_sender_port(d->sender), print_event, NULL);
	else if (strcmp(w[0], "pause-fails") == 0)
		d->pause_fails = true;
	else if (strcmp(w[0], "glue") == 0)
		err = open_glue(d, w + 1);
	else if (!add_op(d, w))
		err = d->glue ? glue_command(d, w) : -22;
	printf("%s %s %d\n", err ? "error" : "ok", w[0], err);
	return true;
}

int main(void)
{
	struct drive d = {0};
	char line[4096], *w[MAX_WORDS + 1];
	bool on = true;
	int err;

	setvbuf(stdout, NULL, _IOLBF, 0);
	d.events = ipsec_kernel_events_open(&err);
	d.sender = d.events ? ipsec_sender_open(&err) : NULL;
	if (!d.sender) {
		printf("error start: %s\n", strerror(-err));
		return 1;
	}
	ipsec_sender_pauses(d.sender, pause_fn, &d);
	puts("ok start");
	while (on && fgets(line, sizeof(line), stdin)) {
		size_t n = 0;

		for (char *p = strtok(line, " \n"); p && n < MAX_WORDS; p = strtok(NULL, " \n"))
			w[n++] = p;
		w[n] = NULL;
		if (n)
			on = command(&d, w);
	}
	ipsec_plan_free(&d.plan);
	ipsec_sender_close(d.sender);
	ipsec_kernel_events_close(d.events);
	puts("ok end");
	return 0;
}
