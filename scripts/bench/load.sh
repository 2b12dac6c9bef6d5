# shellcheck shell=bash
# Load, and the rows that compare servers under it. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154

# Loads `$1` at the path `$2` for the time `$3`; the rest goes to requests.lua. Prints requests a second, and two percentiles.
load() {
    local name=$1 path=$2 time=$3 figures rate failed p50 p99
    shift 3
    alone "$name"
    figures=$(taskset -c "$load_core" wrk --latency -t1 -c"$connections" -d"$time" -s scripts/bench/requests.lua \
        "http://127.0.0.1:${ports[$name]}$path" -- "$@" | sed -n 's/^FIGURES //p')
    read -r rate failed p50 p99 <<<"$figures"
    ((failed == 0)) || fail "$failed requests to $name$path failed; its log ends: $(tail -n 1 "$work/$name/log")"
    printf '%s %s %s\n' "$rate" "$p50" "$p99"
}

# Lets the server `$1` run and no other: what each does beside its requests is then done, and counted, in its own slices.
alone() {
    local name signal
    for name in "${!pids[@]}"; do
        signal=STOP
        [[ $name != "$1" ]] || signal=CONT
        kill -s "$signal" "${pids[$name]}"
    done
}

# Loads two servers in alternating slices of one second: `compare TITLE BOUND OURS BESIDE`, where OURS and BESIDE are functions
# that load for one slice, given its number.
compare() {
    local title=$1 bound=$2 ours=$3 beside=$4 number ratio
    : >"$work/ours" && : >"$work/beside"
    for ((number = -1; number < slices; number++)); do
        if ((number % 2)); then
            "$ours" "$number" >"$work/a"
            "$beside" "$number" >"$work/b"
        else
            "$beside" "$number" >"$work/b"
            "$ours" "$number" >"$work/a"
        fi
        # The first pair warms both up.
        ((number < 0)) && continue
        cut -d' ' -f1 "$work/a" >>"$work/ours" && cut -d' ' -f1 "$work/b" >>"$work/beside"
    done
    ratio=$(paste "$work/ours" "$work/beside" | awk '{ print $1 / $2 }' | quartiles '%.3f')
    row "$title" "$(quartiles '%.0f' <"$work/ours") /s" "$(quartiles '%.0f' <"$work/beside") /s" "$ratio" "$(held "$ratio" "$bound")"
}

# Slices: of what, given the number of the slice.
ask_ten() { load ten /qa/token 1s token "$work/ten/clients" 0 10; }
ask_bare() { load bare /qa/token 1s token "$work/ten/clients" 0 10; }
ask_chosen() { load chosen /qa/token 1s token "$work/chosen/clients" 0 10; }
ask_chosen_bare() { load chosen_bare /qa/token 1s token "$work/chosen/clients" 0 10; }
ask_shared() { load shared /qa/token 1s token "$work/shared/clients" 0 10; }
introspect_ten() { load ten /qa/introspect 1s introspect "$work/ten/resource_server" 0 1 "$tokens"; }
introspect_bare() { load bare /qa/introspect 1s introspect "$work/ten/resource_server" 0 1 "$tokens"; }
get_jwks() { load ten /qa/jwks 1s get; }
get_nothing() { load bare /empty 1s get; }
# A slice asks with a quarter of the active clients, and the next one with the next quarter.
ask_million() {
    local quarter=$((active / 4))
    load million /qa/token 1s token "$work/million/clients" "$((($1 + 1) % 4 * quarter))" "$quarter"
}

# Fresh tokens: each slice asks about the ones that were issued in the second before it, and ends when it has asked about all.
introspect_fresh() {
    tokens=$work/fresh
    load ten /qa/token 1s collect "$work/ten/clients" 0 10 "$tokens" >/dev/null
    introspect_ten
}

with_algorithm() {
    local algorithm=$1 bound=$2
    install chosen 10 "MINTMARK_ENVIRONMENTS__QA__ALGORITHM=$algorithm"
    serve chosen && serve_bare chosen_bare "$algorithm"
    compare "issuing, $algorithm, SQLite, 10 clients; beside bare" "$bound" ask_chosen ask_chosen_bare
    stop chosen && stop chosen_bare
    rm -rf "$work/chosen"
}

measure_postgresql() {
    install shared 10 "MINTMARK_DATABASE__URL=$postgres_url"
    serve shared
    if wanted postgresql; then
        local before
        before=$(core_time)
        compare 'issuing, ES256, PostgreSQL at once, 10 clients; beside bare' '>= 0.85' ask_shared ask_bare
        remark "In the row of PostgreSQL at once, the core of the load, on which PostgreSQL runs too, was busy for $(busy_since "$before") %."
    fi
    ! wanted million_postgresql || measure_million_postgresql
    stop shared
}

# What the load's core has done since the machine started: all its ticks, and those in which it was idle.
core_time() {
    awk -v core="cpu$load_core" '$1 == core { for (i = 2; i <= 9; i++) all += $i; print all, $5 + $6 }' /proc/stat
}

# How busy that core has been since `$1`, in hundredths.
busy_since() {
    awk -v before="$1" '{ split(before, then, " "); printf "%.0f", 100 * (1 - ($2 - then[2]) / ($1 - then[1])) }' <<<"$(core_time)"
}

# Lets every active client of `$1` ask once before anything is measured, each twentieth of them in a time of `$2`.
warm() {
    local from
    for ((from = 0; from < active; from += active / 20)); do
        load "$1" /qa/token "$2" token "$work/$1/clients" "$from" "$((active / 20))" >/dev/null
    done
}

measure_million() {
    local idle used
    say "Registering $clients clients"
    install million "$clients"
    serve million
    idle=$(resident million)
    warm million 2s
    say 'Measuring'
    ! wanted million ||
        compare "issuing, ES256, SQLite, $clients clients, $active asking in turn; beside 10 clients" '>= 0.90' ask_million ask_ten
    used=$(resident million)
    if wanted memory; then
        row 'resident memory, idle' "$idle MiB" '' '' "$(held "$idle" '<= 25' MiB)"
        row "resident memory after $clients clients, cache of $active" "$used MiB" '' '' "$(held "$used" '<= 160' MiB)"
    fi
    stop million
    rm -rf "$work/million"
}

measure_million_postgresql() {
    say "Registering $clients clients on PostgreSQL"
    install million "$clients" "MINTMARK_DATABASE__URL=$(new_database million)"
    serve million
    # Reading a client takes longer there than from a file.
    warm million 5s
    say 'Measuring'
    compare "issuing, ES256, PostgreSQL at once, $clients clients, $active asking in turn; beside 10 clients" '>= 0.90' ask_million ask_shared
    stop million
    rm -rf "$work/million"
}

measure_repeated() {
    tokens=$work/repeated
    load ten /qa/token 1s collect "$work/ten/clients" 0 10 "$work/collected" >/dev/null
    head -n 100 "$work/collected" >"$tokens"
    compare 'introspecting 100 tokens again and again; beside bare, which parses and authenticates' '>= 0.70' introspect_ten introspect_bare
}

measure_fresh() {
    compare 'introspecting each token once; beside the same' '' introspect_fresh introspect_bare
}
