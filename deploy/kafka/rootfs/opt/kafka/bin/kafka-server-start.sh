#!/bin/sh
# Starts a broker, a controller or both: kafka-server-start.sh FILE.properties [--override NAME=VALUE]...
# Heap and collector are what Kafka's own script chooses; the environment overrides each.
set -eu
: "${KAFKA_HEAP_OPTS=-Xmx1G -Xms1G}"
: "${KAFKA_JVM_PERFORMANCE_OPTS=-server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 -XX:+ExplicitGCInvokesConcurrent}"
: "${KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=/opt/kafka/config/log4j2.xml}"
export KAFKA_HEAP_OPTS KAFKA_JVM_PERFORMANCE_OPTS KAFKA_LOG4J_OPTS

exec /opt/kafka/bin/kafka-run-class.sh kafka.Kafka "$@"
