#!/bin/sh
# The first command on a bare Debian 12: make demo, then what make check installs, as root and
# as a user with sudo; and make -j4.  Each runs in a root of its own, which is removed at the
# end.  The last line counts what passed and failed.
set -eu
cd "$(dirname "$0")/../.."

skip() {
	echo "skipped: $1"
	echo '0 passed, 0 failed, 1 skipped'
	exit
}
[ "$(id -u)" = 0 ] || skip 'only root can make a bare Debian'
unshare --mount --pid --fork --mount-proc true 2>/dev/null || skip 'nothing can be mounted here'

work=$(mktemp -d "${TMPDIR:-/tmp}/poolctl-fresh.XXXXXX")
log=$work/log
child=
end() {
	trap '' INT TERM HUP
	[ -z "$child" ] || kill -KILL "$child" 2>/dev/null || :
	rm -rf --one-file-system "$work" 2>/dev/null || {
		# What was killed may have needed a moment.
		sleep 1
		rm -rf --one-file-system "$work"
	}
}
trap end EXIT
trap 'exit 130' INT TERM HUP

# Mounts and processes of the command are its own, and end with it.
alone() {
	unshare --mount --pid --fork --kill-child --mount-proc "$@" >"$log" 2>&1 &
	child=$!
	status=0
	wait "$child" || status=$?
	child=
	return $status
}

# The mirrors that this machine has for Debian 12, or else mmdebstrap's own.
# shellcheck disable=SC2016 # apt expands these
apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' \
	'Origin: Debian' 2>/dev/null | grep ' bookworm' | sort -u >"$work/sources" || :
[ -s "$work/sources" ] && sources=$work/sources || sources=
# shellcheck disable=SC2086 # none is no argument
alone mmdebstrap --variant=minbase --include=ca-certificates,make,git,sudo bookworm "$work/base" \
	$sources || {
	tail -n 20 "$log"
	skip 'mmdebstrap could not make a bare Debian'
}
# Nothing in it has to survive a power cut.
echo force-unsafe-io >"$work/base/etc/dpkg/dpkg.cfg.d/unsafe-io"
tar -cf "$work/checkout" --exclude=./build --exclude=./.git .
mkdir "$work/archives"

# root_for USER: a copy of the base with the checkout in that user's home.  root has no sudo.
root_for() {
	root=$work/root
	rm -rf --one-file-system "$root"
	cp -a "$work/base" "$root"
	if [ "$1" = root ]; then
		SUDO_FORCE_REMOVE=yes chroot "$root" dpkg --purge sudo >"$log" 2>&1
	else
		chroot "$root" useradd --create-home "$1"
		echo "$1 ALL=(ALL) NOPASSWD: ALL" >"$root/etc/sudoers.d/$1"
	fi
	chroot "$root" su - "$1" -c 'mkdir poolctl && tar -xC poolctl' <"$work/checkout"
}

passed=0
failed=0
# try USER COMMAND: runs it in the last root.  The roots share the packages that they fetch.
# shellcheck disable=SC2016 # the inner shell expands these
try() {
	began=$(date +%s)
	if alone sh -c 'mount --rbind /dev "$1/dev" && mount -t proc proc "$1/proc" &&
		mount --bind "$2" "$1/var/cache/apt/archives" &&
		exec chroot "$1" su - "$3" -c "cd poolctl && $4"' \
		try "$root" "$work/archives" "$1" "$2"; then
		passed=$((passed + 1))
		result=ok
	else
		failed=$((failed + 1))
		result=FAILED
		tail -n 40 "$log"
	fi
	echo "$result: as $1, $2 ($(($(date +%s) - began)) s)"
}

for user in root somebody; do
	root_for "$user"
	try "$user" 'make demo'
	try "$user" 'make setup-check'
done
root_for root
# Where nobody has logged in, there is no HOME.
try root 'env -i PATH="$PATH" make -j4'
echo "$passed passed, $failed failed"
[ $failed = 0 ]
