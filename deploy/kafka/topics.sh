#!/bin/sh
# Creates the topics of queuepulse with the settings that it wants; what is there already stays.
#
#   topics.sh BOOTSTRAP [PARTITIONS [REPLICAS]]
#
# Runs Kafka's own kafka-topics.sh, from PATH or from /opt/kafka/bin.
set -eu
bootstrap=$1 partitions=${2:-6} replicas=${3:-1}
PATH=$PATH:/opt/kafka/bin

create() {
  topic=$1 count=$2
  shift 2
  kafka-topics.sh --bootstrap-server "$bootstrap" --create --if-not-exists --topic "$topic" \
    --partitions "$count" --replication-factor "$replicas" "$@"
}

# What happened: kept for two days, so that `today` can be read back in every time zone. The broker puts
# its own time on records: an event whose `time` lies further ahead of it than `max_ahead` is refused, so
# a sender with a wrong clock cannot carry a partition into the future.
create contact-events "$partitions" --config retention.ms=172800000 --config message.timestamp.type=LogAppendTime
create agent-events "$partitions" --config retention.ms=172800000 --config message.timestamp.type=LogAppendTime
# What queues are: the last word for each queue.
create queue-events 1 --config cleanup.policy=compact --config message.timestamp.type=LogAppendTime
# The state of every partition, so that a restart goes on where it was.
create queuepulse-snapshots "$partitions" --config cleanup.policy=compact,delete --config segment.bytes=16777216 \
  --config max.message.bytes=1048576
# The live figures of each instance, for the others and for viewers; of the group `queuepulse`.
create queuepulse-rows 1 --config cleanup.policy=compact,delete --config retention.ms=600000 \
  --config segment.ms=120000 --config segment.bytes=16777216
