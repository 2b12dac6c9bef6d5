# shellcheck shell=bash
# The rows beside many revoked tokens. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154

# Issuing and introspecting in one process beside many revoked tokens and beside none: `measure_revoked STORE URL URL`.
measure_revoked() {
    local store=$1 kind what many none median first third
    shift
    say "Revoking $revoked tokens, $store"
    taskset -c "$server_core" "$examples/revoked" "$revoked" "$@" >"$work/revoked"
    while IFS=$'\t' read -r kind what many none median first third; do
        case $kind in
        # Here the fields are: how many tokens, milliseconds.
        opened) ((what == 0)) || remark "With $what revoked tokens, $store, a replica opens in $many ms." ;;
        compared)
            row "$what, $store, $revoked revoked tokens; beside none revoked" "$many /s" "$none /s" \
                "$median ($first–$third)" "$(held "$median" '>= 0.90')"
            ;;
        esac
    done <"$work/revoked"
}
