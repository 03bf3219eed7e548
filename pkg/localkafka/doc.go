// Package localkafka runs Kafka brokers inside the process, for a laptop, a
// demonstration and tests: no Docker, no Java, one call.
//
// It stands on kfake, franz-go's protocol-level broker, and always keeps its
// records on disk: in memory the brokers hold every record on the heap several
// times over, on disk two gigabytes of records cost about 130 MB of memory.
//
// What it does as Kafka does: consumer groups, offsets, idempotent and
// transactional producers, fetch sessions, topic settings, TLS, SASL PLAIN and
// SCRAM, record batches kept byte for byte. It is strict where Kafka is: a
// batch must start at base offset 0, carry a right CRC-32C and gapless offset
// deltas.
//
// What it does not do: replicate, flush to disk on every produce (a killed
// process loses nothing that was acknowledged, a lost machine may), or finish a
// transaction late: on a real broker EndTxn answers before the markers are
// written, here after. A wrong SCRAM password is answered by a cut connection,
// a wrong PLAIN one by its error. So whatever matters is also tested on Apache Kafka.
package localkafka
