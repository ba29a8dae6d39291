# SPDX-License-Identifier: GPL-2.0-or-later
# Shared by ./demo and ./check: packages, build, lab kernel.  Sourced, not run.
# Each step says what it does, and costs next to nothing when already done.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
HOMEBOUND_BUILD=${HOMEBOUND_BUILD:-$top/build}
export HOMEBOUND_BUILD

packages_build="build-essential pkg-config autoconf automake libtool
	libnl-3-dev libnl-genl-3-dev libnl-route-3-dev libnl-xfrm-3-dev libnetfilter-queue-dev libmnl-dev
	libnftables-dev libssl-dev libconfig-dev libevent-dev libjansson-dev libcap-ng-dev liblmdb-dev uthash-dev check"
packages_lab="iproute2 nftables iputils-ping radvd tshark tcpdump iperf3 procps kmod
	python3 python3-cryptography python3-scapy python3-pytest python3-matplotlib
	strongswan-swanctl charon-systemd libcharon-extra-plugins strongswan-pki"
packages_kernel="linux-source-6.1 flex bison bc xz-utils"
packages_check="clang libclang-rt-14-dev man-db groff spin"

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$(printf '\033[1m') plain=$(printf '\033[0m')
else
	bold='' plain=''
fi

step() { printf '%s==> %s%s\n' "$bold" "$*" "$plain"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# Run a command with its output in a log; show the end of it when it fails.
quietly() { # LOG COMMAND...
	local log=$1; shift
	if ! "$@" >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		die "failed: $*  (all of it: $log)"
	fi
}

need_packages() { # PACKAGE...
	local p missing=''
	for p in "$@"; do
		case $(dpkg-query -W -f '${Status}' "$p" 2>/dev/null) in
		*' installed') ;;
		*) missing="$missing $p" ;;
		esac
	done
	[ -n "$missing" ] || return 0
	[ "$(id -u)" = 0 ] || die "these packages are missing, and only root can install them:$missing"
	step "installing packages:$missing"
	mkdir -p "$HOMEBOUND_BUILD"
	export DEBIAN_FRONTEND=noninteractive
	quietly "$HOMEBOUND_BUILD/packages.log" apt-get update
	case $missing in *charon-systemd*) no_service strongswan.service mask ;; esac
	# shellcheck disable=SC2086
	quietly "$HOMEBOUND_BUILD/packages.log" apt-get install -y --no-install-recommends $missing
	case $missing in *charon-systemd*) no_service strongswan.service unmask ;; esac
}

# The lab starts strongSwan itself; the package must not start one on this machine, neither now nor at the next boot.
no_service() { # UNIT mask|unmask
	[ -d /run/systemd/system ] || return 0
	systemctl --quiet --runtime "$2" "$1"
	[ "$2" = mask ] || systemctl --quiet disable "$1"
}

# Configure once and build what changed.  $1: folder; the rest goes to configure.
build_in() {
	local dir=$1; shift
	mkdir -p "$dir"
	if [ ! -x "$top/configure" ] || [ "$top/configure.ac" -nt "$top/configure" ] ||
		[ "$top/Makefile.am" -nt "$top/Makefile.in" ]; then
		step "preparing the build system"
		(cd "$top" && quietly "$dir/autoreconf.log" autoreconf -fi)
	fi
	if [ ! -f "$dir/Makefile" ] || [ "$top/configure" -nt "$dir/config.status" ]; then
		step "configuring in ${dir#"$top"/}"
		(cd "$dir" && quietly "$dir/configure.log" "$top/configure" --prefix=/usr --sysconfdir=/etc \
			--localstatedir=/var "$@")
	fi
	step "building in ${dir#"$top"/}"
	quietly "$dir/make.log" make -C "$dir" -j"$(nproc)"
}

# Can this kernel run the scenarios itself?
native_kernel() { "$top/lab/run" --native --probe >/dev/null 2>&1; }

lab_kernel() {
	step "lab kernel (three minutes the first time, then kept in the cache)"
	"$top/lab/kernel/build" || die "the lab kernel could not be built"
}
