#!/usr/bin/env bash
# ensure-rust-target.sh TARGET...: make Rust targets usable with the active toolchain.
#
# 1. `rustup target add`: seconds, where rustup's server can be reached.
# 2. Otherwise Debian's rust-src of exactly this compiler's release: the standard library is built
#    from it by this compiler and laid into its sysroot, where it serves like rustup's own.
#    What was laid is listed in a file beside it, so that this script can take just that out again
#    when the compiler was updated since, or when rustup put its own on top.
set -euo pipefail
. "$(dirname "$0")/common.sh"
[ $# -gt 0 ] || die "usage: ensure-rust-target.sh TARGET..."
have rustc || die "needs Rust with cargo on PATH"

# Neither the probes nor the build of std may inherit a project's settings.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS CARGO_BUILD_TARGET RUSTC_WRAPPER
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sysroot=$(rustc --print sysroot)
hash=$(rustc -Vv | sed -n 's/^commit-hash: //p')
release=$(rustc -Vv | sed -n 's/^release: //p')

bare() { [[ $1 == *-none* ]]; }

# usable TARGET: does a crate compile that needs std, or only alloc on bare metal?
usable() {
    local code='pub fn f() -> String { String::new() }'
    if bare "$1"; then code='#![no_std] extern crate alloc; pub fn f() -> alloc::vec::Vec<u8> { alloc::vec::Vec::new() }'; fi
    rustc --target "$1" --crate-type lib --emit metadata -o "$work/probe" - <<< "$code" 2> /dev/null
}

take_out() { # DIR: only the files that lay_in listed
    (cd "$1" && xargs -r rm -f < laid-in.txt && rm laid-in.txt)
    rmdir "$1/lib" "$1" 2> /dev/null || true
}

by_rustup() { # TARGET
    have rustup || return 1
    say "rustup target add $1"
    RUSTUP_MAX_RETRIES=1 timeout 60 rustup target add "$1" > /dev/null 2>&1 && usable "$1"
}

# Debian's archive under the addresses that this machine already uses, but with package lists of our
# own, so that the system's configuration stays as it is.
fetch_source() {
    local suite address keys=/usr/share/keyrings/debian-archive-keyring.gpg
    have apt-get && [ -r $keys ] || return 1
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    export APT_CONFIG=$work/apt.conf
    # shellcheck disable=SC2016 # apt's placeholder, not the shell's
    address=$(APT_CONFIG='' apt-get indextargets --format '$(REPO_URI)' 'Created-By: Packages' | grep -v security | head -n 1)
    printf '%s "%s";\n' Dir::Etc::SourceList "$work/sources.list" Dir::Etc::SourceParts - \
        Dir::Etc::PreferencesParts - Dir::State::Lists "$work/lists" Dir::Cache "$work/cache" \
        Acquire::Languages none Acquire::Retries 3 APT::Sandbox::User root > "$APT_CONFIG"
    for suite in trixie-backports forky sid trixie; do
        echo "deb [signed-by=$keys] $address $suite main" > "$work/sources.list"
        apt-get -qq update > /dev/null 2>&1 || continue
        version=$(apt-cache madison rust-src | awk -v r="${release%%-*}" 'index($3, r "+") == 1 { print $3; exit }')
        [ -n "$version" ] || continue
        say "rustup could not; fetching the library source of Rust $release (Debian's rust-src $version)"
        (cd "$work" && quietly apt-get -qq download "rust-src=$version") && return
    done
    return 1
}

lay_in() { # TARGET
    local new=$sysroot/lib/rustlib/.$1.new features=panic-unwind,backtrace crate=sysroot
    if bare "$1"; then crate=alloc features=compiler-builtins-mem; fi # no libc there: bring memcpy
    [ -w "$sysroot/lib/rustlib" ] || die "cannot write to $sysroot: please install the target $1 for this toolchain"
    [ -d "$work/library" ] || fetch_source || return 1
    [ -d "$work/library" ] || dpkg-deb --fsys-tarfile "$work"/rust-src_*.deb |
        tar -x -C "$work" --strip-components=4 --wildcards './usr/src/rustc-*/library'
    say "building the standard library for $1 with rustc $release (a minute)"
    # The flags are those of official builds: std's own dependencies stay hidden from users, `lto`
    # works, and panic messages name no folder of this machine.
    (cd "$work/library" && RUSTC_BOOTSTRAP=1 CARGO_PROFILE_RELEASE_CODEGEN_UNITS=1 \
        RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes --remap-path-prefix=$work/library=/rustc/$hash/library --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}/registry/src=/rust/deps" \
        quietly cargo build --release --target "$1" --target-dir "$work/out" \
        --manifest-path "$crate/Cargo.toml" --features "$features") || return 1
    rm -rf "$new" && mkdir -p "$new/lib"
    cp "$work/out/$1"/release/deps/*.rlib "$new/lib/"
    (cd "$new" && ls lib/*.rlib > laid-in.txt)
    mv -T "$new" "$sysroot/lib/rustlib/$1"
    usable "$1"
}

for target; do
    if usable "$target"; then continue; fi
    alone rust-target
    place=$sysroot/lib/rustlib/$target
    if [ -e "$place/laid-in.txt" ]; then take_out "$place"; fi
    usable "$target" || by_rustup "$target" || lay_in "$target" ||
        die "could not get $target: please run 'rustup target add $target' where rustup's server can be reached"
done
