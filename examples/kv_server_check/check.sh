#!/usr/bin/env bash
# Checks a built kv_server from the outside: commands, limits, hostile input, idling, shutdown.
#
#   cargo build --release --example kv_server
#   examples/kv_server_check/check.sh target/release/examples/kv_server
#
# Needs Linux, python3, and redis-cli and redis-benchmark (from redis-tools, which it installs if it
# may). Prints a line for each check and, last, "N passed, M failed"; fails unless M is 0.
set -euo pipefail

readonly TIME_MAX=120

if [[ $# -ne 1 || ! -x $1 ]]; then
    echo "usage: $0 PATH-OF-KV_SERVER" >&2
    exit 2
fi

have_tools() {
    command -v redis-cli >/dev/null && command -v redis-benchmark >/dev/null
}

install_tools() {
    local root=()
    if [[ $(id -u) -ne 0 ]]; then
        command -v sudo >/dev/null || return 1
        root=(sudo -n)
    fi
    command -v apt-get >/dev/null || return 1
    "${root[@]}" apt-get update -qq
    "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq redis-tools
}

if ! have_tools; then
    echo "installing redis-tools" >&2
    install_tools >/dev/null || true
    if ! have_tools; then
        echo "redis-cli and redis-benchmark are needed and cannot be installed here" >&2
        exit 2
    fi
fi

# The checker ends its servers when it is told to end, and they end by themselves if it is killed.
exec timeout --kill-after=10 "$TIME_MAX" python3 "$(dirname "$0")/check.py" "$1"
