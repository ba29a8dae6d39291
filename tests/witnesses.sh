#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Golden files of configuration and command line, the wire codec against scapy and tshark, vcmd in a network namespace.
top=${srcdir:-$(dirname "$0")/..}
case ${PYTEST:-:} in
:) echo 'pytest is not installed'; exit 77 ;;
esac
[ -x /usr/bin/python3 ] || exit 77
exec /usr/bin/python3 -B -m pytest -q -p no:cacheprovider "$top/tests/golden" "$top/tests/wire" "$top/tests/vcm"
