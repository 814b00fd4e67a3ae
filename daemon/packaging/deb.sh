#!/bin/sh
# Builds the Debian packages of poolctl and poold: deb.sh FOLDER.  They come to lie in the folder;
# what they are built from, a copy of this tree, in its folder `deb`.
set -eu
folder=$(readlink -m "$1")
cd "$(dirname "$0")/../.."

rm -rf "$folder/deb"
mkdir -p "$folder/deb/poolctl"
tar -c --exclude=./build --exclude=./.git . | tar -x -C "$folder/deb/poolctl"
cd "$folder/deb/poolctl"
cp -r daemon/packaging/debian .
cp daemon/packaging/poold.sysusers debian

version=$(dpkg-parsechangelog --show-field Version)
grep -qx "VERSION := $version" Makefile || {
	echo "deb.sh: debian/changelog is of version $version, and the Makefile is not" >&2
	exit 1
}
# Files that are copied into a package keep their time, if that is not later than this.
find . -exec touch -h -d "$(dpkg-parsechangelog --show-field Date)" {} +
# What make hands on of its own build does not belong into this one.
env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u CC -u CFLAGS -u LDFLAGS -u DESTDIR -u PREFIX -u VARIANT \
	-u SANITIZE dpkg-buildpackage -b -us -uc >"$folder/deb/log" 2>&1 || {
	tail -n 40 "$folder/deb/log" >&2
	exit 1
}
mv "$folder"/deb/*.deb "$folder"
