package kafka

import "math"

// Operation is what an access control list allows. Its value is Kafka's code
// (org.apache.kafka.common.acl.AclOperation), its name that of kafka-acls.sh.
type Operation int8

// The operations on topics, groups and transactional ids, and those on the
// cluster that a copy needs.
const (
	OperationAll             Operation = 2
	OperationRead            Operation = 3
	OperationWrite           Operation = 4
	OperationCreate          Operation = 5
	OperationDelete          Operation = 6
	OperationAlter           Operation = 7
	OperationDescribe        Operation = 8
	OperationDescribeConfigs Operation = 10
	OperationAlterConfigs    Operation = 11
)

// String is the operation as kafka-acls.sh --operation takes it.
func (o Operation) String() string {
	switch o {
	case OperationAll:
		return "ALL"
	case OperationRead:
		return "READ"
	case OperationWrite:
		return "WRITE"
	case OperationCreate:
		return "CREATE"
	case OperationDelete:
		return "DELETE"
	case OperationAlter:
		return "ALTER"
	case OperationDescribe:
		return "DESCRIBE"
	case OperationDescribeConfigs:
		return "DESCRIBE_CONFIGS"
	case OperationAlterConfigs:
		return "ALTER_CONFIGS"
	}
	return "UNKNOWN"
}

// Operations are those that the user may do to a topic, a group or the cluster,
// with those that others imply (KIP-430).
type Operations struct {
	bits  int32
	known bool
}

// operationsUnknown is what a broker answers that was not asked, or does not
// tell.
const operationsUnknown = math.MinInt32

func newOperations(bits int32) Operations {
	return Operations{bits: bits, known: bits != operationsUnknown}
}

// Known is false where the broker does not tell: before 2.3.
func (o Operations) Known() bool { return o.known }

// Allow says that the user may do it; false where it is not known.
func (o Operations) Allow(operation Operation) bool {
	return o.known && o.bits&(1<<operation) != 0
}
