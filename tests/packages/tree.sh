# A fresh Debian with a Postfix of its own, as a tree in a mount namespace, and a systemd that takes
# it for a machine. Sourced by tests/packages/run, tests/docs/run and tests/versions/run, in
# namespaces of their own.
#
# `tree` is the folder of the tree at hand, `release` Debian's name, `work` a temporary folder.
#   TREE_ARCHIVE=FILE   the tree is unpacked from it; when it is not there, it is made for the next
# The tree comes from the mirror that apt uses here.

release=bookworm
tree_packages='postfix systemd dnsmasq-base iproute2 procps'

# What it prints is of interest only when it fails.
quietly() {
    "$@" > "$work/output" 2>&1 && return
    echo "# failed: $*"
    tail -n 200 "$work/output" | sed 's/^/# /'
    return 1
}

step() {
    local name=$1
    shift
    "$@" && echo "ok - $name" || { echo "not ok - $name"; return 1; }
}

# As apt has them here, for that release.
apt_sources() {
    local here
    here=$(. /etc/os-release && echo "$VERSION_CODENAME")
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        awk -v here="$here" -v release="$release" '$2 ~ "^" here "(-updates|-security)?$" {
            sub(here, release, $2)
            print }' | sort -u
}

in_tree() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        chroot "$tree" "$@"
}

install_in_tree() { # PACKAGE...
    quietly in_tree apt-get -q -y --no-install-recommends install "$@"
}

# What Debian's installer would have put there.
bootstrap_tree() {
    local mirror script=
    # It knows the releases of its own time by name; they are made alike.
    [ -e "/usr/share/debootstrap/scripts/$release" ] || script=sid
    mirror=$(apt_sources | awk -v release="$release" '$2 == release { print $1; exit }')
    quietly debootstrap --variant=minbase "$release" "$tree" "$mirror" $script || return
    apt_sources | sed 's/^/deb /' > "$tree/etc/apt/sources.list"
    apt-config dump Acquire > "$tree/etc/apt/apt.conf.d/00host"
    echo force-unsafe-io > "$tree/etc/dpkg/dpkg.cfg.d/quick"
    printf '#!/bin/sh\nexit 101\n' > "$tree/usr/sbin/policy-rc.d"
    chmod 755 "$tree/usr/sbin/policy-rc.d"
    mount -t proc proc "$tree/proc" || return
    printf '%s\n' 'postfix postfix/main_mailer_type select Internet Site' \
        'postfix postfix/mailname string sender.test' | in_tree debconf-set-selections &&
        quietly in_tree apt-get -q update && install_in_tree $tree_packages
    local status=$?
    umount "$tree/proc"
    return $status
}

# Leaves /proc mounted, for what is installed next.
make_tree() {
    mkdir "$tree" && mount -t tmpfs -o size=3g,mode=755 tree "$tree" || return
    if [ -s "${TREE_ARCHIVE:-}" ]; then
        tar -C "$tree" -xf "$TREE_ARCHIVE"
    else
        bootstrap_tree && { [ -z "${TREE_ARCHIVE:-}" ] || tar -C "$tree" -cf "$TREE_ARCHIVE" .; }
    fi && mount -t proc proc "$tree/proc"
}

# What stays as it is on a machine that starts: no getty, no network but lo.
prepare_boot() {
    in_tree bash -eu <<'PREPARE'
useradd --create-home sender
install -o sender -g mail -m 660 /dev/null /var/mail/sender
echo 'nameserver 127.0.0.1' > /etc/resolv.conf
printf '127.0.0.1 localhost\n127.0.0.1 mail.sender.test mail\n' > /etc/hosts
postconf -e myhostname=mail.sender.test inet_interfaces=127.0.0.1 mynetworks=127.0.0.0/8 \
    'mydestination=$myhostname, sender.test, localhost'
systemctl -q mask getty.target systemd-logind.service e2scrub_reap.service apt-daily.timer \
    apt-daily-upgrade.timer e2scrub_all.timer systemd-networkd.service
rm /usr/sbin/policy-rc.d
PREPARE
    umount "$tree/proc"
}

make_devices() {
    local name
    mount -t tmpfs -o mode=755 dev "$tree/dev"
    mkdir "$tree/dev/shm"
    chmod 1777 "$tree/dev/shm"
    for name in null zero full random urandom tty; do
        mknod -m 666 "$tree/dev/$name" c $(stat -c '0x%t 0x%T' "/dev/$name")
    done
    ln -s /proc/self/fd "$tree/dev/fd"
    ln -s pts/ptmx "$tree/dev/ptmx"
}

# In namespaces of its own already: becomes systemd.
boot() {
    mount -t proc proc "$tree/proc"
    mount -t sysfs sysfs "$tree/sys"
    mount -t cgroup2 cgroup2 "$tree/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 run "$tree/run"
    mount -t tmpfs -o mode=1777 tmp "$tree/tmp"
    make_devices
    echo mail > /proc/sys/kernel/hostname
    ip link set lo up
    # Not a chroot: systemd makes mount namespaces for its services.
    cd "$tree" && pivot_root . . && umount -l . || exit
    exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        /lib/systemd/systemd --system --unit=multi-user.target --show-status=no \
        --log-target=journal systemd.unified_cgroup_hierarchy=1
}

# A control group of its own for each machine: in a common one two posternd.service would be one.
# Its folder, or nothing where there are none.
make_cgroup() {
    local all=$work/cgroup group
    mkdir "$all" && mount -t cgroup2 cgroup2 "$all" || return
    group=$(mktemp -d "$all/$run_name.XXXXXX") && chmod 755 "$group" && echo "$group"
}

# The machines are dead; their services leave their groups behind.
remove_cgroups() {
    unshare --mount sh -c 'mount -t cgroup2 cgroup2 "$1" && cd "$1" &&
        find . -depth -path "./$2.*" -type d -exec rmdir {} ";"' sh "$work" "$run_name" \
        > /dev/null 2>&1
}

# Becomes the machine, in the group, if there is one.
enter_machine() { # GROUP
    [ -z "$1" ] || echo "$BASHPID" > "$1/cgroup.procs"
    exec unshare --mount --net --uts --ipc --pid --cgroup --fork --kill-child bash -c boot
}

# Starts the machine; `machine` is its first process, as seen from here.
start_machine() {
    local i cgroup
    export tree
    export -f boot make_devices
    cgroup=$(make_cgroup)
    enter_machine "$cgroup" < /dev/null > "$work/boot.log" 2>&1 &
    for ((i = 0; i < 100; i++)); do
        read -r machine < "/proc/$!/task/$!/children" &&
            [ "$(cat "/proc/$machine/comm")" = systemd ] &&
            [ -S "/proc/$machine/root/run/systemd/private" ] && break
        sleep 0.1
    done
}

on_machine() { # SECONDS COMMAND...
    timeout -s KILL "$1" nsenter -t "$machine" -a --wdns=/ env -i container=other LC_ALL=C.UTF-8 \
        PATH=/usr/sbin:/usr/bin:/sbin:/bin "${@:2}"
}

# Runs the script again with --inside, in namespaces of its own: its processes end with it, and its
# mounts with them. Numbers its TAP and adds it up; "# the end" has to be the last it says.
run_inside() {
    local passed=0 failed=0 ended= line
    run_name=$(basename "$work")
    export run_name
    while IFS= read -r line; do
        case $line in
        'ok - '*) passed=$((passed + 1)) line="ok $((passed + failed))${line#ok}" ;;
        'not ok - '*) failed=$((failed + 1)) line="not ok $((passed + failed))${line#not ok}" ;;
        '# the end') ended=yes; continue ;;
        esac
        echo "$line"
    done < <(exec unshare --mount --pid --fork --kill-child --mount-proc "$0" --inside 2>&1)
    remove_cgroups
    if [ -z "$ended" ] && [ "$failed" = 0 ]; then
        echo "not ok $((passed + 1)) - it ends as it should"
        failed=1
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
