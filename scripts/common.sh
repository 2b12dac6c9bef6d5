# shellcheck shell=bash
# What scripts/test.sh and scripts/bench.sh share: packages from Debian, and a PostgreSQL of their own on a temporary cluster.
# Whoever sources it sets `work`, a folder for what is written, and calls `stop_postgres` before leaving.

cluster=''
postgres_bin=''
postgres_url=''

say() {
    printf '\n== %s (%d s)\n' "$1" "$SECONDS"
}

fail() {
    printf '%s: %s\n' "$0" "$1" >&2
    exit 1
}

# Runs a command as the user the cluster belongs to: PostgreSQL refuses to run as root.
as_postgres() {
    if ((EUID == 0)); then (cd / && runuser -u postgres -- "$@"); else "$@"; fi
}

find_postgres() {
    # Debian keeps the server of each major version in a folder of its own; the newest is taken.
    find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1
}

# Installs the packages named, if any.
apt_install() {
    (($#)) || return 0
    local root=()
    ((EUID == 0)) || root=(sudo)
    say "Installing $*"
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" \
        >"$work/apt.log" 2>&1 || {
        tail -n 30 "$work/apt.log" >&2
        fail "apt-get could not install $*"
    }
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# Starts a PostgreSQL, under the command given where there is one, and leaves its URL in `postgres_url`.
start_postgres() {
    postgres_bin=$(dirname "$(find_postgres)")
    cluster=$(mktemp -d)
    local password port attempt
    password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
    (umask 077 && printf '%s' "$password" >"$cluster/password")
    ((EUID != 0)) || chown -R postgres "$cluster"
    as_postgres "$postgres_bin/initdb" -D "$cluster/data" --username=mintmark --pwfile="$cluster/password" \
        --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 >"$work/initdb.log" || {
        cat "$work/initdb.log" >&2
        fail "initdb failed"
    }
    cat >>"$cluster/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$cluster'
max_connections = 200
fsync = on
CONF
    # Another process may take the free port before the server does.
    for attempt in 1 2 3 4 5; do
        port=$(free_port)
        if as_postgres "$@" "$postgres_bin/pg_ctl" -D "$cluster/data" -l "$cluster/log" -o "-p $port" -s -w start; then
            postgres_url="postgresql://mintmark:$password@127.0.0.1:$port/mintmark"
            PGPASSWORD=$password "$postgres_bin/createdb" -h 127.0.0.1 -p "$port" -U mintmark mintmark
            return
        fi
        echo "PostgreSQL did not start on port $port (attempt $attempt)" >&2
    done
    tail -n 20 "$cluster/log" >&2
    fail "PostgreSQL does not start"
}

stop_postgres() {
    if [[ -n $cluster && -f $cluster/data/postmaster.pid ]]; then
        as_postgres "$postgres_bin/pg_ctl" -D "$cluster/data" -m immediate -s stop || true
    fi
    rm -rf ${cluster:+"$cluster"}
}
