#!/usr/bin/env bash
# What docs/PERFORMANCE.md says, measured: Mintmark beside examples/bare.rs on one core, loaded from another.
#
#   scripts/bench.sh [--quick] [--rows ROW,…] [--clients NUMBER]
#
# Needs two cores, rustup and build-essential; installs the rest with apt-get on first use, starts a PostgreSQL of its own, and
# leaves nothing running. Prints one table; a complete run also writes it into docs/PERFORMANCE.md.
#
# --quick      five slices of each instead of twenty: an impression, in a quarter of the time
# --rows       only these, of: es256 eddsa rs256 postgresql million fresh repeated jwks latency memory start size instructions
# --clients    how many are registered for the rows million and memory, instead of 1000000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
# shellcheck source=scripts/common.sh
source scripts/common.sh

all_rows=es256,eddsa,rs256,postgresql,million,fresh,repeated,jwks,latency,memory,start,size,instructions
rows=$all_rows
slices=20
clients=1000000
active=100000
connections=32
counted=1000
server_core=0
load_core=1
mintmark=$PWD/target/release/mintmark
bare=$PWD/target/release/examples/bare
seed=$PWD/target/release/examples/seed
starter=$PWD/scripts/bench/start.py
form=grant_type=client_credentials

declare -A pids=() ports=() admins=()

leave() {
    local status=$?
    trap - EXIT
    for name in "${!pids[@]}"; do stop "$name"; done
    stop_postgres
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

read_arguments() {
    while (($#)); do
        case $1 in
        --quick) slices=5 ;;
        --rows) rows=${2:?--rows takes a list} && shift ;;
        --clients) clients=${2:?--clients takes a number} && shift ;;
        *) fail "$1 is not an option: --quick, --rows, --clients" ;;
        esac
        shift
    done
    ((active <= clients)) || active=$clients
}

wanted() {
    [[ ,$rows, == *,$1,* ]]
}

prepare() {
    (($(nproc) >= 2)) || fail 'two cores are needed, one for the servers and one for the load; this machine has one'
    local packages=()
    [[ -n $(find_postgres) ]] || packages+=(postgresql)
    command -v wrk >/dev/null || packages+=(wrk)
    command -v valgrind >/dev/null || packages+=(valgrind)
    command -v curl >/dev/null || packages+=(curl ca-certificates)
    command -v python3 >/dev/null || packages+=(python3)
    apt_install "${packages[@]}"
    say 'Building'
    cargo build --locked --release --quiet --bin mintmark --example bare --example seed
}

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
    cd "$folder"
}

# Makes the installation `$1` with `$2` clients; what follows are settings of its own.
install() {
    local name=$1 number=$2
    shift 2
    mkdir -p "$work/$name"
    printf '%s\n' "MINTMARK_DATABASE__URL=sqlite:$work/$name/mintmark.db" "$@" >"$work/$name/settings"
    (enter "$name" && exec "$seed" "$number" "$work/$name")
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
    taskset -c "$server_core" "$@" "$bare" "$algorithm" "127.0.0.1:${ports[$name]}" >"$work/$name/log" 2>&1 &
    pids[$name]=$!
    wait_for "$name" empty
}

stop() {
    kill "${pids[$1]}" 2>/dev/null || true
    wait "${pids[$1]}" 2>/dev/null || true
    unset "pids[$1]"
}

# Loads `$1` at the path `$2` for the time `$3`; the rest goes to requests.lua. Prints requests a second, and two percentiles.
load() {
    local name=$1 path=$2 time=$3 figures rate failed p50 p99
    shift 3
    figures=$(taskset -c "$load_core" wrk --latency -t1 -c"$connections" -d"$time" -s scripts/bench/requests.lua \
        "http://127.0.0.1:${ports[$name]}$path" -- "$@" | sed -n 's/^FIGURES //p')
    read -r rate failed p50 p99 <<<"$figures"
    ((failed == 0)) || fail "$failed requests to $name$path failed; its log ends: $(tail -n 1 "$work/$name/log")"
    printf '%s %s %s\n' "$rate" "$p50" "$p99"
}

# The quartiles of the numbers on standard input, the median first, each as the format `$1` has it.
quartiles() {
    sort -n | awk -v format="$1" '
        { value[NR] = $1 }
        function quantile(share, position, below) {
            position = 1 + (NR - 1) * share
            below = int(position)
            return value[below] + (position - below) * (value[below < NR ? below + 1 : below] - value[below])
        }
        END { printf format " (" format "–" format ")", quantile(0.5), quantile(0.25), quantile(0.75) }'
}

median() {
    quartiles '%.1f' <"$1" | cut -d' ' -f1
}

# A row of the table: what, ours, beside it, the ratio with its quartiles, the bound.
row() {
    printf '| %s | %s | %s | %s | %s |\n' "$@" | tee -a "$work/table"
}

# Whether `$1` holds the bound `$2`, such as `>= 0.90`, of the unit `$3` if it has one: the last cell of a row.
held() {
    [[ -n $2 ]] || return 0
    local verdict
    verdict=$(awk -v value="${1%% *}" -v sign="${2%% *}" -v bound="${2##* }" \
        'BEGIN { print (sign == ">=" ? value >= bound : value <= bound) ? "held" : "**missed**" }')
    printf '%s%s, %s' "${2/>=/≥}" "${3:+ $3}" "$verdict" | sed 's/<=/≤/'
}

# Loads two servers in alternating slices of one second: `compare TITLE BOUND OURS BESIDE`, where OURS and BESIDE are functions
# that load for one slice, given its number.
compare() {
    local title=$1 bound=$2 ours=$3 beside=$4 number ratio
    : >"$work/ours" && : >"$work/beside"
    for ((number = -1; number < slices; number++)); do
        if ((number % 2)); then
            "$ours" "$number" >"$work/a" && "$beside" "$number" >"$work/b"
        else
            "$beside" "$number" >"$work/b" && "$ours" "$number" >"$work/a"
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
    start_postgres taskset -c "$load_core"
    install shared 10 "MINTMARK_DATABASE__URL=$postgres_url"
    serve shared
    compare 'issuing, ES256, PostgreSQL at once, 10 clients; beside bare' '>= 0.85' ask_shared ask_bare
    stop shared
}

resident() {
    awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/${pids[$1]}/status"
}

measure_million() {
    local idle used
    say "Registering $clients clients"
    install million "$clients"
    serve million
    idle=$(resident million)
    # Every active client asks once before anything is measured.
    local from
    for ((from = 0; from < active; from += active / 20)); do
        load million /qa/token 2s token "$work/million/clients" "$from" "$((active / 20))" >/dev/null
    done
    say 'Measuring'
    wanted million && compare "issuing, ES256, SQLite, $clients clients, $active asking in turn; beside 10 clients" '>= 0.90' ask_million ask_ten
    used=$(resident million)
    if wanted memory; then
        row 'resident memory, idle' "$idle MiB" '' '' "$(held "$idle" '<= 25' MiB)"
        row "resident memory after $clients clients, cache of $active" "$used MiB" '' '' "$(held "$used" '<= 160' MiB)"
    fi
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

# Half of the peak: each connection rests between its requests for as long as it takes.
measure_latency() {
    local peak pause number rate p50 p99
    connections=64
    for ((number = 0; number < 3; number++)); do ask_ten; done | cut -d' ' -f1 >"$work/peak"
    peak=$(median "$work/peak")
    pause=$(awk -v peak="$peak" -v connections="$connections" 'BEGIN { printf "%.0f", connections * 1000 / (peak / 2) }')
    for ((number = 0; number < slices; number++)); do
        load ten /qa/token 2s token "$work/ten/clients" 0 10 '' "$pause"
    done >"$work/latency"
    connections=32
    rate=$(cut -d' ' -f1 "$work/latency" | quartiles '%.0f')
    p50=$(cut -d' ' -f2 "$work/latency" | quartiles '%.0f')
    p99=$(cut -d' ' -f3 "$work/latency" | quartiles '%.0f')
    local ratio
    ratio=$(awk '{ print $3 / $2 }' "$work/latency" | quartiles '%.2f')
    row "latency at ${rate%% *} of $peak /s: p99, beside p50" "$p99 µs" "$p50 µs" "$ratio" "$(held "$ratio" '<= 4')"
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

# How many instructions a request to `$1` takes: callgrind writes what it has counted before and after, so that the start is left out.
instructions() {
    local name=$1 path=$2 credentials=$3 body=$4 log=$work/$1/log
    python3 scripts/bench/count.py "${ports[$name]}" "$path" 200 "$credentials" "$body" >/dev/null
    callgrind_control -d "${pids[$name]}" >>"$log" 2>&1
    python3 scripts/bench/count.py "${ports[$name]}" "$path" "$counted" "$credentials" "$body" >/dev/null
    callgrind_control -d "${pids[$name]}" >>"$log" 2>&1
    local newest
    newest=$(find "$work/$name" -name 'callgrind.[0-9]*' | sort -V | tail -n 1)
    awk -v counted="$counted" '/^totals:/ { printf "%.0f", $2 / counted }' "$newest"
}

# The same request to ours and to the bare handler: `count TITLE BOUND OURS BARE PATH CREDENTIALS BODY`.
count() {
    local title=$1 bound=$2 ours=$3 bare=$4 ratio
    shift 4
    ours=$(instructions "$ours" "$@")
    bare=$(instructions "$bare" "$@")
    ratio=$(awk -v ours="$ours" -v bare="$bare" 'BEGIN { printf "%.3f", ours / bare }')
    row "$title" "$ours" "$bare" "$ratio" "$(held "$ratio" "$bound")"
}

under_callgrind() {
    valgrind_options=(valgrind --tool=callgrind "--callgrind-out-file=$work/$1/callgrind" "--log-file=$work/$1/valgrind")
}

measure_instructions() {
    local algorithm bound token
    for algorithm in ES256 EdDSA RS256; do
        install counted 10 "MINTMARK_ENVIRONMENTS__QA__ALGORITHM=$algorithm"
        # The keys are made before: under callgrind that would take longer than the server waits.
        serve counted && stop counted
        under_callgrind counted && serve counted "${valgrind_options[@]}"
        under_callgrind counted_bare && serve_bare counted_bare "$algorithm" "${valgrind_options[@]}"
        bound='' && [[ $algorithm != ES256 ]] || bound='<= 1.12'
        count "instructions per issued token, $algorithm; beside bare" "$bound" counted counted_bare /qa/token "$work/counted/clients" "$form"
        if [[ $algorithm == ES256 ]]; then
            token=$(python3 scripts/bench/count.py "${ports[counted]}" /qa/token 1 "$work/counted/clients" "$form" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
            count 'instructions per introspection of a repeated token; beside bare' '' counted counted_bare /qa/introspect "$work/counted/resource_server" "token=$token"
        fi
        stop counted && stop counted_bare
        rm -rf "$work/counted" "$work/counted_bare"
    done
}

# Puts the table between the marks in the document.
write_document() {
    local document=docs/PERFORMANCE.md
    {
        sed '/<!-- figures begin -->/q' "$document"
        cat "$work/figures"
        sed -n '/<!-- figures end -->/,$p' "$document"
    } >"$work/document"
    cp "$work/document" "$document"
    say "$document is written"
}

measure() {
    say 'Measuring'
    row what Mintmark beside 'ratio, or what counts' bound
    row --- --- --- --- ---
    install ten 10
    serve ten && serve_bare bare ES256
    ! wanted es256 || compare 'issuing, ES256, SQLite, 10 clients; beside bare' '>= 0.90' ask_ten ask_bare
    ! wanted eddsa || with_algorithm EdDSA '>= 0.85'
    ! wanted rs256 || with_algorithm RS256 ''
    ! wanted postgresql || measure_postgresql
    ! wanted repeated || measure_repeated
    ! wanted fresh || measure_fresh
    ! wanted jwks || compare 'the JWK set; beside an empty answer of actix' '' get_jwks get_nothing
    ! wanted latency || measure_latency
    ! wanted million && ! wanted memory || measure_million
    stop ten && stop bare
    ! wanted start || measure_start
    ! wanted size || measure_size
    ! wanted instructions || measure_instructions
}

read_arguments "$@"
prepare
measure
{
    printf 'Measured on %s, %s cores, at commit %s, in %d s with %d slices each.\n\n' \
        "$(sed -n 's/^model name\t*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(git rev-parse --short HEAD)" "$SECONDS" "$slices"
    cat "$work/table"
} >"$work/figures"
say 'All figures'
cat "$work/figures"
if [[ $rows == "$all_rows" && $slices == 20 && $clients == 1000000 ]]; then write_document; fi
