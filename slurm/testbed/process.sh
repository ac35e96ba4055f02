# shellcheck shell=bash
# Processes that the testbed started: each has a file with its pid and its start time, so that a
# number which the machine has given to somebody else since is never taken for ours.

start_time() { # PID: clock ticks between boot and start (proc(5), field 22)
    local stat
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
    # The second field is a name in brackets that may hold blanks: count from behind it.
    # shellcheck disable=SC2086
    set -- ${stat##*) }
    [ "$1" != Z ] || return 1
    echo "${20}"
}

pid_of() { # NAME: its pid, or failure where it does not run
    local pid ticks
    read -r pid ticks 2>/dev/null <"$RUN/$1.pid" || return 1
    [ "$(start_time "$pid")" = "$ticks" ] || return 1
    echo "$pid"
}

alive() { # NAME
    pid_of "$1" >/dev/null
}

launch() { # NAME COMMAND...: in the background, in a session of its own, unless it runs already
    local name=$1 pid
    shift
    alive "$name" && return
    # Descriptor 9 is the lock of `up` and `down`: it must not outlive them.
    setsid "$@" </dev/null >>"$LOGS/$name.out" 2>&1 9>&- &
    pid=$!
    echo "$pid $(start_time "$pid")" >"$RUN/$name.pid"
}

halt() { # NAME [SECONDS]: ask it to end, wait that long, then end it and what it started
    local name=$1 pid waits=$((${2:-10} * 5))
    if pid=$(pid_of "$name"); then
        kill -TERM "$pid" 2>/dev/null || true
        while [ "$waits" -gt 0 ] && alive "$name"; do
            sleep 0.2
            waits=$((waits - 1))
        done
        if alive "$name"; then
            pkill -KILL --session "$pid" || true
        fi
    fi
    rm -f "$RUN/$name.pid"
}

wait_until() { # SECONDS WHAT COMMAND...: ask five times a second
    local end=$((SECONDS + $1)) seconds=$1 what=$2 said
    shift 2
    until said=$("$@" 2>&1); do
        [ "$SECONDS" -lt "$end" ] || fail "expected $what within $seconds s; the last attempt said '${said##*$'\n'}'; the logs are in $LOGS"
        sleep 0.2
    done
}
