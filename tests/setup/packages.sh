#!/bin/sh
# Installs the Debian packages that the named groups need and this machine lacks, and says
# which.  Prometheus and the DNS servers are only unpacked, into the cache: installed, they
# would run as services from then on.  With nothing missing it is silent and needs neither root nor network.
# shellcheck disable=SC2016,SC2086 # dpkg-query expands its format; lists of words are split
set -eu

packages_of() {
	case $1 in
	# libc6-dev is only a recommendation of gcc's, and those are not installed.
	build) echo gcc libc6-dev make pkg-config libmicrohttpd-dev libgnutls28-dev libjansson-dev libyaml-dev \
		nettle-dev libcurl4-openssl-dev libc-ares-dev libidn2-dev libsqlite3-dev libcmocka-dev ;;
	demo) echo python3 ;;
	clang) echo clang libclang-rt-14-dev ;;
	lint) echo clang-format cppcheck ;;
	model) echo spin python3 ;;
	fresh) echo mmdebstrap ;;
	shells) echo bash zsh fish ;;
	packages) echo debhelper fakeroot lintian systemd ;;
	installer) echo wixl msitools faketime ;;
	manual) echo python3 mandoc groff-base ;;
	check) echo python3 python3-pytest python3-pytest-xdist python3-yaml curl openssl \
		valgrind libc6-dbg \
		libknot13 libdnssec9 libzscanner4 libedit2 libcap-ng0 liblmdb0 liburcu8 \
		libevent-2.1-7 libnghttp2-14 libprotobuf-c1 libpython3.11 \
		"$(command -v npm >/dev/null || echo nodejs npm)" ;;
	windows) echo gcc-mingw-w64-x86-64 gcc libc6-dev make cmake autoconf automake libtool \
		m4 tcl pkg-config dpkg-dev xz-utils ;;
	wine) echo wine64 wine ;;
	bench) echo python3 wrk curl iproute2 ;;
	*) return 1 ;;
	esac
}

cache=$(readlink -m "${POOLCTL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/poolctl}")
unpacked='prometheus knot unbound'
wanted=
to_unpack=
for group; do
	list=$(packages_of "$group") || {
		echo "$0: no group '$group': build clang demo lint model check fresh shells manual" \
			packages installer windows wine bench >&2
		exit 2
	}
	wanted="$wanted $list"
	[ "$group" = check ] || continue
	for package in $unpacked; do
		[ -d "$cache/$package" ] || to_unpack="$to_unpack $package"
	done
done

# dpkg-query fails when it does not know a package: that one is missing.
installed=" $(dpkg-query -W -f '${db:Status-Status}:${Package} ' $wanted 2>/dev/null || :)"
missing=
for package in $wanted; do
	case "$installed$missing " in
	*" installed:$package "* | *" $package "*) ;;
	*) missing="$missing $package" ;;
	esac
done
[ "$missing$to_unpack" ] || exit 0

# With make -j several of these may run at once: the second waits, and looks again.
[ "${SETUP_ALONE-}" ] || SETUP_ALONE=1 exec flock "$0" "$0" "$@"

sudo=
[ "$(id -u)" = 0 ] || sudo='sudo -n'
[ -z "$missing" ] || $sudo true 2>/dev/null || {
	echo "packages are missing; as root, run: apt-get install$missing" >&2
	exit 1
}
apt() {
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=600 "$@" 2>&1
}
# The libraries that their programs need are among the packages above.
unpack() {
	work=$(mktemp -d "$cache/unpacking.XXXXXX")
	(cd "$work" && apt-get -q download "$1" && dpkg-deb -x "$1"_*.deb tree) 2>&1 &&
		mv -T "$work/tree" "$cache/$1" 2>/dev/null
	rm -rf "$work"
	# Another run may have been faster.
	[ -d "$cache/$1" ]
}

# The update may fail for a source that does not matter here; whether the install works does.
updated=$(apt update) || :
if [ "$missing" ]; then
	echo "installing:$missing"
	installed=$(apt install -y --no-install-recommends $missing) || {
		printf '%s\n' "$updated" "$installed" >&2
		exit 1
	}
fi
if [ "$to_unpack" ]; then
	echo "unpacking:$to_unpack into $cache"
	mkdir -p "$cache"
	for package in $to_unpack; do
		# The tests that need it say so, and are skipped.
		output=$(unpack "$package") || printf '%s\n' "$updated" "$output" >&2
	done
fi
