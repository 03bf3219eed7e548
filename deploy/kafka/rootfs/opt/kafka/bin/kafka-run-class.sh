#!/bin/sh
# Runs a class of Kafka: kafka-run-class.sh CLASS [ARGUMENT]...
# The KAFKA_*_OPTS are split at blanks on purpose: that is how Kafka's own script reads them.
# shellcheck disable=SC2086
set -eu
: "${KAFKA_HEAP_OPTS=-Xmx256M}"
: "${KAFKA_JVM_PERFORMANCE_OPTS=-XX:+UseSerialGC -XX:TieredStopAtLevel=1}"
: "${KAFKA_LOG4J_OPTS=-Dlog4j2.configurationFile=/opt/kafka/config/tools-log4j2.xml}"

# Loaded classes kept by the build of the image: a broker starts in 2.6 s where it took 4.5 s.
archive=/opt/kafka/kafka.jsa
[ ! -f $archive ] || archived=-XX:SharedArchiveFile=$archive

# The jars by name, because the archive holds for one order of the class path only.
jars=$(printf ':%s' /opt/kafka/libs/*.jar)

exec java $KAFKA_HEAP_OPTS $KAFKA_JVM_PERFORMANCE_OPTS $KAFKA_LOG4J_OPTS ${archived-} \
  ${KAFKA_JMX_OPTS-} ${KAFKA_OPTS-} -cp "${jars#:}" "$@"
