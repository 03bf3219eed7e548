// Package kafka is the project's client of Apache Kafka, over kafka-go.
//
// It promises what a copy between clusters needs and kafka-go alone does not
// give:
//
//   - Raw record batches go in and out undecoded ([Client.Fetch],
//     [Client.ProduceBatches]): nothing in a record can change on the way.
//   - Transactions ([Transactional]) with the retries and the per-partition
//     checks that a real 4.x broker needs.
//   - read_committed that is true: control batches and aborted records are
//     dropped by this package, because kafka-go hands them out.
//   - Errors that name what they are about and can be told apart with
//     [errors.Is]: see errors.go.
//
// It is the only package that imports kafka-go; nothing above it knows a
// version of the wire protocol. Brokers from 0.11 can be a target of
// transactions, brokers from 0.10.1 can be read.
package kafka
