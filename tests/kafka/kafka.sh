#!/usr/bin/env bash
# Runs a command against a real Apache Kafka: one KRaft node on loopback, gone when the command ends.
#
#   tests/kafka/kafka.sh COMMAND…     COMMAND finds the broker's address in QUEUEPULSE_KAFKA
#   tests/kafka/kafka.sh --fetch      only fetches the jars
#
# For a COMMAND that disturbs it: QUEUEPULSE_KAFKA_PID is the broker's process, QUEUEPULSE_KAFKA_START
# a program that starts it again and stays as it, and QUEUEPULSE_KAFKA_PROXY is "SAID:REAL": the broker
# says that it is reached at the port SAID, where nobody listens, and listens at REAL too.
#
# Needs Java 17 or later and mvn; the jars (54 MB) come from Maven Central by the names in pom.xml
# and stay in $QUEUEPULSE_KAFKA_CACHE, else in $XDG_CACHE_HOME/queuepulse-kafka, else under target/.
# Ends with the command's status.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -n ${QUEUEPULSE_KAFKA_CACHE:-} ]]; then
  cache=$QUEUEPULSE_KAFKA_CACHE
elif [[ -n ${XDG_CACHE_HOME:-} ]]; then
  cache=$XDG_CACHE_HOME/queuepulse-kafka
else
  cache=$here/../../target/kafka
fi

fetch() {
  local sum
  sum=$(cksum <"$here/pom.xml")
  if [[ ! -f $cache/complete || $(<"$cache/complete") != "$sum" ]]; then
    mkdir -p "$cache"
    rm -rf "$cache/libs" "$cache/complete"
    mvn -Dstyle.color=never --batch-mode --quiet --file "$here/pom.xml" dependency:copy-dependencies \
      -DincludeScope=runtime -DoutputDirectory="$cache/libs" >&2
    echo "$sum" >"$cache/complete"
  fi
  cache=$(cd "$cache" && pwd)
}

# A port that nobody listens on, outside the range from which the system gives its own.
free_port() {
  local port
  while :; do
    port=$((10000 + RANDOM % 20000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      echo "$port"
      return
    fi
  done
}

java=${JAVA_HOME:+$JAVA_HOME/bin/}java
# Runs a class of the broker's; `exec`s, so that the process started is the broker itself.
kafka_java() {
  exec "$java" -cp "$cache/libs/*" "-Dlog4j2.configurationFile=$here/log4j2.xml" -Xmx512m "$@"
}

configure() {
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$real,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port,PROXIED://127.0.0.1:$said
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,PROXIED:PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=PLAINTEXT
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:$controller
log.dirs=$dir/logs
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
PROPERTIES
}

# Ready when it lists its topics.
wait_until_ready() {
  local tries=60
  while ((tries-- > 0)); do
    if ! kill -0 "$broker" 2>/dev/null; then
      echo "kafka.sh: the broker ended before it was ready:" >&2
      tail -n 20 "$dir/broker.log" >&2
      return 1
    fi
    if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null &&
      grep -q "Kafka Server started" "$dir/broker.log"; then
      return 0
    fi
    sleep 0.5
  done
  echo "kafka.sh: the broker was not ready within 30 s" >&2
  return 1
}

clean_up() {
  # Only while it is still this shell's: COMMAND may have ended it.
  if [[ -n ${broker:-} ]] && jobs -pr | grep -qx "$broker"; then
    kill -TERM "$broker" 2>/dev/null || true
    wait "$broker" 2>/dev/null || true
  fi
  rm -rf "$dir"
}

fetch
[[ ${1:-} == --fetch ]] && exit 0
[[ $# -gt 0 ]] || { echo "usage: kafka.sh COMMAND… | --fetch" >&2; exit 64; }

dir=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT TERM
port=$(free_port)
controller=$(free_port)
said=$(free_port)
real=$(free_port)
configure
cluster=$(head -c 16 /dev/urandom | base64 | tr '+/' '-_' | tr -d '=')
(kafka_java kafka.tools.StorageTool format --config "$dir/server.properties" \
  "--cluster-id=$cluster") >"$dir/format.log" 2>&1 || { cat "$dir/format.log" >&2; exit 1; }
cat >"$dir/start" <<START
#!/usr/bin/env bash
exec "$java" -cp "$cache/libs/*" "-Dlog4j2.configurationFile=$here/log4j2.xml" -Xmx512m \
  kafka.Kafka "$dir/server.properties" >>"$dir/broker.log" 2>&1
START
chmod +x "$dir/start"
"$dir/start" &
broker=$!
wait_until_ready
echo "kafka.sh: Apache Kafka at 127.0.0.1:$port" >&2
export QUEUEPULSE_KAFKA=127.0.0.1:$port QUEUEPULSE_KAFKA_PID=$broker
export QUEUEPULSE_KAFKA_START=$dir/start QUEUEPULSE_KAFKA_PROXY=$said:$real
"$@"
