# shellcheck shell=bash
# Figures and the rows they make. Sourced by scripts/bench.sh, whose variables it uses.
# shellcheck disable=SC2154

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

# A sentence below the table.
remark() {
    printf '\n%s\n' "$1" >>"$work/remarks"
}
