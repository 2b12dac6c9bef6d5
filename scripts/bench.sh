#!/usr/bin/env bash
# What docs/PERFORMANCE.md says, measured: Mintmark beside examples/bare.rs on one core, loaded from another.
#
#   scripts/bench.sh [--quick] [--rows ROW,…] [--clients NUMBER] [--revoked NUMBER]
#
# Needs two cores, rustup and build-essential; installs the rest with apt-get on first use, starts a PostgreSQL of its own, and
# leaves nothing running. Prints one table; a complete run also writes it into docs/PERFORMANCE.md. Ends with 1 where a figure
# misses its bound, and says which; the table is printed and written all the same.
#
# --quick      five slices of each instead of twenty: an impression, in a quarter of the time
# --rows       only these, of: es256 eddsa rs256 postgresql million million_postgresql fresh repeated jwks revoked
#              revoked_postgresql latency memory start size allocations instructions
# --clients    how many are registered for the rows million, million_postgresql and memory, instead of 1000000
# --revoked    how many tokens are revoked for the rows revoked and revoked_postgresql, instead of 1000000
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

work=$(mktemp -d)
# shellcheck source=scripts/common.sh
source scripts/common.sh
# shellcheck source=scripts/bench/servers.sh
source scripts/bench/servers.sh
# shellcheck source=scripts/bench/figures.sh
source scripts/bench/figures.sh
# shellcheck source=scripts/bench/load.sh
source scripts/bench/load.sh
# shellcheck source=scripts/bench/revoked.sh
source scripts/bench/revoked.sh
# shellcheck source=scripts/bench/alone.sh
source scripts/bench/alone.sh
# shellcheck source=scripts/bench/instructions.sh
source scripts/bench/instructions.sh

all_rows=es256,eddsa,rs256,postgresql,million,million_postgresql,fresh,repeated,jwks,revoked,revoked_postgresql
all_rows+=,latency,memory,start,size,allocations,instructions
rows=$all_rows
slices=20
clients=1000000
active=100000
revoked=1000000
connections=32
counted=1000
server_core=0
load_core=1
mintmark=$PWD/target/release/mintmark
examples=$PWD/target/release/examples
starter=$PWD/scripts/bench/start.py
form=grant_type=client_credentials

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
        --revoked) revoked=${2:?--revoked takes a number} && shift ;;
        *) fail "$1 is not an option: --quick, --rows, --clients, --revoked" ;;
        esac
        shift
    done
    ((active <= clients)) || active=$clients
    local row
    for row in ${rows//,/ }; do
        [[ ,$all_rows, == *,$row,* ]] || fail "$row is not a row: ${all_rows//,/ }"
    done
}

# Whether one of the rows named is to be measured.
wanted() {
    local row
    for row in "$@"; do
        [[ ,$rows, != *,$row,* ]] || return 0
    done
    return 1
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
    cargo build --locked --release --quiet --bin mintmark --examples
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
    ! wanted postgresql million_postgresql revoked_postgresql || start_postgres taskset -c "$load_core"
    ! wanted postgresql million_postgresql || measure_postgresql
    ! wanted repeated || measure_repeated
    ! wanted fresh || measure_fresh
    ! wanted jwks || compare 'the JWK set; beside an empty answer of actix' '' get_jwks get_nothing
    ! wanted latency || measure_latency
    ! wanted million memory || measure_million
    stop ten && stop bare
    ! wanted revoked || measure_revoked SQLite "sqlite:$work/none.db" "sqlite:$work/many.db"
    ! wanted revoked_postgresql || measure_revoked 'PostgreSQL at once' "$(new_database none)" "$(new_database many)"
    ! wanted start || measure_start
    ! wanted size || measure_size
    ! wanted allocations || measure_allocations
    ! wanted instructions || measure_instructions
}

read_arguments "$@"
prepare
: >"$work/remarks"
measure
{
    printf 'Measured on %s, %s cores, at commit %s, in %d s with %d slices each.\n\n' \
        "$(sed -n 's/^model name\t*: //p' /proc/cpuinfo | head -n 1)" "$(nproc)" "$(git rev-parse --short HEAD)" "$SECONDS" "$slices"
    cat "$work/table" "$work/remarks"
} >"$work/figures"
say 'All figures'
cat "$work/figures"
if [[ $rows == "$all_rows" && $slices == 20 && $clients == 1000000 && $revoked == 1000000 ]]; then write_document; fi
missed=$(sed -n '/\*\*missed\*\*/s/^| \([^|]*\) |.*/  \1/p' "$work/table")
[[ -z $missed ]] || fail "these miss their bounds:
$missed"
