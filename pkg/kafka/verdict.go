package kafka

import kafkago "github.com/segmentio/kafka-go"

// retry says what may be done after an error.
type retry int8

const (
	never retry = iota
	again       // the same request may succeed
	fence       // the transaction is lost; after Fence the same work may succeed
)

// verdict is what a broker's error code means to this package.
type verdict struct {
	kind   error  // the sentinel, nil where there is none
	title  string // what it is called, where kafka-go does not know or is wrong
	retry  retry
	advice string // what the user can do
}

// verdicts knows the error codes that the requests of this package are
// answered with. One that is missing has no sentinel and is not retried.
// https://kafka.apache.org/protocol#protocol_error_codes
var verdicts = map[kafkago.Error]verdict{
	// the partition: leaders move and come back
	kafkago.InvalidMessage:               {retry: again},
	kafkago.LeaderNotAvailable:           {retry: again},
	kafkago.NotLeaderForPartition:        {retry: again},
	kafkago.RequestTimedOut:              {retry: again},
	kafkago.BrokerNotAvailable:           {retry: again}, // kafka-go's own, too
	kafkago.ReplicaNotAvailable:          {retry: again},
	kafkago.NetworkException:             {retry: again, title: "network exception"},
	kafkago.NotEnoughReplicas:            {retry: again},
	kafkago.NotEnoughReplicasAfterAppend: {retry: again},
	kafkago.NotController:                {retry: again},
	kafkago.KafkaStorageError:            {retry: again},
	kafkago.FencedLeaderEpoch:            {retry: again},
	kafkago.UnknownLeaderEpoch:           {retry: again},
	kafkago.OffsetNotAvailable:           {retry: again, title: "offset not available"},
	kafkago.ThrottlingQuotaExceeded:      {retry: again},
	kafkago.OffsetOutOfRange:             {kind: ErrOffsetOutOfRange},

	// the topic
	kafkago.UnknownTopicOrPartition:  {kind: ErrUnknownTopic, retry: again}, // created a moment ago
	kafkago.UnknownTopicID:           {kind: ErrUnknownTopic, retry: again},
	kafkago.InvalidTopic:             {kind: ErrUnknownTopic, advice: "a topic cannot have that name"},
	kafkago.TopicAlreadyExists:       {kind: ErrTopicExists},
	kafkago.InvalidReplicationFactor: {advice: "give a replication factor that the cluster has brokers for"},
	kafkago.PolicyViolation:          {advice: "the cluster's administrator has forbidden these settings"},

	// records that the topic does not take
	kafkago.MessageSizeTooLarge:         {kind: ErrTooLarge},
	kafkago.RecordListTooLarge:          {kind: ErrTooLarge, advice: "it is larger than a segment (segment.bytes)"},
	kafkago.InvalidTimestamp:            {kind: ErrTimestampRefused},
	87:                                  {kind: ErrInvalidRecord},
	kafkago.UnsupportedForMessageFormat: {kind: ErrUnsupported, advice: "the topic's message.format.version is before 0.11"},
	kafkago.UnsupportedCompressionType:  {kind: ErrUnsupported, advice: "the broker is older than this compression: zstd needs 2.1"},

	// coordinators: they load and move
	kafkago.GroupLoadInProgress:          {retry: again},
	kafkago.GroupCoordinatorNotAvailable: {retry: again},
	kafkago.NotCoordinatorForGroup:       {retry: again},
	kafkago.UnstableOffsetCommit:         {retry: again, advice: "a transaction that commits it is open: its producer ends it, a newer one fences it, or it times out"},

	// transactions
	kafkago.ConcurrentTransactions:       {retry: again},                                   // the markers of the one before are being written
	kafkago.BrokerAuthorizationFailed:    {retry: again, title: "operation not attempted"}, // another partition of the request failed
	kafkago.InvalidProducerEpoch:         {kind: ErrFenced},
	kafkago.ProducerFenced:               {kind: ErrFenced},
	kafkago.OutOfOrderSequenceNumber:     {retry: fence},
	kafkago.UnknownProducerId:            {retry: fence},
	kafkago.InvalidProducerIDMapping:     {retry: fence},
	kafkago.InvalidTransactionState:      {retry: fence},
	kafkago.TransactionCoordinatorFenced: {retry: fence},
	kafkago.InvalidTransactionTimeout:    {advice: "it is above the broker's transaction.max.timeout.ms"},

	// anything
	kafkago.Unknown: {kind: ErrUnexpected},

	// membership of a group
	kafkago.IllegalGeneration:   {kind: ErrNotCoordinated},
	kafkago.UnknownMemberId:     {kind: ErrNotCoordinated},
	kafkago.RebalanceInProgress: {kind: ErrNotCoordinated},
	kafkago.FencedInstanceID:    {kind: ErrNotCoordinated},

	// who may do what
	kafkago.SecurityDisabled:         {kind: ErrNoAuthorizer},
	kafkago.SASLAuthenticationFailed: {kind: ErrAuthentication, advice: "check SASL, SASL_USER and SASL_PASSWORD"},
	kafkago.UnsupportedSASLMechanism: {kind: ErrAuthentication, advice: "the broker does not offer the mechanism that SASL names"},
	kafkago.IllegalSASLState:         {kind: ErrAuthentication, advice: "the broker's listener has no SASL, or wants it: check SASL and the port"},
	kafkago.TopicAuthorizationFailed: {kind: ErrAuthorization,
		advice: "the user needs an ACL on the topic: READ to fetch, WRITE to produce, DESCRIBE and DESCRIBE_CONFIGS to look, CREATE to create, ALTER to add partitions, ALTER_CONFIGS to change settings"},
	kafkago.GroupAuthorizationFailed: {kind: ErrAuthorization,
		advice: "the user needs the ACL READ on the consumer group"},
	kafkago.ClusterAuthorizationFailed: {kind: ErrAuthorization,
		advice: "the user needs an ACL on the cluster: CREATE to create topics, DESCRIBE to read ACLs, ALTER to create them, IDEMPOTENT_WRITE for brokers before 2.8"},
	kafkago.TransactionalIDAuthorizationFailed: {kind: ErrAuthorization,
		advice: "the user needs the ACLs WRITE and DESCRIBE on the transactional id"},
	kafkago.UnsupportedVersion: {kind: ErrUnsupported},
}
