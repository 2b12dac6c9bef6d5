# shellcheck shell=bash
# The servers that are measured: their installations, how they start and end. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154,SC2034

declare -A pids=() ports=() admins=()

# Puts the settings of the installation `$1` into the environment, and goes into its folder.
enter() {
    local folder=$work/$1
    set -a
    # shellcheck source=/dev/null
    source "$folder/settings"
    MINTMARK_KEYS__MASTER_KEY_FILE=$folder/master.key
    MINTMARK_REGISTRY__CACHE=$active
    MINTMARK_TOKENS__LIFETIME=3600s
    MINTMARK_LISTEN__PUBLIC=127.0.0.1:${ports[$1]:-0}
    MINTMARK_LISTEN__ADMIN=127.0.0.1:${admins[$1]:-0}
    set +a
    cd "$folder" || exit
}

# Makes the installation `$1` with `$2` clients; what follows are settings of its own.
install() {
    local name=$1 number=$2
    shift 2
    mkdir -p "$work/$name"
    printf '%s\n' "MINTMARK_DATABASE__URL=sqlite:$work/$name/mintmark.db" "$@" >"$work/$name/settings"
    (enter "$name" && exec "$examples/seed" "$number" "$work/$name")
}

# Waits until something is served on the port of `$1`.
wait_for() {
    local attempt
    for ((attempt = 0; attempt < 3000; attempt++)); do
        ! curl -fs -o "$work/discarded" "http://127.0.0.1:${ports[$1]}/$2" || return 0
        kill -0 "${pids[$1]}" 2>/dev/null || break
        sleep 0.1
    done
    tail -n 5 "$work/$1/log" >&2
    fail "the server $1 does not start"
}

# Starts the server of the installation `$1` on the servers' core, under the command that follows, if any.
serve() {
    local name=$1
    shift
    ports[$name]=$(free_port)
    admins[$name]=$(free_port)
    mkdir -p "$work/$name"
    (enter "$name" && exec taskset -c "$server_core" "$@" "$mintmark" serve) >"$work/$name/log" 2>&1 &
    pids[$name]=$!
    wait_for "$name" readyz
}

# Starts the bare handler under the name `$1`, signing with `$2`.
serve_bare() {
    local name=$1 algorithm=$2
    shift 2
    ports[$name]=$(free_port)
    mkdir -p "$work/$name"
    taskset -c "$server_core" "$@" "$examples/bare" "$algorithm" "127.0.0.1:${ports[$name]}" >"$work/$name/log" 2>&1 &
    pids[$name]=$!
    wait_for "$name" empty
}

stop() {
    kill "${pids[$1]}" 2>/dev/null || true
    # One that was made to stand still ends only when it goes on.
    kill -s CONT "${pids[$1]}" 2>/dev/null || true
    wait "${pids[$1]}" 2>/dev/null || true
    unset "pids[$1]"
}

resident() {
    awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/${pids[$1]}/status"
}

# Makes an empty database in the PostgreSQL that was started, and prints its URL.
new_database() {
    "$postgres_bin/psql" --quiet --no-psqlrc --dbname="$postgres_url" --command="CREATE DATABASE $1" >&2
    printf '%s/%s\n' "${postgres_url%/*}" "$1"
}
