# shellcheck shell=bash
# Rows about one server, or about a part of it. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154

# Latencies at half of the peak, of ours and of the bare handler in turn.
measure_latency() {
    local peak number
    for ((number = 0; number < 5; number++)); do ask_ten; done | cut -d' ' -f1 >"$work/peak"
    peak=$(median "$work/peak")
    for ((number = -1; number < slices; number++)); do
        pace ten "$peak" >"$work/a"
        pace bare "$peak" >"$work/b"
        # The first pair warms both up.
        ((number < 0)) && continue
        cat "$work/a" >>"$work/latency_ten"
        cat "$work/b" >>"$work/latency_bare"
    done
    latency_row ten "at half of $peak /s" '<= 4'
    latency_row bare 'of the bare handler at the same rate' ''
}

# Asks `$1` for tokens for two seconds, at half of the rate `$2`.
pace() {
    alone "$1"
    taskset -c "$load_core" "$examples/pace" "127.0.0.1:${ports[$1]}" "$work/ten/clients" \
        "$(awk -v peak="$2" 'BEGIN { print peak / 2 }')" 2
}

latency_row() {
    local figures=$work/latency_$1 p50 p99 ratio
    p50=$(cut -d' ' -f2 "$figures" | quartiles '%.0f')
    p99=$(cut -d' ' -f3 "$figures" | quartiles '%.0f')
    ratio=$(awk '{ print $3 / $2 }' "$figures" | quartiles '%.2f')
    row "latency $2: p99, beside p50" "$p99 µs" "$p50 µs" "$ratio" "$(held "$ratio" "$3")"
}

measure_start() {
    local number
    ports[started]=$(free_port)
    install started 10
    for ((number = 0; number <= 10; number++)); do
        (enter started && exec taskset -c "$server_core" python3 "$starter" "${ports[started]}" "$work/started/clients" "$mintmark" serve)
    done | tail -n 10 >"$work/starts"
    local ready token
    ready=$(cut -d' ' -f1 "$work/starts" | quartiles '%.0f')
    token=$(cut -d' ' -f2 "$work/starts" | quartiles '%.0f')
    row 'start to ready, existing SQLite installation' "$ready ms" '' '' "$(held "$ready" '<= 150' ms)"
    row 'start to first token' "$token ms" '' '' ''
}

measure_size() {
    row 'the program' "$(stat -c %s "$mintmark" | awk '{ printf "%.1f", $1 / 1048576 }') MiB" '' '' ''
}

# In a process of its own, without the tests' store: examples/allocations.rs counts as the test of the budget does.
measure_allocations() {
    local own all framework
    read -r own all framework < <("$examples/allocations")
    row "allocations per issued token in our own code; beside the framework's" "$own of $all" "$framework" '' "$(held "$own" '<= 25')"
}
