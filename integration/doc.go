// Package integration tests the built functions as a user runs them: the
// binary of functions/dump as a child process of the local platform, between
// two clusters. The stories run on real Apache Kafka in containers (make
// integration) and, where embedded brokers can tell the truth, on those too
// (make test). Those of several brokers, of a broken network and of secured
// clusters have clusters of their own.
package integration
