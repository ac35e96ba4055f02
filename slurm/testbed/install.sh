# shellcheck shell=bash
# What the testbed needs on the machine: Debian packages, and an ordinary user.

PACKAGES=(slurm-wlm slurmdbd munge mariadb-server iproute2 util-linux passwd procps)
COMMANDS=(slurmctld slurmd slurmdbd munged mariadbd mariadb-install-db ip unshare nsenter flock)

missing_commands() {
    local command
    for command in "${COMMANDS[@]}"; do
        command -v "$command" >/dev/null || echo "$command"
    done
}

# The packages would start services of their own; a policy-rc.d that says no keeps them still.
without_services() {
    local policy=/usr/sbin/policy-rc.d status=0
    if [ -e "$policy" ]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    "$@" || status=$?
    rm -f "$policy"
    return "$status"
}

make_user() {
    id "$TESTBED_USER" >/dev/null 2>&1 && return
    say "making the user $TESTBED_USER"
    useradd --create-home --shell /bin/bash "$TESTBED_USER"
}

install() {
    require_root install
    if [ -n "$(missing_commands)" ]; then
        command -v apt-get >/dev/null || fail "expected Debian or Ubuntu (apt-get), found neither; install ${PACKAGES[*]} yourself"
        say "installing ${PACKAGES[*]}"
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive without_services \
            apt-get install -y -qq --no-install-recommends "${PACKAGES[@]}" >/dev/null
    fi
    make_user
    say "installed: $(slurmctld -V), $(munged --version | head -n 1), $(mariadbd --version)"
}

require_installed() {
    local missing
    missing=$(missing_commands | tr '\n' ' ')
    [ -z "$missing" ] || fail "expected $missing on PATH, found none; run: $0 install"
    id "$TESTBED_USER" >/dev/null 2>&1 || fail "expected a user $TESTBED_USER, found none; run: $0 install"
}
