#!/usr/bin/env bash
# Everything that must hold before a change is taken: format, lints, docs, and every test on memory, SQLite and PostgreSQL.
#
# Needs rustup and build-essential; installs the rest with apt-get on first use, starts a PostgreSQL of its own on a
# temporary cluster, and leaves nothing running. Ends with a line `N passed, N failed`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

clients=$PWD/target/clients
work=$(mktemp -d)
# shellcheck source=scripts/common.sh
source scripts/common.sh

leave() {
    local status=$?
    trap - EXIT
    stop_postgres
    rm -rf "$work"
    exit "$status"
}
trap leave EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

install_packages() {
    local packages=()
    [[ -n $(find_postgres) ]] || packages+=(postgresql)
    command -v curl >/dev/null || packages+=(curl ca-certificates)
    command -v openssl >/dev/null || packages+=(openssl)
    command -v jq >/dev/null || packages+=(jq)
    command -v sqlite3 >/dev/null || packages+=(sqlite3)
    python3 -c 'import venv, ensurepip' 2>/dev/null || packages+=(python3 python3-venv)
    command -v go >/dev/null || packages+=(golang-go)
    [[ -d /usr/share/gocode/src/golang.org/x/oauth2 ]] || packages+=(golang-golang-x-oauth2-dev)
    [[ -d /usr/share/gocode/src/github.com/coreos/go-oidc ]] || packages+=(golang-github-coreos-go-oidc-dev)
    command -v node >/dev/null || packages+=(nodejs)
    command -v npm >/dev/null || packages+=(npm)
    command -v java >/dev/null || packages+=(default-jdk-headless)
    command -v chromium >/dev/null || packages+=(chromium)
    command -v chromedriver >/dev/null || packages+=(chromium-driver)
    # Without a font a browser draws no letters.
    [[ -f /usr/share/fonts/truetype/dejavu/DejaVuSans.ttf ]] || packages+=(fonts-dejavu-core)
    apt_install "${packages[@]}"
}

# Each environment is made again only when the file that describes it has changed.
prepare_clients() {
    mkdir -p "$clients/python" "$clients/node" "$clients/go"
    if ! cmp -s tests/clients/requirements.txt "$clients/python/requirements.txt"; then
        python3 -m venv --clear "$clients/python"
        "$clients/python/bin/pip" install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
        cp tests/clients/requirements.txt "$clients/python/"
    fi
    if ! cmp -s tests/clients/package.json "$clients/node/package.json" || [[ ! -d $clients/node/node_modules/axe-core ]]; then
        cp tests/clients/package.json "$clients/node/"
        npm install --prefix "$clients/node" --silent --no-audit --no-fund --no-package-lock
    fi
    # Node looks for libraries beside the file that imports them.
    cp tests/clients/client.mjs "$clients/node/client.mjs"
    GO111MODULE=off GOFLAGS='' GOPATH=/usr/share/gocode GOCACHE="$clients/go/cache" \
        go build -o "$clients/go/client" tests/clients/client.go
    export MINTMARK_TEST_PYTHON=$clients/python/bin/python
    export MINTMARK_TEST_NODE_CLIENT=$clients/node/client.mjs
    export MINTMARK_TEST_GO_CLIENT=$clients/go/client
    export MINTMARK_TEST_AXE=$clients/node/node_modules/axe-core/axe.min.js
}

# How many tests with `$1` as a segment of their name passed.
ran_on() {
    grep -cE "^test ([a-z0-9_]+::)*$1(::[a-z0-9_]+)* (- should panic )?\.\.\. ok$" "$work/tests.log" || true
}

# The sum of the numbers before the word `$1` in the result line of every test binary.
total() {
    sed -nE "s/^test result: .* ([0-9]+) $1.*/\1/p" "$work/tests.log" | awk '{ sum += $1 } END { print sum + 0 }'
}

report() {
    local status=$1 store count passed failed ignored
    passed=$(total passed) failed=$(total failed) ignored=$(total ignored)
    say 'Tests by store'
    for store in memory sqlite postgresql; do
        count=$(ran_on "$store")
        printf '%-10s %5d\n' "$store" "$count"
        if ((count == 0)); then
            echo "no test passed on $store" >&2
            status=1
        fi
    done
    if ((ignored > 0)); then
        echo "$ignored tests were skipped: a test runs or it is not there" >&2
        status=1
    fi
    printf '%d passed, %d failed\n' "$passed" "$failed"
    return "$status"
}

install_packages
say 'Preparing the clients'
prepare_clients
say 'Starting PostgreSQL'
start_postgres
export MINTMARK_TEST_POSTGRES_URL=$postgres_url
# With this, a test that lacks what it needs fails; it never passes by skipping.
export MINTMARK_TEST_REQUIRE_ALL=1

say 'Format'
cargo fmt --check
say 'Lints'
cargo clippy --locked --all-targets -- -D warnings
say 'Docs'
RUSTDOCFLAGS='-D warnings' cargo doc --locked --no-deps
say 'Tests'
status=0
cargo test --locked --no-fail-fast 2>&1 | tee "$work/tests.log" || status=$?
report "$status"
