#!/bin/sh
# The house rules that a program can check.  Prints what breaks them; fails if anything does.
set -eu
cd "$(dirname "$0")/../.."
sources=$(find common pool-config daemon ctl tests -name '*.[ch]')
found=$(mktemp)
trap 'rm -f "$found"' EXIT

# rule NAME PATTERN FILES... : no line of the files matches.
rule() {
	name=$1 pattern=$2
	shift 2
	if grep -nE "$pattern" "$@" /dev/null >"$found"; then
		sed "s/^/$name: /" "$found"
		broken=1
	fi
}

# without FILES PATTERN... : the files, less those that match a pattern.
without() {
	list=$1
	shift
	for pattern; do
		list=$(printf '%s\n' "$list" | grep -vE "$pattern" || true)
	done
	printf '%s\n' "$list"
}

broken=0
product=$(without "$sources" '^tests/')
# shellcheck disable=SC2086
{
rule 'trap of the C library' \
	'\b(sprintf|strcpy|strcat|strncpy|strtok|atoi|gmtime|system)[[:space:]]*\(' $sources
rule 'platform word outside its file' '\b(_WIN32|__MINGW32__|__linux__)\b' \
	$(without "$product" '_(windows|unix|linux)\.[ch]$' '^common/compat\.h$')
rule 'Windows header outside a Windows file' '#include <(windows|winsvc|pdh|pdhmsg|wtsapi32|iphlpapi)\.h>' \
	$(without "$product" '_windows\.[ch]$')
for library in sqlite3.h:daemon/store/store_private.h microhttpd.h:daemon/http/http.c yaml.h:pool-config/yaml_tree.c \
	'curl/curl.h:(ctl/api/client.c|ctl/tls/tls_verify.h|daemon/sources/sessions_curl.h)' 'nettle/:(common/chain.c|ctl/tls/presented_pin.c)' 'gnutls/:daemon/tls/[a-z_]*\.[ch]' ares.h:ctl/dns/dns.c; do
	rule "${library%%:*} belongs into ${library##*:}" "#include <${library%%:*}" \
		$(without "$product" "^${library##*:}\$")
done
rule 'work left over' '\b(TODO|FIXME|XXX|HACK)\b' $sources
rule 'space at the end of a line' '[[:space:]]+$' $sources Makefile README.md docs/*.md tests/*.py tests/*/*.py
if ! clang-format --dry-run --Werror $sources 2>"$found"; then
	echo "not formatted (make format):"
	grep -E 'warning|error' "$found" | cut -d: -f1 | sort | uniq -c
	broken=1
fi
if ! cppcheck --quiet --std=c11 --enable=warning,portability --inline-suppr \
	--suppress=missingIncludeSystem --error-exitcode=1 -Icommon -Ipool-config -Idaemon -Ictl \
	-DVERSION='"lint"' $product; then
	broken=1
fi
}
# Includes that point up or in a circle, folders with too many files.
/usr/bin/python3 tests/setup/rooms.py || broken=1
for file in $product; do
	lines=$(grep -cv '^[[:space:]]*$' "$file")
	if [ "$lines" -ge 700 ]; then
		echo "$file has $lines lines that are not blank; 699 are the most"
		broken=1
	fi
done
lines=$(wc -l <README.md)
if [ "$lines" -ge 100 ]; then
	echo "README.md has $lines lines, and must stay under 100"
	broken=1
fi
exit "$broken"
