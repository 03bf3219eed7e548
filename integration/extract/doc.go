// Package extract tests the extraction of records over what it meets outside: a PostgreSQL
// and a MariaDB that it starts, the built function under kill -9, and Apache Kafka.
package extract
