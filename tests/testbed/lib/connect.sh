# Sourced by `server`: a Kafka Connect worker with the connectors that Kafka ships. Option: bootstrap=ADDRESS.
# shellcheck shell=bash disable=SC2034,SC2046,SC2154,SC2207,SC2059
. "$testbed/lib/kafka.sh"

connect_ports() { echo rest; }

connect_prepare() {
    local topic
    {
        echo "bootstrap.servers=${option[bootstrap]:?the broker of the worker}"
        # A group of its own: another worker of the same broker would be given a part of its connectors, and take it along when it ends.
        echo "group.id=worker-${port[rest]}"
        echo "listeners=http://127.0.0.1:${port[rest]}"
        for topic in config offset status; do
            echo "$topic.storage.topic=worker-${port[rest]}-$topic"
            echo "$topic.storage.replication.factor=1"
        done
        for topic in offset status; do echo "$topic.storage.partitions=1"; done
        echo "key.converter=org.apache.kafka.connect.storage.StringConverter"
        echo "value.converter=org.apache.kafka.connect.json.JsonConverter"
        echo "value.converter.schemas.enable=false"
        # Or offsets are seen up to a minute late.
        echo "offset.flush.interval.ms=500"
        # A worker that was killed is missed soon, and what it had is given to its successor at once.
        echo "session.timeout.ms=6000"
        echo "heartbeat.interval.ms=2000"
        echo "scheduled.rebalance.max.delay.ms=0"
        echo "consumer.session.timeout.ms=6000"
        echo "consumer.heartbeat.interval.ms=2000"
        settings
    } >"$folder/connect.properties"
    log_settings "$folder"
}

connect_command() {
    command=("$(java_between 17 21)" $(jvm 256m) "${logging[@]}" -cp "$(<"$cache/jars/kafka-3.9/classpath")"
        org.apache.kafka.connect.cli.ConnectDistributed "$folder/connect.properties")
}

# Whether the worker has joined its group: before that, it lists no connectors.
connect_is_ready() {
    exec 4<>"/dev/tcp/127.0.0.1/${port[rest]}" || return
    printf 'GET /connectors HTTP/1.0\r\n\r\n' >&4
    [[ $(timeout 10 head -n 1 <&4) == *' 200 '* ]]
}

connect_facts() { echo "rest=http://127.0.0.1:${port[rest]}"; }

connect_log() { echo "$folder/log"; }
