#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The switch-over, model-checked: every order of two sets of keys has no fault, and each rule that is broken has one.
# No compiler changes that: in the second and third build of ./check it is skipped.
top=$(cd "${srcdir:-$(dirname "$0")/..}" && pwd)
[ "${HOMEBOUND_AGAIN:-no}" = no ] || exit 77
command -v spin >/dev/null && command -v gcc >/dev/null || exit 77
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
cp "$top/tests/model/switchover.pml" "$dir" && cd "$dir" || exit 99

check() { # MUTANT; leaves the verdict in pan.log
	spin -DK=2 -DMUTANT="$1" -a switchover.pml >spin.log 2>&1 || { cat spin.log; exit 99; }
	# Hash compaction: 64 bits of each state are remembered.
	gcc -O2 -w -DSAFETY -DHC4 -DMEMLIM=1000 -o pan pan.c || exit 99
	./pan -m20000 >pan.log 2>&1
}

bad=0
check 0
if ! grep -q 'errors: 0' pan.log || grep -qE 'max search depth too small|out of memory|reached -DMEMLIM' pan.log; then
	cat pan.log
	echo "the model has a fault: spin -t -p shows the way to it"
	bad=1
fi
grep 'states, stored' pan.log
for mutant in 1 2 3 4 5 6; do
	check $mutant
	grep -q 'errors: 1' pan.log || { echo "mutant $mutant has no fault: the model does not see it"; bad=1; }
done
exit $bad
