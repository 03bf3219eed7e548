// Package sls tests `sls deploy` on the local platform: the framework's two
// releases, installed by npm from a lock file, with the plugin of
// deploy/serverless-tencent, against etl serve and real Kafka (embedded brokers
// where there is no Docker).
package sls
