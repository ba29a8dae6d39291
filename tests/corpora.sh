#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file of each fuzz corpus once through its target.
top=${srcdir:-$(dirname "$0")/..}
bad=0
for target in mh icmp6 icmp6_error cn config control signal discovery manual vcm vcm_node vcmd vici xfrm; do
	program=$HOMEBOUND_BUILD/tests/fuzz/fuzz_$target
	[ -x "$program" ] || { echo "$program is not built"; exit 99; }
	"$program" "$top"/tests/fuzz/corpus/$target/* || { echo "corpus of $target failed"; bad=1; }
done
exit $bad
