/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The switch-over between the gateway's path and a session's, for spin.
 * Requirement V9; doc/vcm.md has the messages, vcm/node.h and vcm/manager.h
 * the machines that this is an abstraction of.
 *
 * Network: what has ever been sent may arrive at any time and any number of
 * times, in any order, or never: each message is a bit that stays set.  Data
 * is sent all the time by whatever `out` says.
 *
 * k counts sets of keys: generations of a session, and sessions.  Nodes and
 * manager may crash at any time; a node's kernel goes on with what it has.
 * A node that starts again has a new epoch, and takes nothing that was said
 * to the former one.  Time is not modelled: inbound SAs go by CLOSE alone
 * (without it they outlive every outbound, as lifetimes say).
 *
 * MUTANT breaks one rule each; the test wants spin to find every one:
 *	1 outbound is switched at the OFFER
 *	2 inbound is removed at END
 *	3 an END of an unknown session is not remembered
 *	4 CLOSE when only one has acknowledged END
 *	5 a restarted node keeps its outbound
 *	6 at a rekey CLOSE when one is switched
 */
#ifndef MUTANT
#define MUTANT 0
#endif
#ifndef K
#define K 2
#endif
#define AT(n, k) ((n) * K + (k))
#define SG 0 /* out: by the gateway, else k + 1 */

/* messages */
bool offer[2 * K], ready[2 * K], peer_ready[2 * K], switched[2 * K];
bool end[2 * K], end_acked[2 * K], down[2 * K], close[2 * K];

/* nodes */
bool inbound[2 * K]; /* kernel */
byte out[2]; /* kernel */
bool over[2 * K]; /* what a node remembers to be at its end */
bool taken[2 * K]; /* an OFFER acted on in this life */
byte least[2]; /* of the same session, older generations are never switched to again */
byte epoch[2];
bool dead[2];

/* manager */
byte next_k; /* the first one that was not offered */
bool ended[K], off[2 * K], rekeyed[K]; /* rekeyed: k + 1 is the next generation of the same session */
byte told[2 * K]; /* the epoch to which k was offered */
byte known[2]; /* the nodes' epochs as the manager knows them */

/* how much may go wrong */
byte crashes = 1, ends = 1, downs = 1, rekeys = 1;

#define VALID(n, k) (told[AT(n, k)] == epoch[n])

/* What is sent by a session can be opened by the other one. */
#define CAN_OPEN(n) (out[n] == SG || inbound[AT(1 - (n), out[n] - 1)])

#define FORGET(n, k) over[AT(n, k)] = false; taken[AT(n, k)] = false;

inline begin_life(n)
{
	dead[n] = false;
	epoch[n]++;
	least[n] = 0;
#if MUTANT != 5
	out[n] = SG;
#endif
	FORGET(n, 0)
	FORGET(n, 1)
#if K > 2
	FORGET(n, 2)
#endif
}

inline off_session(n, k)
{
	if :: out[n] == k + 1 -> out[n] = SG :: else fi
}

#define RAISE(n, k) if :: least[n] <= k -> least[n] = k + 1 :: else fi;
#if MUTANT == 1
#define AT_OFFER(n, k) out[n] = k + 1;
#else
#define AT_OFFER(n, k)
#endif
#if MUTANT == 2
#define AT_END(n, k) inbound[AT(n, k)] = false;
#else
#define AT_END(n, k)
#endif
#if MUTANT == 3
#define REMEMBER(n, k) if :: taken[AT(n, k)] -> over[AT(n, k)] = true :: else fi;
#else
#define REMEMBER(n, k) over[AT(n, k)] = true; RAISE(n, k)
#endif

/* What a node does about k. */
#define NODE(n, k) \
	:: atomic { !dead[n] && offer[AT(n, k)] && VALID(n, k) && !over[AT(n, k)] && !taken[AT(n, k)] -> \
		taken[AT(n, k)] = true; inbound[AT(n, k)] = true; AT_OFFER(n, k) ready[AT(n, k)] = true } \
	:: atomic { !dead[n] && peer_ready[AT(n, k)] && VALID(n, k) && taken[AT(n, k)] && !over[AT(n, k)] && least[n] <= k -> \
		out[n] = k + 1; least[n] = k + 1; switched[AT(n, k)] = true } \
	:: atomic { !dead[n] && end[AT(n, k)] && VALID(n, k) && !end_acked[AT(n, k)] -> \
		REMEMBER(n, k) off_session(n, k); AT_END(n, k) end_acked[AT(n, k)] = true } \
	:: atomic { !dead[n] && downs > 0 && taken[AT(n, k)] && !over[AT(n, k)] -> \
		downs--; over[AT(n, k)] = true; RAISE(n, k) off_session(n, k); down[AT(n, k)] = true } \
	:: atomic { !dead[n] && close[AT(n, k)] && VALID(n, k) && inbound[AT(n, k)] && out[n] != k + 1 -> \
		inbound[AT(n, k)] = false }

proctype node(byte n)
{
end_of_node:
	do
	:: atomic { dead[n] -> begin_life(n) }
	:: atomic { !dead[n] && crashes > 0 -> crashes--; dead[n] = true }
	NODE(n, 0)
	NODE(n, 1)
#if K > 2
	NODE(n, 2)
#endif
	od
}

/* All generations of a session end together. */
inline end_session(k)
{
	ended[k] = true; end[AT(0, k)] = true; end[AT(1, k)] = true;
	if
	:: k > 0 && rekeyed[k - 1] -> ended[k - 1] = true; end[AT(0, k - 1)] = true; end[AT(1, k - 1)] = true
	:: else
	fi
}

inline offer_next()
{
	offer[AT(0, next_k)] = true; offer[AT(1, next_k)] = true;
	told[AT(0, next_k)] = known[0]; told[AT(1, next_k)] = known[1];
	next_k++
}

#define RESTARTED(n, k) (told[AT(n, k)] != known[n])
#define IS_OFF(n, k) (end_acked[AT(n, k)] || down[AT(n, k)] || RESTARTED(n, k))
#if MUTANT == 4
#define BOTH_OFF(k) (off[AT(0, k)] || off[AT(1, k)])
#else
#define BOTH_OFF(k) (off[AT(0, k)] && off[AT(1, k)])
#endif
#if MUTANT == 6
#define BOTH_ACTIVE(k) (switched[AT(0, k)] || switched[AT(1, k)])
#else
#define BOTH_ACTIVE(k) (switched[AT(0, k)] && switched[AT(1, k)])
#endif

/* What the manager does about k and what n says of it. */
#define MANAGER(n, k) \
	:: atomic { k < next_k && !ended[k] && ready[AT(n, k)] && !peer_ready[AT(1 - n, k)] -> peer_ready[AT(1 - n, k)] = true } \
	:: atomic { k < next_k && ended[k] && !off[AT(n, k)] && IS_OFF(n, k) -> off[AT(n, k)] = true } \
	:: atomic { k < next_k && ended[k] && BOTH_OFF(k) && !close[AT(n, k)] -> close[AT(n, k)] = true } \
	:: atomic { k + 1 < next_k && rekeyed[k] && BOTH_ACTIVE((k + 1) % K) && !close[AT(n, k)] -> close[AT(n, k)] = true } \
	:: atomic { k < next_k && !ended[k] && (down[AT(n, k)] || RESTARTED(n, k)) -> \
		if :: rekeyed[k] -> end_session((k + 1) % K) :: else -> end_session(k) fi }

proctype manager()
{
end_of_manager:
	do
	/* a new session, when the last one has come to its end, or the next generation of it */
	:: atomic { next_k < K && (next_k == 0 || ended[(next_k + K - 1) % K]) -> offer_next() }
	:: atomic { rekeys > 0 && next_k > 0 && next_k < K && !ended[next_k - 1] &&
		switched[AT(0, next_k - 1)] && switched[AT(1, next_k - 1)] ->
		rekeys--; rekeyed[next_k - 1] = true; offer_next() }
	:: atomic { ends > 0 && next_k > 0 && !ended[next_k - 1] -> ends--; end_session(next_k - 1) }
	:: atomic { known[0] != epoch[0] -> known[0] = epoch[0] }
	:: atomic { known[1] != epoch[1] -> known[1] = epoch[1] }
	MANAGER(0, 0)
	MANAGER(1, 0)
	MANAGER(0, 1)
	MANAGER(1, 1)
#if K > 2
	MANAGER(0, 2)
	MANAGER(1, 2)
#endif
	od
}

/* Nothing is ever sent that the other cannot open; and where it comes to rest both go the same way. */
proctype witness()
{
	do
	:: atomic { !CAN_OPEN(0) || !CAN_OPEN(1) -> assert(false) }
	:: timeout -> assert(out[0] == out[1]); break
	od
}

init
{
	atomic {
		if :: crashes = 0 :: crashes = 1 fi;
		if :: ends = 0 :: ends = 1 fi;
		if :: downs = 0 :: downs = 1 fi;
		if :: rekeys = 0 :: rekeys = 1 fi;
		run node(0); run node(1); run manager(); run witness()
	}
}
