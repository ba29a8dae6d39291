/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol between mip6d and mip6ctl (or anything else that
 * speaks JSON).  Requirement U1.
 *
 * A stream socket in the file system.  A request is one line, a JSON object:
 *
 *     {"verb":"bindings","home_address":"2001:db8:1::100"}
 *
 * "verb" says what is wanted, the other members are its arguments; one that
 * the verb does not know is an error.  Requests may follow each other on one
 * connection; they are answered in their order.  An answer is one or more
 * lines, JSON objects:
 *
 *     {"ok":true,"data":...}                 the answer, or the last part of it
 *     {"ok":true,"data":[...],"more":true}   a part of a long list; more follow
 *     {"ok":false,"error":"no binding for 2001:db8:1::9"}
 *
 * Verbs:
 *
 *     status                    an object: role, version, uptime_s, and "home_agent" or "mobile_node"
 *     bindings [home_address]   home agent: a list of bindings, in no order
 *     links                     mobile node: a list of interfaces
 *     stats                     an object of counters, since the start
 *     monitor                   an empty answer, then a line for each event until the client
 *                               goes away: {"event":"binding-moved","time":"...",...}
 *     remove home_address       home agent: remove a binding; the data is the binding as it was
 *
 * Addresses are text as RFC 5952 wants it, left out where there is none.
 * Names ending in _s and _ms are seconds and milliseconds.  Members may be
 * added to objects in later versions; none changes its meaning.
 *
 * The daemon closes a connection that sends a line longer than
 * MIP6_CONTROL_MAX_REQUEST, that was silent for MIP6_CONTROL_IDLE_S, or that
 * does not read: of a monitor at most MIP6_CONTROL_MAX_BACKLOG octets wait.
 */
#ifndef MIP6_CONTROL_H
#define MIP6_CONTROL_H

#define MIP6_CONTROL_SOCKET "/run/mip6d/mip6d.sock"
#define VCMD_CONTROL_SOCKET "/run/vcmd/vcmd.sock" /* vcmd's verbs: vcm/vcmd_control.h */
#define MIP6_CONTROL_MAX_REQUEST 4096 /* octets, with the newline */
#define MIP6_CONTROL_MAX_CLIENTS 32
#define MIP6_CONTROL_IDLE_S 30 /* between requests; a monitor may be silent for ever */
#define MIP6_CONTROL_STALL_S 10 /* while an answer waits to be read */
#define MIP6_CONTROL_MAX_BACKLOG (1024 * 1024)

#endif
