package chaos_test

import (
	"fmt"

	"github.com/scf-etl/scf-etl/integration/kafkatest"
)

// dumpYAML is the serverless.yml of a dump: as the project's own, with an event
// that fails sent again soon, and clients that give up on a silent broker soon.
const dumpYAML = `service: chaos
configValidationMode: error
provider:
  name: tencent
  runtime: Go1
  region: ap-guangzhou
  vpcConfig: {vpcId: vpc-local, subnetId: subnet-local}
functions:
  dump:
    handler: main
    binary: bin/dump
    memorySize: 256
    timeout: 60
    environment:
      JOB: %[1]s
      START: earliest
      CHUNK_BYTES: %[5]d
      TRANSACTION_BYTES: %[6]d
      SOURCE_BROKERS: %[3]s
      SOURCE_REQUEST_TIMEOUT: 5s
      TARGET_BROKERS: %[4]s
      TARGET_REQUEST_TIMEOUT: 5s
    events:
      - ckafka:
          instanceId: ckafka-source
          topic: %[2]s
          consumerGroupName: etl-%[1]s
          offset: earliest
          maxMsgNum: %[7]d
          timeOut: 1
          retry: 10000
          enable: true
custom:
  local:
    retryInterval: 50ms
    ckafka:
      - instanceId: ckafka-source
        brokers: %[3]s
`

// Events are small, so that there are many, and so are chunks and transactions:
// an event is about three chunks in two transactions.
const (
	eventRecords     = 800
	chunkBytes       = 40 << 10
	transactionBytes = 64 << 10
)

// dumpService is the service of the function dump between two clusters.
func dumpService(brokers kafkatest.Pair) []byte {
	return fmt.Appendf(nil, dumpYAML, job, topic, brokers.Source.Brokers[0], brokers.Target.Brokers[0],
		chunkBytes, transactionBytes, eventRecords)
}

// migrateYAML is the serverless.yml of a migration: as the project's own, at a
// pace at which faults hit every part of it. As there, an invocation ends about
// when the timer fires again.
const migrateYAML = `service: chaos
configValidationMode: error
provider:
  name: tencent
  runtime: Go1
  region: ap-guangzhou
  vpcConfig: {vpcId: vpc-local, subnetId: subnet-local}
functions:
  migrate:
    handler: main
    binary: bin/migrate
    memorySize: 256
    timeout: 5
    environment:
      MIGRATION: %[1]s
      GROUP_INTERVAL: 200ms
      ETL_DEADLINE_MARGIN: 500ms
      SOURCE_BROKERS: %[2]s
      SOURCE_REQUEST_TIMEOUT: 5s
      TARGET_BROKERS: %[3]s
      TARGET_REQUEST_TIMEOUT: 5s
    events:
      - timer:
          name: continue
          cron: '*/5 * * * * * *'
          enable: true
custom:
  local:
    asyncRetryInterval: 50ms
`

// migrateService is the service of the function migrate between two clusters.
func migrateService(brokers kafkatest.Pair) []byte {
	return fmt.Appendf(nil, migrateYAML, migration, brokers.Source.Brokers[0], brokers.Target.Brokers[0])
}
