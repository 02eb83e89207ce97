# Sourced by `server`: ZooKeeper 3.8, for Kafka 3.9 in ZooKeeper mode.
# shellcheck shell=bash disable=SC2034,SC2046,SC2154,SC2207,SC2059
. "$testbed/lib/kafka.sh"

zookeeper_ports() { echo client; }

zookeeper_prepare() {
    {
        echo "dataDir=$folder/data"
        echo "clientPort=${port[client]}"
        echo "clientPortAddress=127.0.0.1"
        echo "admin.enableServer=false"
        settings
    } >"$folder/zookeeper.properties"
    log_settings "$folder"
}

zookeeper_command() {
    command=("$(java_between 17 21)" $(jvm 128m) "${logging[@]}" -cp "$(<"$cache/jars/kafka-3.9/classpath")"
        org.apache.zookeeper.server.quorum.QuorumPeerMain "$folder/zookeeper.properties")
}

zookeeper_is_ready() {
    exec 4<>"/dev/tcp/127.0.0.1/${port[client]}" || return
    printf srvr >&4
    [[ $(timeout 5 cat <&4) == *'Mode: standalone'* ]]
}

zookeeper_facts() { echo "client=127.0.0.1:${port[client]}"; }

zookeeper_log() { echo "$folder/log"; }
