#!/bin/sh
# SPDX-License-Identifier: MIT
# Init of the lab's marker guest: runs one command in the root that lies on xvdb, prints what it wrote between the markers, and its
# status; docs/marker-guests.md. Only what that protocol asks for.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
command='' interactive='' quiet=''
read -r line </proc/cmdline
for word in $line; do
    case $word in
    docker_cmd=*) command=$(echo "${word#*=}" | base64 -d) ;;
    docker_interactive=1) interactive=1 quiet=1 ;;
    esac
done

say() {
    [ -n "$quiet" ] || echo "$*"
}

give_up() {
    echo '===ERROR==='
    echo "$*"
    reboot -f
    exit 1
}

mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /mnt
mkdir /mnt/box
say 'The marker guest looks for its disk'
tries=0
until [ -b /dev/xvdb ]; do
    tries=$((tries + 1))
    [ "$tries" -lt 200 ] || give_up 'there is no disk xvdb'
    sleep 0.05
done
mount -t ext4 /dev/xvdb /mnt/box || give_up 'the disk xvdb cannot be mounted'
[ -d /mnt/box/bin ] || [ -d /mnt/box/usr ] || give_up 'there is no root on the disk xvdb'
[ -n "$command" ] || give_up 'the command line names no program'
mkdir -p /mnt/box/proc /mnt/box/sys /mnt/box/dev
mount -t proc proc /mnt/box/proc
mount -t sysfs sysfs /mnt/box/sys
mount --bind /dev /mnt/box/dev

# A root without a shell takes words only.
run() {
    if [ -x /mnt/box/bin/sh ]; then
        "$@" chroot /mnt/box /bin/sh -c "cd / 2>/dev/null; $command"
    else
        # shellcheck disable=SC2086
        "$@" chroot /mnt/box $command
    fi
}

if [ -n "$interactive" ]; then
    run setsid -c
else
    run env >/tmp/output 2>&1
    status=$?
    echo '===OUTPUT_START==='
    cat /tmp/output
    echo '===OUTPUT_END==='
    echo "===EXIT_CODE=$status==="
    say 'The marker guest shuts down'
fi
sync
reboot -f
