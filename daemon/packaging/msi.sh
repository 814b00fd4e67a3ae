#!/bin/sh
# Builds the package for Windows Installer: msi.sh PROGRAMS VERSION MSI.  PROGRAMS is the folder
# with poold.exe and poolctl.exe.  The same programs and version give the same file.
set -eu
programs=$1 version=$2 msi=$3
here=$(readlink -f "$(dirname "$0")")
msi=$(readlink -m "$msi")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export TZ=UTC

# guid TEXT: made of the text and of all that goes into the package.
digest=$(cat "$programs/poold.exe" "$programs/poolctl.exe" "$here/poolctl.wxs" "$here/msi.sql" \
	"$here/msi.sh" | sha256sum)
guid() {
	echo "$1 $version $digest" | sha256sum | sed 's/^\(.\{8\}\)\(.\{4\}\)\(.\{3\}\)\(.\{3\}\)\(.\{12\}\).*/\1-\2-4\3-8\4-\5/' |
		tr a-f A-F
}
quiet() {
	output=$("$@" 2>&1) && [ -z "$output" ] && return
	echo "msi.sh: $1 says: $output" >&2
	exit 1
}

cp "$programs/poold.exe" "$programs/poolctl.exe" "$here/poolctl.wxs" "$work"
cd "$work"
chmod 755 ./*.exe
touch -d @1767225600 ./*.exe
# wixl leaves out in silence what it does not know, and writes the time of day.
quiet faketime -f '2026-01-01 00:00:00' wixl -a x64 -D "Version=$version" \
	-D "ProductCode=$(guid product)" -o made.msi poolctl.wxs
sed "s/@VERSION@/$version/" "$here/msi.sql" >sql
while read -r line; do
	case $line in
	'' | --*) ;;
	*) quiet msibuild made.msi -q "$line" ;;
	esac
done <sql
quiet msibuild made.msi -s poolctl 'The poolctl authors' 'x64;1033' "{$(guid package)}"
mkdir -p "$(dirname "$msi")"
mv made.msi "$msi"
