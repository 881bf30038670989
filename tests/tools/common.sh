# Sourced by the ensure-*.sh scripts: the words they share.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
tools=$root/target/tools # what the scripts keep: command line tools, stamps, locks
mkdir -p "$tools"

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*"; }
die() {
    say "error: $*" >&2
    exit 1
}
have() { command -v "$1" > /dev/null 2>&1; }

# alone NAME: of several runs at once, one does the work and the others wait until this one exits.
alone() {
    have flock || return 0
    exec 9> "$tools/$1.lock"
    flock 9
}

# quietly COMMAND...: its output only if it fails.
quietly() {
    local log
    log=$(mktemp)
    if "$@" > "$log" 2>&1 < /dev/null; then
        rm -f "$log"
    else
        cat "$log" >&2
        rm -f "$log"
        return 1
    fi
}

# apt_install WHY PACKAGE...: from the system's own archive. The package lists are read anew only
# when the install fails without that (no lists yet, or stale ones).
apt_install() {
    local why=$1 apt=(env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
    shift
    have apt-get || die "missing: $* (for $why); there is no apt here, so please install them with your system's package manager"
    if [ "$(id -u)" != 0 ]; then
        have sudo || die "missing: $* (for $why): please run 'apt-get install $*' as root (there is no sudo)"
        apt=(sudo "${apt[@]}")
    fi
    alone apt
    say "installing $* with apt, for $why"
    "${apt[@]}" install -y --no-install-recommends "$@" > "$tools/apt.log" 2>&1 < /dev/null && return
    "${apt[@]}" update > "$tools/apt.log" 2>&1 < /dev/null || true
    quietly "${apt[@]}" install -y --no-install-recommends "$@" || die "apt could not install $* ($why)"
}
