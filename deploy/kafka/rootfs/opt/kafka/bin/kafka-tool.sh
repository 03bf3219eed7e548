#!/bin/sh
# One script for every command-line tool: the name it is called by chooses the class. The Dockerfile makes the links.
set -eu
tools=org.apache.kafka.tools
case ${0##*/} in
  kafka-acls.sh) class=$tools.AclCommand ;;
  kafka-broker-api-versions.sh) class=$tools.BrokerApiVersionsCommand ;;
  kafka-configs.sh) class=kafka.admin.ConfigCommand ;;
  kafka-console-consumer.sh) class=$tools.consumer.ConsoleConsumer ;;
  kafka-console-producer.sh) class=$tools.ConsoleProducer ;;
  kafka-consumer-groups.sh) class=$tools.consumer.group.ConsumerGroupCommand ;;
  kafka-delete-records.sh) class=$tools.DeleteRecordsCommand ;;
  kafka-dump-log.sh) class=$tools.DumpLogSegments ;;
  kafka-get-offsets.sh) class=$tools.GetOffsetShell ;;
  kafka-storage.sh) class=kafka.tools.StorageTool ;;
  kafka-topics.sh) class=$tools.TopicCommand ;;
  kafka-transactions.sh) class=$tools.TransactionsCommand ;;
  *) echo "${0##*/}: no such tool" >&2; exit 2 ;;
esac
exec /opt/kafka/bin/kafka-run-class.sh "$class" "$@"
