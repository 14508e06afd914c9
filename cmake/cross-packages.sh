#!/bin/sh
# cross-packages.sh ARCH DIR: unpacks the libraries that a cross build links (Check, zlib, nettle, cJSON) into DIR.
# ARCH is aarch64 or s390x. Uses an apt state of its own, so the host's dpkg knows nothing of the other architecture,
# and needs no root.
set -eu
case "${1-}" in
aarch64) arch=arm64 ;;
s390x) arch=s390x ;;
*) echo "usage: $0 aarch64|s390x DIR" >&2; exit 2 ;;
esac
[ -n "${2-}" ] || { echo "usage: $0 aarch64|s390x DIR" >&2; exit 2; }
mkdir -p "$2"
dir=$(cd "$2" && pwd)
[ -e "$dir/complete" ] && exit 0
packages="check libsubunit-dev libsubunit0 zlib1g-dev zlib1g nettle-dev libnettle8 libhogweed6 libgmp-dev libgmp10
          libcjson-dev libcjson1"

state=$dir/apt
mkdir -p "$state/lists/partial" "$state/archives/partial"
: > "$state/status"
apt() {
    apt-get -q -q -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state" -o Dir::Cache::archives="$state/archives" -o APT::Architecture=$arch \
        -o APT::Architectures=$arch -o APT::Sandbox::User= "$@"
}
echo "cross-packages: reading the package lists of $arch"
apt update || true                       # one list that cannot be had is no reason to stop: the download decides
echo "cross-packages: fetching $packages"
(cd "$state/archives" && apt download $packages)
for deb in "$state"/archives/*.deb; do
    dpkg-deb -x "$deb" "$dir"
done
# Links to /lib/... mean the target's, not the host's.
find "$dir" -type l -lname '/*' | while read -r link; do
    ln -sf "$dir$(readlink "$link")" "$link"
done
rm -rf "$state"
touch "$dir/complete"
echo "cross-packages: ready in $dir"
