#!/bin/sh
# Builds the libraries the Windows programs link with: static, x86_64, from Debian's source
# packages.  Prints the folder that holds include/, lib/ and lib/pkgconfig as its last line;
# the file "versions" in it says what was built.
#
# The result is kept outside the checkout.  Its name has two hashes: of this script and the
# compiler, and of the versions that the machine's mirror offers, as apt's lists know them.
# So this needs no network to find it, an update in the mirror reaches the Windows build, and
# what else is installed here does not matter.  Where apt has no lists, the newest build of
# this script and compiler is taken.
set -eu
export LC_ALL=C

host=x86_64-w64-mingw32
cache=$(readlink -m "${POOLCTL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/poolctl}")
mkdir -p "$cache"

compiler=$($host-gcc --version && dpkg-query -W mingw-w64-x86-64-dev)
ours=$cache/windows-$(echo "$compiler" | cat "$0" - | sha256sum | cut -c1-12)

# Each of the first three is needed by the next.
set -- gmp nettle gnutls28 libmicrohttpd jansson libyaml c-ares curl sqlite3 cmocka

# A binary package of each source, whose version is the source's.  apt takes a second for it,
# so the answer is kept until the lists change.  What is only installed has no Filename.
offered=$ours.offered
if [ -z "$(find "$offered" -newer /var/lib/apt/lists 2>/dev/null)" ]; then
	apt-cache show --no-all-versions libgmp10 libnettle8 libgnutls30 libmicrohttpd-dev \
		libjansson-dev libyaml-dev libc-ares-dev libcurl4-openssl-dev libsqlite3-dev \
		libcmocka-dev 2>/dev/null | awk '
		/^Package:/ { name = $2; version = "" }
		/^Source:/ { name = $2; version = $3; gsub(/[()]/, "", version) }
		/^Version:/ && !version { version = $2 }
		/^Filename:/ { print name, version }' | sort >"$offered.$$"
	mv "$offered.$$" "$offered"
fi

# folder_of FILE: where a build of these versions is kept.
folder_of() {
	echo "$ours-$(sha256sum <"$1" | cut -c1-12)"
}

# Prints the folder and ends, if it is there.
use_if_built() {
	if [ "$(wc -l <"$offered")" = $# ]; then
		prefix=$(folder_of "$offered")
	else
		# shellcheck disable=SC2012 # the names are ours
		prefix=$(ls -td "$ours"-*/ 2>/dev/null | head -n 1)
		prefix=${prefix%/}
	fi
	[ -d "$prefix" ] || return 0
	echo "$prefix"
	exit
}
use_if_built "$@"

# Whoever comes second waits here, and then finds the work done.
exec 9>"$cache/windows.lock"
flock -n 9 || {
	echo "waiting for another build of the Windows libraries" >&2
	flock 9
}
use_if_built "$@"

# An interrupted build leaves only this folder, and the next one starts by removing it.
work=$cache/windows-building
stage=$work/prefix
log=$stage/log
rm -rf "$work"
mkdir -p "$work/apt/lists/partial" "$work/apt/archives/partial" "$work/src" "$log"

# Of pkg-config's answers only ours are wanted, and nothing of the make that calls this.
unset MAKEFLAGS MFLAGS CC CFLAGS LDFLAGS
export PKG_CONFIG_LIBDIR="$stage/lib/pkgconfig" CPPFLAGS="-I$stage/include"

# run LOG COMMAND...: the output goes to the log, and its end to the user if that fails.
# Not 'if ! COMMAND': there the shell would ignore failures inside the command.
run() {
	logfile=$log/$1.log
	shift
	set +e
	(set -e; "$@") >"$logfile" 2>&1
	status=$?
	set -e
	[ $status = 0 ] && return
	tail -n 40 "$logfile" >&2
	echo "failed; the whole log is $logfile" >&2
	exit 1
}

# The sources come from the mirrors this machine already has for Debian itself, through an
# apt that keeps everything in the work folder, so this needs no root and changes nothing.
fetch() {
	cat >"$work/apt.conf" <<-END
		Dir::State "$work/apt";
		Dir::State::status "/var/lib/dpkg/status";
		Dir::Cache "$work/apt";
		Dir::Etc::sourcelist "$work/sources.list";
		Dir::Etc::sourceparts "-";
		APT::Sandbox::User "root";
	END
	# shellcheck disable=SC2016 # apt expands these
	apt-get indextargets --format 'deb-src $(REPO_URI) $(RELEASE) $(COMPONENT)' \
		'Created-By: Packages' 'Origin: Debian' | sort -u >"$work/sources.list"
	if ! [ -s "$work/sources.list" ]; then
		echo "apt has no package lists of Debian: run 'apt-get update' as root first"
		return 1
	fi
	export APT_CONFIG="$work/apt.conf"
	apt-get -q update
	cd "$work/src"
	apt-get -q source --only-source "$@"
}

configure() {
	PKG_CONFIG='pkg-config --static' ./configure --host=$host --prefix="$stage" \
		--libdir="$stage/lib" --disable-shared --enable-static CFLAGS=-O2 \
		LDFLAGS="-L$stage/lib" "$@"
	make -j"$(nproc)"
	make install
}

cmake_build() {
	cmake -S . -B build -DCMAKE_SYSTEM_NAME=Windows -DCMAKE_C_COMPILER=$host-gcc \
		-DCMAKE_RC_COMPILER=$host-windres -DCMAKE_BUILD_TYPE=Release \
		-DCMAKE_INSTALL_PREFIX="$stage" -DCMAKE_FIND_ROOT_PATH="$stage" \
		-DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY \
		-DBUILD_SHARED_LIBS=OFF "$@"
	cmake --build build -j"$(nproc)"
	cmake --install build
}

# build NAME, in the root of its source tree
build() {
	case $1 in
	gmp) # Debian removed doc/ for its licence, and configure insists on it.
		mkdir -p doc
		printf 'all install:\n' >doc/Makefile.in
		configure ;;
	nettle) configure --disable-openssl --disable-documentation ;;
	gnutls28) configure --with-included-libtasn1 --with-included-unistring --without-p11-kit \
		--without-idn --without-brotli --without-zstd --without-zlib --without-tpm \
		--without-tpm2 --disable-libdane --disable-guile --disable-tools --disable-tests \
		--disable-doc --disable-cxx --disable-nls --enable-threads=windows ;;
	libmicrohttpd) # The define keeps gnutls.h from importing gnutls_malloc from a DLL.
		configure --enable-https=yes --disable-doc --disable-examples --disable-curl \
			GNUTLS_LIBS="$(pkg-config --static --libs gnutls)" \
			CPPFLAGS="$CPPFLAGS -DGNUTLS_INTERNAL_BUILD" ;;
	jansson) cmake_build -DJANSSON_BUILD_DOCS=OFF -DJANSSON_WITHOUT_TESTS=ON \
		-DJANSSON_EXAMPLES=OFF ;;
	libyaml)
		autoreconf -fi
		configure ;;
	c-ares) # A fix that Debian backported uses INADDRSZ, which Windows' headers lack.
		cmake_build -DCARES_STATIC=ON -DCARES_SHARED=OFF -DCARES_BUILD_TOOLS=OFF \
			-DCMAKE_C_FLAGS=-DINADDRSZ=4 ;;
	curl) # Schannel is Windows' own TLS, and brings the certificate store.
		cmake_build -DCURL_USE_SCHANNEL=ON -DHTTP_ONLY=ON -DBUILD_CURL_EXE=OFF \
			-DBUILD_TESTING=OFF -DENABLE_MANUAL=OFF -DCURL_ZLIB=OFF
		sed -i 's/^Cflags:.*/& -DCURL_STATICLIB/' "$stage/lib/pkgconfig/libcurl.pc" ;;
	sqlite3) # Its makefile writes the amalgamation with tools built for this machine.
		./configure --prefix="$stage" --disable-tcl
		make sqlite3.c
		$host-gcc -O2 -DSQLITE_THREADSAFE=1 -DSQLITE_OMIT_LOAD_EXTENSION \
			-DSQLITE_DQS=0 -c sqlite3.c -o sqlite3-windows.o
		$host-ar rcs "$stage/lib/libsqlite3.a" sqlite3-windows.o
		cp sqlite3.h "$stage/include"
		sed '/^Libs.private/d' sqlite3.pc >"$stage/lib/pkgconfig/sqlite3.pc" ;;
	cmocka) # It always makes a DLL too, and gives that the better name.
		cmake_build -DWITH_STATIC_LIB=ON -DWITH_EXAMPLES=OFF
		mv "$stage/lib/libcmocka-static.a" "$stage/lib/libcmocka.a" ;;
	esac
}

echo "fetching the sources" >&2
run fetch fetch "$@"
for name; do
	cd "$work/src/$name"-*/
	echo "$name $(dpkg-parsechangelog -S Version)"
done | sort >"$stage/versions"

# The mirror may be ahead of apt's lists.
built=$(folder_of "$stage/versions")
if ! [ -d "$built" ]; then
	for name; do
		echo "building $(grep "^$name " "$stage/versions")" >&2
		cd "$work/src/$name"-*/
		run "$name" build "$name"
	done

	# The folder is about to move, so the .pc files name it relative to themselves.
	cd "$stage"
	rm -rf bin share cmake lib/cmake lib/*.la lib/*.dll.a
	sed -i "s|$stage|\${pcfiledir}/../..|g" lib/pkgconfig/*.pc
	mv "$stage" "$built"
fi
[ "${prefix:-$built}" = "$built" ] || ln -sfn "${built##*/}" "$prefix"
rm -rf "$work"
echo "$built"
