# Sourced by `server`: Neo4j Community. Options: pagecache=256m, plugins=apoc, http=yes (the browser),
# certificate=good|expired|foreign|elsewhere. One port takes Bolt in clear and with TLS.
# shellcheck shell=bash disable=SC2034,SC2046,SC2154,SC2207,SC2059

neo4j_password=runner-dev-password

neo4j_ports() {
    echo bolt
    [ -z "${option[http]:-}" ] || echo http
}

neo4j_prepare() {
    mkdir -p "$folder"/{conf,plugins,import}
    "$testbed/certificates" "$folder/certificates"
    {
        echo "server.bolt.listen_address=127.0.0.1:${port[bolt]}"
        echo "server.bolt.advertised_address=127.0.0.1:${port[bolt]}"
        echo "server.bolt.tls_level=OPTIONAL"
        echo "dbms.ssl.policy.bolt.enabled=true"
        echo "dbms.ssl.policy.bolt.base_directory=$folder/certificates"
        echo "dbms.ssl.policy.bolt.private_key=${option[certificate]:-good}.key"
        echo "dbms.ssl.policy.bolt.public_certificate=${option[certificate]:-good}.crt"
        echo "dbms.ssl.policy.bolt.client_auth=${option[client-certificates]:-NONE}"
        if [ -n "${option[http]:-}" ]; then
            echo "server.http.listen_address=127.0.0.1:${port[http]}"
        else
            echo "server.http.enabled=false"
        fi
        echo "server.memory.pagecache.size=${option[pagecache]:-256m}"
        # Or each database takes 256 MiB of disk at once.
        echo "db.tx_log.preallocate=false"
        echo "dbms.usage_report.enabled=false"
        [ "$kind" = neo4j-5.26 ] || echo "server.fleet_discovery.enabled=false"
        if [ -n "${option[plugins]:-}" ]; then
            ln -sf "$cache/plugins/${option[plugins]}-${kind#neo4j-}/"*.jar "$folder/plugins/"
            echo "dbms.security.procedures.unrestricted=${option[plugins]}.*"
        fi
        settings
    } >"$folder/conf/neo4j.conf"
    [ -e "$folder/data/dbms/auth.ini" ] || neo4j_first_password
}

neo4j_java() { case $kind in neo4j-5.*) java_between 17 21 ;; *) java_between 21 99 ;; esac }

# The tool takes a second of a whole machine, so that what it makes is kept.
neo4j_first_password() {
    local made=$folder/data/dbms/auth.ini kept=$cache/jars/$kind/auth.ini
    if [ -e "$kept" ]; then
        mkdir -p "$(dirname "$made")"
        cp "$kept" "$made"
        return
    fi
    NEO4J_HOME=$folder NEO4J_CONF=$folder/conf "$(neo4j_java)" -Xmx128m -XX:TieredStopAtLevel=1 -cp "$(<"$cache/jars/$kind/classpath")" \
        org.neo4j.cli.AdminTool dbms set-initial-password "$neo4j_password" >"$folder/password.log" 2>&1 ||
        fail "Neo4j's password could not be set: $(tail -n 5 "$folder/password.log")"
    cp "$made" "$kept.$$"
    mv "$kept.$$" "$kept"
}

neo4j_command() {
    local main=org.neo4j.server.Neo4jCommunity open opens=() plugins=":$folder/plugins/*"
    # An archive of classes is of use only to those whose class path begins with its own.
    [ -z "$archiving" ] || plugins=''
    [ "$kind" != neo4j-5.26 ] || main=org.neo4j.server.CommunityEntryPoint
    for open in java.nio java.io sun.nio.ch java.lang; do opens+=("--add-opens=java.base/$open=ALL-UNNAMED"); done
    command=("$(neo4j_java)" $(jvm 512m) "${opens[@]}" -Dio.netty.tryReflectionSetAccessible=true -Dfile.encoding=UTF-8
        -cp "$(<"$cache/jars/$kind/classpath")$plugins" "$main" "--home-dir=$folder" "--config-dir=$folder/conf")
}

# Whether `RETURN 1` is answered with a record, by hand-written Bolt 4.4.
neo4j_is_ready() {
    local length message=''
    exec 4<>"/dev/tcp/127.0.0.1/${port[bolt]}" || return
    {
        printf '\x60\x60\xb0\x17\0\0\x04\x04\0\0\0\0\0\0\0\0\0\0\0\0'
        # HELLO, RUN, PULL
        bolt_message "\xb1\x01\xa4$(bolt_text user_agent)$(bolt_text testbed)$(bolt_text scheme)$(bolt_text basic)$(
            bolt_text principal)$(bolt_text neo4j)$(bolt_text credentials)$(bolt_text "$neo4j_password")"
        bolt_message "\xb3\x10$(bolt_text 'RETURN 1')\xa0\xa0"
        bolt_message "\xb1\x3f\xa1$(bolt_text n)\xff"
    } >&4
    length=$(bytes 4)
    # Two successes, a record; or a failure, which is then an answer to all.
    until [[ -z $length || $message == b171* || $message == b17f* ]]; do
        length=$(bytes 2)
        message=$(bytes $((0x${length:-0})))
        bytes 2 >/dev/null
    done
    exec 4>&-
    [ "$message" = b1719101 ]
}

# bytes COUNT: so many from the connection.
bytes() { timeout 10 head -c "$1" <&4 | od -An -v -tx1 | tr -d ' \n'; }

# A short text as PackStream.
bolt_text() { printf '\\xd0\\x%02x%s' "${#1}" "$1"; }

# A message in one chunk, from printf's escapes.
bolt_message() {
    local length
    length=$(printf "$1" | wc -c)
    printf "\\x$(printf %02x $((length / 256)))\\x$(printf %02x $((length % 256)))$1\0\0"
}

neo4j_facts() {
    local name
    for name in $(neo4j_ports); do echo "$name=127.0.0.1:${port[$name]}"; done
    echo "password=$neo4j_password"
    echo "certificates=$folder/certificates"
}

# What the server writes there too, where it has no terminal.
neo4j_log() { echo "$folder/logs/neo4j.log"; }
