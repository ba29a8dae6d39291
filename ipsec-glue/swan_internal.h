/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the manager of strongSwan's SAs share; see swan.h. */
#ifndef GLUE_SWAN_INTERNAL_H
#define GLUE_SWAN_INTERNAL_H

#include <stddef.h>
#include <uthash.h>

#include "ipsec-glue/swan.h"
#include "ipsec-glue/vici.h"

#define SWAN_SAS_MAX 8 /* of one child; a rekeying needs two */
#define SWAN_TEXT_MAX 320

struct swan_sa {
	uint32_t id, spi_in, spi_out;
	struct in6_addr local, remote;
	bool listed; /* by the list-sas under way */
};

/* A replaced SA: strongSwan still receives by it for some seconds (charon.delete_rekeyed_delay, 5). */
struct swan_old {
	uint32_t spi_in, spi_out;
	monotime_t until;
};

/* What a list-sas under way has said about the IKE_SAs of a child's connection. */
struct swan_ike {
	bool established, connecting; /* one that has the address it should have */
	uint32_t elsewhere; /* number of one that has another; 0: there is none */
	bool elsewhere_connecting;
};

struct swan_entry {
	struct swan_ref ref; /* by_use has home_address..use as key, by_name connection..child */
	struct swan *swan;
	struct swan_sa sas[SWAN_SAS_MAX]; /* the newest last */
	size_t n_sas;
	struct swan_old old[SWAN_SAS_MAX];
	size_t n_old;
	struct timer sweep;
	uint32_t told_in, told_out; /* to the owner */
	bool survived; /* what was told belongs to a strongSwan that is gone */
	bool found; /* in the configuration, by the list-conns under way or the last one */
	bool needed;
	bool ending; /* its IKE_SA is being terminated */
	bool sourced; /* care_of is known, and IKE has to use it */
	struct in6_addr care_of;
	monotime_t sourced_at;
	struct swan_ike ike;
	struct timer check; /* what it should be is compared with what it is */
	unsigned tries;
	char complaint[SWAN_TEXT_MAX]; /* the last one, which is not repeated */
	UT_hash_handle by_use, by_name;
};

#define SWAN_USE_KEYLEN (offsetof(struct swan_ref, use) + sizeof(enum ipsec_use))
#define SWAN_NAME_KEYLEN (2 * SWAN_NAME_MAX)

struct swan {
	char *path;
	struct timerq *timers;
	monotime_t (*now)(void *now_ctx);
	void *now_ctx;
	const struct swan_ops *ops;
	void *ctx;
	struct vici *vici; /* NULL: not connected */
	bool listed; /* connected, and all has been listed once */
	unsigned connect_tries;
	struct timer connect, recheck, flush;
	struct swan_entry *by_use, *by_name;
	struct swan_entry *
		checking; /* whose IKE_SAs a list-sas under way lists; NULL: all children are listed */
	size_t ending; /* IKE_SAs */
	struct swan_stats stats;
	char complaint[SWAN_TEXT_MAX];
};

struct swan_entry *swan_find_name(
	struct swan *s, struct vici_text connection, struct vici_text child);
/* About an entry, or about strongSwan itself.  Once, until something else is said about it. */
void swan_complain(struct swan_entry *e, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void swan_complain_of_all(struct swan *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void swan_start_in(struct swan *s, struct timer *t, int64_t ms);
/* Compare soon: in ms. */
void swan_check_in(struct swan_entry *e, int64_t ms);

/* swan_conns.c: an event of list-conns; afterwards: what has not been listed. */
void swan_conn_listed(struct swan *s, struct rbuf message);
void swan_conns_begin(struct swan *s);
/* False: something is missing. */
bool swan_conns_end(struct swan *s);

/* swan_sas.c: events; a list-sas of one entry or of all (NULL). */
void swan_child_updown(struct swan *s, struct rbuf message);
void swan_child_rekey(struct swan *s, struct rbuf message);
void swan_sa_listed(struct swan *s, struct rbuf message);
void swan_sas_begin(struct swan_entry *e);
void swan_sas_end(struct swan_entry *e);
void swan_sweep(struct timer *t, void *entry);
/* None of what was replaced is used any more; of_all: of what there is neither. */
void swan_sas_over(struct swan_entry *e, bool of_all);

#endif
