#!/bin/sh
# Creates the topics of queuepulse with the settings that it wants; what is there already stays.
#
#   topics.sh BOOTSTRAP [PARTITIONS [REPLICAS]]     (6 partitions; as many replicas as the broker is set to keep)
#
# Runs Kafka's own kafka-topics.sh, from PATH or from /opt/kafka/bin. The settings are those that the engine
# creates topics with; src/topics.rs says why each, and its test compares.
set -eu
bootstrap=$1 partitions=${2:-6} replicas=${3:-}
PATH=$PATH:/opt/kafka/bin

create() {
  topic=$1 count=$2
  shift 2
  kafka-topics.sh --bootstrap-server "$bootstrap" --create --if-not-exists --topic "$topic" \
    --partitions "$count" "$@" ${replicas:+--replication-factor "$replicas"}
}

# First what the engine itself needs: one that waits begins as soon as there are events.
# The state of every partition, so that a restart goes on where it was.
create queuepulse-snapshots "$partitions" --config cleanup.policy=compact,delete \
  --config max.message.bytes=1048588 --config min.cleanable.dirty.ratio=0.1 \
  --config retention.ms=604800000 --config segment.bytes=16777216
# The live figures of each instance, for the others and for viewers; of the group `queuepulse`.
create queuepulse-rows 1 --config cleanup.policy=compact,delete --config min.cleanable.dirty.ratio=0.1 \
  --config retention.ms=600000 --config segment.bytes=16777216 --config segment.ms=120000
# What happened.
create contact-events "$partitions" --config message.timestamp.type=LogAppendTime --config retention.ms=172800000
create agent-events "$partitions" --config message.timestamp.type=LogAppendTime --config retention.ms=172800000
# What queues are.
create queue-events 1 --config cleanup.policy=compact --config message.timestamp.type=LogAppendTime
