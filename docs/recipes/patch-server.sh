#!/bin/sh
# Takes a server out of its pool, runs the command that patches it, and brings it back:
#
#     patch-server.sh SERVER COMMAND [ARGUMENT...]
#
# Exit codes: 0 patched and back in service; 6 sessions were left when DRAIN_TIMEOUT had passed,
# and the server is back in service; 20 the server stays out, since the patch or what came after
# it failed; any other is that of the drain, which says why, and nothing was patched.
# DRAIN_ID names the drain; without it every run has its own.
set -u
usage="usage: patch-server.sh SERVER COMMAND [ARGUMENT...]"
[ $# -ge 2 ] && [ -n "$1" ] && [ -n "$2" ] || {
	echo "$usage" >&2
	exit 2
}
server=$1
shift
id=${DRAIN_ID:-patch-$(hostname)-$$-$(date +%s)}
child=

# A signal reaches the child too: it must not go on alone.
stop() {
	[ -z "$child" ] || kill "$child" 2>/dev/null
	[ -z "$child" ] || wait "$child"
	stays_out 130
}
stays_out() {
	echo "$server may be out. When it is well: poolctl resume $server --id $id" >&2
	exit "$1"
}
run() {
	"$@" &
	child=$!
	wait "$child"
	status=$?
	child=
	return $status
}
trap stop INT TERM HUP

run poolctl drain "$server" --id "$id" --reason "${REASON:-patch}" \
	--timeout "${DRAIN_TIMEOUT:-45m}"
status=$?
case $status in
0 | 7) ;;
6)
	run poolctl resume "$server" --id "$id" --timeout 10m || stays_out 20
	exit 6
	;;
*) exit "$status" ;;
esac
run "$@" || stays_out 20
run poolctl wait "$server" --id "$id" --for drained --timeout 30m || stays_out 20
run poolctl resume "$server" --id "$id" --timeout 30m || stays_out 20
