# What contrib/check and contrib/demo share: what they need from Debian, and a build that leaves the
# source tree as it is. Sourced; `source_tree` and `work` (a temporary folder) are set before.

packages="autoconf automake make gcc libc6-dev pkg-config xz-utils
    libconfig-dev libevent-dev libidn2-dev libjansson-dev liblmdb-dev libmilter-dev libcmocka-dev libsystemd-dev zlib1g-dev
    postfix postfix-lmdb dnsmasq-base iproute2 util-linux python3"
# For contrib/check alone, which tries the packages.
package_tools="debhelper debootstrap lintian rpm selinux-policy-dev semodule-utils"

guard=/usr/sbin/policy-rc.d
guard_text='#!/bin/sh
# Put here by Postern while it installs packages: no service is started.
exit 101'

quietly() {
    "$@" > "$work/output" 2>&1 && return
    cat "$work/output"
    return 1
}

missing_packages() {
    local name
    for name in $packages; do
        [ "$(dpkg-query -W -f '${Status}' "$name" 2> /dev/null)" = "install ok installed" ] ||
            echo "$name"
    done
}

# While packages are installed nothing may start: no Postfix that the administrator did not set up.
raise_guard() {
    [ ! -e "$guard" ] || mv "$guard" "$guard.before-postern" || return
    echo "$guard_text" > "$guard" && chmod 755 "$guard"
}

lower_guard() {
    [ "$(cat "$guard" 2> /dev/null)" != "$guard_text" ] || rm -f "$guard"
    [ ! -e "$guard.before-postern" ] || mv "$guard.before-postern" "$guard"
}

# Installs what is missing and nothing else; a mail system that is there stays, and stays as it is.
install_packages() {
    local missing
    missing=$(missing_packages)
    [ -n "$missing" ] || return 0
    echo "      installing:" $missing
    export DEBIAN_FRONTEND=noninteractive
    raise_guard || return
    if ! dpkg-query -W postfix > /dev/null 2>&1; then
        echo 'postfix postfix/main_mailer_type select No configuration' | debconf-set-selections
    fi
    quietly apt-get -q update &&
        quietly apt-get -q -y --no-install-recommends --no-remove install $missing
    local status=$?
    lower_guard
    return $status
}

need_root() {
    [ "$(id -u)" = 0 ] && return
    echo "$0: only root may make namespaces and install packages" >&2
    exit 1
}

# unpack_sources FOLDER: the sources, without what a build in the tree or git left there.
unpack_sources() {
    mkdir -p "$1" &&
        tar -C "$source_tree" --exclude=./.git --exclude=./build --exclude=./autom4te.cache \
            --exclude=./config.status --exclude=./Makefile --exclude=./build.h --exclude='*.o' \
            --exclude='*.a' --exclude=.deps --exclude=.dirstamp -cf - . |
        tar -C "$1" -xf -
}

# Copies the sources to $work/source.
copy_sources() {
    unpack_sources "$work/source" &&
        (cd "$work/source" && quietly autoreconf -fi)
}

# build_in FOLDER CONFIGURE-ARGUMENT...
build_in() {
    local folder=$work/$1
    shift
    mkdir -p "$folder" && cd "$folder" &&
        quietly ../source/configure --prefix="$work/installed" "$@" &&
        quietly make -j"$(nproc)"
}
