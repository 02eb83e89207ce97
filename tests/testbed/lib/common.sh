# Sourced by the test bed's scripts: where things are, Java, ports.
# shellcheck shell=bash disable=SC2013,SC2034

testbed=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${RUNNER_DEV_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/runner-dev}/testbed

say() { echo "testbed: $*" >&2; }
fail() {
    say "$@"
    exit 1
}

# Exits with 69 (unavailable), which a caller may take for "not on this machine".
unavailable() {
    say "$@"
    exit 69
}

# java LEAST MOST: the path of the oldest Java between these versions.
java_between() {
    local release home version found='' best=999
    for release in "${JAVA_HOME:-/none}/release" /usr/lib/jvm/*/release; do
        [ -r "$release" ] || continue
        home=${release%/release}
        version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$release")
        if [ -x "$home/bin/java" ] && [ "${version:-0}" -ge "$1" ] && [ "$version" -le "$2" ] && [ "$version" -lt "$best" ]; then
            best=$version found=$home/bin/java
        fi
    done
    [ -n "$found" ] && echo "$found"
}

# packages NAME...: from the system's packages.
packages() {
    local as_root
    as_root=$([ "$(id -u)" = 0 ] || echo sudo)
    if ! command -v apt-get >/dev/null || ! command -v "${as_root:-sh}" >/dev/null; then
        unavailable "install $* first; they can be installed here only with apt-get, as root or by sudo"
    fi
    say "installing $* from the system's packages"
    $as_root apt-get update -qq
    $as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# free_port [WISH]: a port that nothing listens on, the wish if it can be. Below the range from which the system takes
# the ports of outgoing connections, so that none of those is in the way by the time a server binds.
free_port() {
    local port=${1:-$((20000 + SRANDOM % 10000))}
    while is_open "$port"; do port=$((20000 + SRANDOM % 10000)); done
    echo "$port"
}

is_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# listens PID PORT: whether that process, and no other, is the one that listens there.
listens() {
    local inode
    for inode in $(awk -v port="$(printf ':%04X$' "$2")" '$4 == "0A" && $2 ~ port { print $10 }' /proc/net/tcp /proc/net/tcp6); do
        [ -z "$(find "/proc/$1/fd" -lname "socket:\[$inode\]" -print -quit 2>/dev/null)" ] || return 0
    done
    return 1
}
