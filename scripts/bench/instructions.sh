# shellcheck shell=bash
# Instructions for each request, under callgrind. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154

# How many instructions a request to `$1` takes: callgrind writes what it has counted before and after, so that the start is left out,
# and each thread by itself, so that it is those of the thread that answers. What is written beside the requests, every few seconds,
# would else count as if there were few of them: under callgrind a second holds a fiftieth of its requests.
instructions() {
    local name=$1 path=$2 credentials=$3 body=$4 log=$work/$1/log
    python3 scripts/bench/count.py "${ports[$name]}" "$path" 200 "$credentials" "$body" >/dev/null
    callgrind_control -d "${pids[$name]}" >>"$log" 2>&1
    python3 scripts/bench/count.py "${ports[$name]}" "$path" "$counted" "$credentials" "$body" >/dev/null
    callgrind_control -d "${pids[$name]}" >>"$log" 2>&1
    local newest
    newest=$(find "$work/$name" -name 'callgrind.[0-9]*' | sort -V | tail -n 1)
    awk -v counted="$counted" '/^totals:/ && $2 > most { most = $2 } END { printf "%.0f", most / counted }' "${newest%-*}"-*
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
    valgrind_options=(valgrind --tool=callgrind --separate-threads=yes "--callgrind-out-file=$work/$1/callgrind" "--log-file=$work/$1/valgrind")
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
