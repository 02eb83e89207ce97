# Sourced by `server`: Kafka, by its own quorum, or on ZooKeeper with zookeeper=ADDRESS.
# Options: secured=yes (a listener for each way to log in and for each certificate), proxy=PORT (a listener
# `proxied`, whose clients are told that port for it).
# shellcheck shell=bash disable=SC2034,SC2046,SC2154,SC2207,SC2059

# With `secured`: the user and her password, for SASL.
kafka_user=runner
kafka_password=runner-dev-password
# With `secured`: listeners and the certificate that each shows.
kafka_listeners=(
    SSL:good SSL_CLIENT:good SSL_EXPIRED:expired SSL_FOREIGN:foreign SSL_ELSEWHERE:elsewhere
    SASL_PLAINTEXT: SASL_SSL:good
)

kafka_ports() {
    echo plaintext
    [ -n "${option[zookeeper]:-}" ] || echo controller
    [ -z "${option[proxy]:-}" ] || echo proxied
    [ -n "${option[secured]:-}" ] || return 0
    local listener
    for listener in "${kafka_listeners[@]%:*}"; do echo "${listener,,}"; done
}

kafka_prepare() {
    local at=127.0.0.1 protocols=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
    local listeners=PLAINTEXT://$at:${port[plaintext]} listener name advertised
    [ -z "${option[secured]:-}" ] || "$testbed/certificates" "$folder/certificates"
    [ -z "${option[proxy]:-}" ] || listeners+=,PROXIED://$at:${port[proxied]}
    {
        if [ -n "${option[secured]:-}" ]; then
            for listener in "${kafka_listeners[@]}"; do
                name=${listener%:*}
                listeners+=,$name://$at:${port[${name,,}]}
                case $name in SASL_*) protocols+=,$name:$name ;; *) protocols+=,$name:SSL ;; esac
                kafka_listener "${name,,}" "${listener#*:}"
            done
        fi
        advertised=${listeners/PROXIED:*:${port[proxied]:-}/PROXIED://$at:${option[proxy]:-}}
        echo "advertised.listeners=$advertised"
        [ -n "${option[zookeeper]:-}" ] || listeners+=,CONTROLLER://$at:${port[controller]}
        echo "listeners=$listeners"
        echo "listener.security.protocol.map=$protocols"
        echo "log.dirs=$folder/data"
        if [ -n "${option[zookeeper]:-}" ]; then
            echo "broker.id=1"
            echo "zookeeper.connect=${option[zookeeper]}"
        else
            echo "node.id=1"
            echo "process.roles=broker,controller"
            echo "controller.listener.names=CONTROLLER"
            echo "controller.quorum.voters=1@$at:${port[controller]}"
        fi
        kafka_alone
        settings
    } >"$folder/server.properties"
    log_settings "$folder"
    [ -n "${option[zookeeper]:-}" ] || [ -e "$folder/data/meta.properties" ] || kafka_format
}

# What one broker alone needs, and what makes its first consumer group quick.
kafka_alone() {
    local topic
    for topic in offsets.topic transaction.state.log; do
        echo "$topic.num.partitions=4"
        echo "$topic.replication.factor=1"
    done
    echo "transaction.state.log.min.isr=1"
    echo "group.initial.rebalance.delay.ms=0"
}

# kafka_listener NAME CERTIFICATE
kafka_listener() {
    local of=listener.name.$1 user=user_$kafka_user login=org.apache.kafka.common.security
    if [ -n "$2" ]; then
        echo "$of.ssl.keystore.type=PEM"
        echo "$of.ssl.keystore.location=$folder/certificates/$2.pem"
        echo "$of.ssl.truststore.type=PEM"
        echo "$of.ssl.truststore.location=$folder/certificates/ca.crt"
    fi
    [ "$1" != ssl_client ] || echo "$of.ssl.client.auth=required"
    case $1 in sasl_*)
        echo "$of.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256,SCRAM-SHA-512"
        echo "$of.plain.sasl.jaas.config=$login.plain.PlainLoginModule required $user=\"$kafka_password\";"
        echo "$of.scram-sha-256.sasl.jaas.config=$login.scram.ScramLoginModule required;"
        echo "$of.scram-sha-512.sasl.jaas.config=$login.scram.ScramLoginModule required;"
        ;;
    esac
}

kafka_format() {
    local of="[name=$kafka_user,password=$kafka_password]" users=()
    [ -z "${option[secured]:-}" ] || users=(--add-scram "SCRAM-SHA-256=$of" --add-scram "SCRAM-SHA-512=$of")
    "$(java_between 17 21)" -Xmx128m -XX:TieredStopAtLevel=1 "${logging[@]}" -cp "$(<"$cache/jars/$kind/classpath")" \
        kafka.tools.StorageTool format --config "$folder/server.properties" "${users[@]}" \
        --cluster-id "$(head -c 16 /dev/urandom | base64 | tr +/ xy | head -c 22)" >"$folder/format.log" 2>&1 ||
        fail "Kafka's storage could not be formatted: $(tail -n 5 "$folder/format.log")"
}

# What is logged goes to standard output. Sets `logging`.
log_settings() {
    case $kind in
    kafka-4.*)
        cat >"$1/log4j2.properties" <<-'END'
			rootLogger.level = INFO
			rootLogger.appenderRef.out.ref = OUT
			appender.out.type = Console
			appender.out.name = OUT
			appender.out.layout.type = PatternLayout
			appender.out.layout.pattern = %d %p %m (%c)%n
		END
        logging=("-Dlog4j2.configurationFile=$1/log4j2.properties")
        ;;
    *)
        cat >"$1/log4j.properties" <<-'END'
			log4j.rootLogger = INFO, OUT
			log4j.logger.org.reflections = ERROR
			log4j.appender.OUT = org.apache.log4j.ConsoleAppender
			log4j.appender.OUT.layout = org.apache.log4j.PatternLayout
			log4j.appender.OUT.layout.ConversionPattern = %d %p %m (%c)%n
		END
        logging=("-Dlog4j.configuration=file:$1/log4j.properties")
        ;;
    esac
}

kafka_command() {
    command=("$(java_between 17 21)" $(jvm 512m) "${logging[@]}" -cp "$(<"$cache/jars/$kind/classpath")"
        kafka.Kafka "$folder/server.properties")
}

# Whether a metadata request (version 7, no topics) is answered with a broker.
kafka_is_ready() {
    local answer
    exec 4<>"/dev/tcp/127.0.0.1/${port[plaintext]}" || return
    printf '\0\0\0\x0f\0\x03\0\x07\0\0\0\x01\xff\xff\0\0\0\0\0' >&4
    answer=$(timeout 5 head -c 16 <&4 | od -An -v -tx1 | tr -d ' \n')
    exec 4>&-
    [ "${answer:8:8}${answer:24:8}" = 0000000100000001 ]
}

kafka_facts() {
    local name
    for name in $(kafka_ports); do echo "$name=127.0.0.1:${port[$name]}"; done
    [ -z "${option[secured]:-}" ] || echo "certificates=$folder/certificates"
}

kafka_log() { echo "$folder/log"; }
