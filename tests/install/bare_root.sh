#!/bin/sh
# Installs, upgrades, removes and purges the Debian packages in a bare root: a hook of mmdebstrap.
#   bare_root.sh PACKAGES PORT ROOT
# A drain outlives all of it.  The last line is "all done".
set -eu
packages=$1 port=$2 root=$3

mkdir "$root/packages"
cp "$packages"/poold_*.deb "$packages"/poolctl_*.deb "$root/packages"
cat >"$root/packages/try.sh" <<'END'
set -eu
export DEBIAN_FRONTEND=noninteractive
step() { echo "== $*"; }
fail() { echo "failed: $*" >&2; exit 1; }
poold=
trap '[ -z "$poold" ] || kill "$poold"' EXIT
start() {
	setpriv --reuid=poold --regid=poold --clear-groups --no-new-privs --bounding-set=-all \
		poold run >>/packages/poold.log 2>&1 &
	poold=$!
	for _ in $(seq 600); do
		poolctl status >/dev/null 2>&1 && return
		sleep 0.1
	done
	cat /packages/poold.log
	fail 'poold does not answer'
}
stop() { kill "$poold"; wait "$poold"; poold=; }
phase() { poolctl status -o json | grep -o '"phase":"[a-z]*"' | head -n 1; }

step install
apt-get -qq install -y --no-install-recommends /packages/*.deb
dpkg -s poold poolctl | grep -c '^Status: install ok installed' | grep -qx 2
getent passwd poold
[ "$(stat -c %U:%a /usr/sbin/poold)" = root:755 ]
poold --version
dpkg -L poold | grep -qx /lib/systemd/system/poold.service
[ -e /etc/systemd/system/multi-user.target.wants/poold.service ]
[ -e /usr/share/man/man8/poold.8.gz ]

step 'a drain'
printf '%s\n' 'pools:' '  p:' '    settle: 0s' '    availability: {floor: 0}' \
	'    services: {S: {ports: [7999], after_resume: none}}' \
	"    servers: {s1: {address: 127.0.9.1, url: 'http://127.0.9.1:$1'}}" >/etc/poolctl/pool.yaml
printf '%s\n' 'server: s1' 'scm: simulated' 'simulated_file: /var/lib/poold/scm.json' \
	>/etc/poolctl/poold.yaml
# What systemd does for StateDirectory.
install -d -o poold -g poold -m 700 /var/lib/poold
echo '{"services": {"S": {"state": "running", "start_type": "automatic"}}}' |
	setpriv --reuid=poold --regid=poold --clear-groups tee /var/lib/poold/scm.json >/dev/null
setpriv --reuid=poold --regid=poold --clear-groups poold check
start
# Root on the server needs no token, and makes one for others.
poold token new --name ci --role viewer >/packages/token 2>/packages/said
[ "$(stat -c %U /var/lib/poold/tokens.json)" = poold ] || fail 'the tokens are not those of poold'
POOLCTL_LOCAL_DIR=/none POOLCTL_TOKEN=$(cat /packages/token) poolctl status || fail 'the token is not taken'
poold token revoke ci
poolctl drain s1 --reason packages --force=last,floor --confirm p
[ "$(phase)" = '"phase":"drained"' ] || fail "not drained: $(phase)"

step 'the same version again'
dpkg -i /packages/*.deb
[ "$(phase)" = '"phase":"drained"' ] || fail 'the drain is gone'
stop
start
[ "$(phase)" = '"phase":"drained"' ] || fail 'the drain is gone after a restart'
stop

step 'purge while it is drained'
apt-get -qq purge -y poold 2>&1 | tee /packages/said
grep -q 'still drained' /packages/said
[ -e /var/lib/poold/poold.sqlite ] || fail 'the state is gone'
[ ! -e /usr/sbin/poold ] && [ -e /usr/bin/poolctl ] && [ -e /etc/poolctl/pool.yaml ]

step 'install, resume, remove, purge'
dpkg -i /packages/poold_*.deb
start
poolctl resume s1
[ "$(phase)" = '"phase":"serving"' ] || fail 'not serving'
grep -q '"automatic"' /var/lib/poold/scm.json
stop
apt-get -qq remove -y poold
[ -e /var/lib/poold/poold.sqlite ] || fail 'remove took the state'
apt-get -qq purge -y poold poolctl
[ ! -e /var/lib/poold ] || fail 'purge left the state'
[ -e /etc/poolctl/pool.yaml ] || fail 'purge took a file that the administrator wrote'
! dpkg -l poold poolctl 2>/dev/null | grep -q '^[ir]i'
left=$(find / -xdev \( -path /packages -o -path /proc \) -prune -o -name '*poold*' -print)
[ -z "$(echo "$left" | grep -v '^/etc/poolctl')" ] || fail "purge left $left"
echo 'all done'
END
chroot "$root" sh /packages/try.sh "$port"
