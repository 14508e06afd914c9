# lib.sh - what the recipes share: installing tools, fetching packages, saying what goes on. Sourced, not run.
#
# Guests are made from Debian packages that are downloaded and unpacked, never installed: a package state of our own under
# the cache folder serves other architectures without touching the host's dpkg. Root is needed only to install missing
# tools; the command is printed before it is run.

CACHE=${BEIGE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/beige}
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TOP=$(dirname "$HERE")

PATH=$PATH:/usr/sbin:/sbin              # sfdisk and mkfs, which a plain user's path leaves out and which need no root

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() { printf 'beige: %s\n' "$*" >&2; exit 1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"; else
    command -v sudo >/dev/null || die "root is needed for: $*  (there is no sudo)"
    sudo "$@"
  fi
}

# packages_of GROUP... : names from packages.txt
packages_of() {
  local g
  for g in "$@"; do sed -n "s/^$g: *//p" "$TOP/cmake/packages.txt"; done | tr '\n' ' '
}

# need GROUP... : installs what is missing of these groups of packages.txt. Status 1 if that is not possible.
need() {
  local p missing=""
  for p in $(packages_of "$@"); do
    dpkg-query -W -f '${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
  done
  [ -n "$missing" ] || return 0
  say "installing:$missing"
  local cmd="env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends$missing"
  echo "    $cmd" >&2
  apt_lists_fresh || as_root apt-get update -qq >&2 || true
  as_root $cmd >"$CACHE/install.log" 2>&1 || { tail -5 "$CACHE/install.log" >&2; return 1; }
}

apt_lists_fresh() { [ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -2 2>/dev/null | head -1)" ]; }

# apt_for ARCH : sets APT to the options of a private package state
apt_for() {
  local s=$CACHE/apt-$1
  mkdir -p "$s/state/lists/partial" "$s/cache/archives/partial"
  : > "$s/status"
  APT="-o Dir::State=$s/state -o Dir::State::status=$s/status -o Dir::Cache=$s/cache -o APT::Architecture=$1
       -o APT::Architectures=$1 -o Acquire::Languages=none"
  [ "$(id -u)" != 0 ] || APT="$APT -o APT::Sandbox::User=root"
  if [ -z "$(find "$s/updated" -mtime -1 2>/dev/null)" ]; then
    say "reading the package lists for $1"
    apt-get $APT update -qq >&2 || true            # one index that fails to verify is no reason to stop
    [ -z "$(find "$s/state/lists" -maxdepth 1 -name '*_Packages*' | head -1)" ] || touch "$s/updated"
  fi
}

# real_name PACKAGE : what a kernel metapackage depends on today, or the name itself
real_name() {
  case $1 in
    linux-image-686|linux-image-686-pae|linux-image-amd64)
      apt-cache $APT depends "$1" 2>/dev/null | sed -n 's/^ *Depends: \(linux-image-[0-9][^ ]*\).*/\1/p' | head -1;;
    *) echo "$1";;
  esac
}

# fetch ARCH PACKAGE... : unpacks each under $CACHE/pkg/ARCH/PACKAGE (the metapackage's name for kernels)
fetch() {
  local arch=$1 p name dir; shift
  for p in "$@"; do
    dir=$CACHE/pkg/$arch/$p
    [ ! -d "$dir" ] || continue
    apt_for "$arch"
    name=$(real_name "$p")
    [ -n "$name" ] || { echo "beige: package $p ($arch) is not to be had" >&2; return 1; }
    say "fetching $name ($arch)"
    mkdir -p "$CACHE/deb"
    ( cd "$CACHE/deb" && rm -f "${name}"_*.deb && apt-get $APT download -qq "$name" >&2 &&
      rm -rf "$dir.part" && mkdir -p "$dir.part" && dpkg-deb -x "${name}"_*.deb "$dir.part" && rm -f "${name}"_*.deb ) ||
      { echo "beige: package $name ($arch) could not be fetched" >&2; return 1; }
    mv "$dir.part" "$dir"
  done
}
