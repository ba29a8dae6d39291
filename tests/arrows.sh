#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Dependencies point one way: include/mip6, lib <- common <- daemons; lib <- proto <- daemon; lib <- ipsec-glue <- sys <- daemon; lib <- vcm <- daemon, vcmd; ctl sees lib, configuration and algorithm.h only.
# Fails and names the line when an #include points back.
top=${srcdir:-$(dirname "$0")/..}
cd "$top" || exit 99
bad=0
forbid() { # FILES-PATTERN INCLUDE-PATTERN WHY
	files=$(ls $1 2>/dev/null)
	[ -n "$files" ] || { echo "arrows: no files match $1"; bad=1; return; }
	found=$(grep -nE "^#include \"($2)" $files)
	if [ -n "$found" ]; then
		echo "$found"
		echo "  ^ $3"
		bad=1
	fi
}
forbid 'lib/*.[ch]' 'common/|ipsec-glue/|vcm/|mip6d/|ctl/|tests/' 'lib must not know who uses it'
forbid 'common/*.[ch]' 'ipsec-glue/|vcm/|mip6d/|ctl/|tests/' 'what the daemons share does not know them'
forbid 'ipsec-glue/*.[ch]' 'common/|mip6d/|ctl/|tests/' 'the glue does not know which daemon uses it'
forbid 'mip6d/proto/*.[ch]' 'common/|mip6d/[a-z_]+\.h|mip6d/sys/|ipsec-glue/|ctl/|tests/' 'the protocol core knows lib and include/mip6 only'
forbid 'mip6d/sys/*.[ch]' 'mip6d/[a-z_]+\.h|mip6d/proto/|ctl/|tests/' 'the system side does not know the protocol core'
forbid 'vcm/[!v]*.[ch]' 'common/|ipsec-glue/|mip6d/|ctl/|tests/|vcm/vcmd' 'the protocol of the VCM knows lib and include/mip6 only'
forbid 'vcm/*.[ch]' 'mip6d/|ctl/|tests/' 'the VCM does not know mip6d'
forbid 'ctl/*.[ch]' 'ipsec-glue/([b-z]|a[a-km-z])|mip6d/proto/|mip6d/sys/|tests/' 'mip6ctl speaks to the daemon through its socket'
# No system calls in the core: none of their headers either.
if grep -nE '^#include <(sys/([^q]|q[^u])|unistd|event2|netlink|linux/|time\.h|fcntl)' mip6d/proto/*.[ch] vcm/[!v]*.[ch]; then
	echo '  ^ the protocol core makes no system calls'
	bad=1
fi
exit $bad
