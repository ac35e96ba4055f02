# shellcheck shell=bash
# The configuration files, from the templates beside this file, and the way memory is limited.

joined() { # WORDS...: with commas
    local IFS=,
    echo "$*"
}

cgroups_writable() { # memory and freezer of cgroup v1, which SLURM 22.05 uses without systemd
    local controller probe
    for controller in memory freezer; do
        probe=/sys/fs/cgroup/$controller/ladon-probe
        mkdir "$probe" 2>/dev/null || return 1
        rmdir "$probe"
        [ -e "/sys/fs/cgroup/$controller/tasks" ] || return 1
    done
}

memory_mode() { # cgroup: the kernel stops a job at its limit; poll: SLURM looks every two seconds
    case $MEMORY_MODE in
    cgroup | poll) echo "$MEMORY_MODE" ;;
    auto) if cgroups_writable; then echo cgroup; else echo poll; fi ;;
    *) fail "expected LADON_TESTBED_MEMORY to be auto, cgroup or poll, found '$MEMORY_MODE'" ;;
    esac
}

enforcement() { # MODE: lines of slurm.conf
    if [ "$1" = cgroup ]; then
        echo "ProctrackType=proctrack/cgroup"
        echo "TaskPlugin=task/cgroup"
        echo "JobAcctGatherType=jobacct_gather/linux"
    else
        # linuxproc loses a child that has left its parent; the epilog finds it by its environment.
        echo "ProctrackType=proctrack/linuxproc"
        echo "TaskPlugin=task/none"
        echo "JobAcctGatherType=jobacct_gather/linux"
        echo "JobAcctGatherParams=OverMemoryKill"
        echo "Epilog=$CONFIGURATION/epilog.sh"
    fi
}

# v1 touches nothing until a job uses it; where SLURM knows how, it is told that there are none.
cgroup_plugin() { # MODE
    local year month
    IFS=' .-' read -r _ _ year month _ <<<"$(slurmd -V)" # slurm-wlm 22.05.8
    if [ "$1" = poll ] && [ "$((10#$year * 100 + 10#$month))" -ge 2405 ]; then
        echo disabled
    else
        echo cgroup/v1
    fi
}

node_lines() {
    local node gres
    for node in "${NODES[@]}"; do
        gres=
        if [[ " ${GPU_NODES[*]} " == *" $node "* ]]; then
            gres=" Gres=gpu:fake:$NODE_GPUS"
        fi
        echo "NodeName=$node NodeHostname=$node NodeAddr=$(address_of "$node") CPUs=$NODE_CPUS" \
            "Boards=1 SocketsPerBoard=1 CoresPerSocket=$NODE_CPUS ThreadsPerCore=1" \
            "RealMemory=$NODE_MEMORY_MB TmpDisk=$LOCAL_DISK_MB$gres State=UNKNOWN"
    done
}

render() { # NAME=VALUE...: standard input with each @NAME@ replaced
    local text pair
    text=$(cat)
    for pair in "$@"; do
        text=${text//"@${pair%%=*}@"/"${pair#*=}"}
    done
    [[ $text =~ @[A-Z_]+@ ]] && fail "expected every name of a template to be given, found ${BASH_REMATCH[0]} left over"
    printf '%s\n' "$text"
}

password() { # of the database: made once
    local file=$CONFIGURATION/database.password
    [ -s "$file" ] || (umask 077 && head -c 24 /dev/urandom | base64 | tr -d '/+=\n' >"$file")
    cat "$file"
}

write_configuration() {
    local mode name gpu values
    mode=$(memory_mode)
    values=(HOST="$HOST" HOST_ADDRESS="$HOST_ADDRESS" STATE="$STATE" RUN="$RUN" LOGS="$LOGS"
        LOCAL_DISK="$LOCAL_DISK" MEMORY="$mode" DATABASE_PORT="$DATABASE_PORT"
        CPU_LIST="$(joined "${CPU_NODES[@]}")" GPU_LIST="$(joined "${GPU_NODES[@]}")"
        LAST_GPU="$((NODE_GPUS - 1))" ENFORCEMENT="$(enforcement "$mode")"
        CGROUP_PLUGIN="$(cgroup_plugin "$mode")"
        NODE_LINES="$(node_lines)" PASSWORD="$(password)")
    mkdir -p "$STATE/gpus"
    for ((gpu = 0; gpu < NODE_GPUS; gpu++)); do
        ln -sfn /dev/null "$STATE/gpus/fake$gpu"
    done
    rm -f "$CONFIGURATION"/*.conf
    for name in slurm gres cgroup slurmdbd; do
        (umask 077 && render "${values[@]}" <"$HERE/$name.conf.in" >"$CONFIGURATION/$name.conf")
        [ "$name" = slurmdbd ] || chmod 644 "$CONFIGURATION/$name.conf"
    done
    install_epilog "$mode"
    echo "$mode" >"$CONFIGURATION/memory-mode"
}

install_epilog() { # MODE
    rm -f "$CONFIGURATION/epilog.sh"
    [ "$1" = cgroup ] || command install -m 755 "$HERE/epilog.sh" "$CONFIGURATION/epilog.sh"
}

memory_sentence() {
    case $(cat "$CONFIGURATION/memory-mode" 2>/dev/null) in
    cgroup) echo "memory is enforced by the kernel (task/cgroup, cgroup v1)" ;;
    poll) echo "memory is enforced by SLURM, which looks every 2 s (OverMemoryKill): a job may exceed it for a moment" ;;
    *) echo "memory: not known, nothing is configured" ;;
    esac
}

# Clients look at /etc/slurm when nothing tells them; a configuration that is there is kept aside.
link_configuration() {
    mkdir -p "$(dirname "$SYSTEM_CONFIGURATION")"
    [ "$(readlink "$SYSTEM_CONFIGURATION")" != "$SLURM_CONFIGURATION" ] || return 0
    if [ -e "$SYSTEM_CONFIGURATION" ] || [ -L "$SYSTEM_CONFIGURATION" ]; then
        [ ! -e "$SYSTEM_BACKUP" ] || fail "expected no $SYSTEM_BACKUP beside another $SYSTEM_CONFIGURATION; move one of them away"
        mv "$SYSTEM_CONFIGURATION" "$SYSTEM_BACKUP"
        say "kept the SLURM configuration of this machine as $SYSTEM_BACKUP; down puts it back"
    fi
    ln -s "$SLURM_CONFIGURATION" "$SYSTEM_CONFIGURATION"
}

unlink_configuration() {
    if [ "$(readlink "$SYSTEM_CONFIGURATION")" = "$SLURM_CONFIGURATION" ]; then
        rm -f "$SYSTEM_CONFIGURATION"
        [ ! -e "$SYSTEM_BACKUP" ] || mv "$SYSTEM_BACKUP" "$SYSTEM_CONFIGURATION"
    fi
}
