#!/bin/sh
# One script for every command-line tool: the name it is called by chooses the class. The Dockerfile makes the links.
set -eu
tools=org.apache.kafka.tools
case ${KAFKA_VERSION} in # the classes have moved, a few with each release
  [012].*) admin=kafka.admin core=kafka.tools consumer=kafka.tools group=kafka.admin now=kafka.tools versions=kafka.admin ;;
  3.*) admin=$tools core=kafka.tools consumer=$tools.consumer group=$tools.consumer.group now=$tools versions=kafka.admin ;;
  *) admin=$tools core=$tools consumer=$tools.consumer group=$tools.consumer.group now=$tools versions=$tools ;;
esac
case ${0##*/} in
  kafka-acls.sh) class=$versions.AclCommand ;;
  kafka-broker-api-versions.sh) class=$versions.BrokerApiVersionsCommand ;;
  kafka-configs.sh) class=kafka.admin.ConfigCommand ;;
  kafka-console-consumer.sh) class=$consumer.ConsoleConsumer ;;
  kafka-console-producer.sh) class=$core.ConsoleProducer ;;
  kafka-consumer-groups.sh) class=$group.ConsumerGroupCommand ;;
  kafka-delete-records.sh) class=$admin.DeleteRecordsCommand ;;
  kafka-dump-log.sh) class=kafka.tools.DumpLogSegments ;; # which has not moved yet
  kafka-get-offsets.sh) class=$now.GetOffsetShell ;;
  kafka-storage.sh) class=kafka.tools.StorageTool ;;
  kafka-topics.sh) class=$admin.TopicCommand ;;
  kafka-transactions.sh) class=$tools.TransactionsCommand ;;
  *) echo "${0##*/}: no such tool" >&2; exit 2 ;;
esac
exec /opt/kafka/bin/kafka-run-class.sh "$class" "$@"
