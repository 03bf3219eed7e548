package scf

import (
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits of a function. Source: 583/11637, where no other page is named.
const (
	// MinMemory is the one memory size below the steps, in MB.
	MinMemory = 64
	// MemoryStep is the smallest of the other memory sizes and the step between them, in MB.
	MemoryStep = 128
	// MaxMemory is the largest memory size, in MB.
	MaxMemory = 3072
	// MinTimeout and MaxTimeout bound the time of one invocation, in seconds.
	MinTimeout, MaxTimeout = 1, 900
	// MaxEnvironment bounds keys and values of a function's environment together, in bytes.
	MaxEnvironment = 4 << 10
	// MinEnvironmentKey and MaxEnvironmentKey bound the length of a key, in bytes (583/14570).
	MinEnvironmentKey, MaxEnvironmentKey = 2, 64
	// MinName and MaxName bound the length of a function's full name, in characters.
	MinName, MaxName = 2, 60
	// MaxNamespace bounds the name of a namespace, in characters (583/18586).
	MaxNamespace = 30
	// MaxDescription bounds the description of a function, in characters (583/18586).
	MaxDescription = 1000
	// MaxTriggersOfKind is how many triggers of one kind a function can have.
	MaxTriggersOfKind = 10
	// MaxCode bounds the code of a function, unzipped, in bytes.
	MaxCode = 500 << 20
	// MaxTemp is the size of /tmp, in bytes.
	MaxTemp = 512 << 20
	// MaxOpenFiles and MaxProcesses bound what one instance can hold.
	MaxOpenFiles, MaxProcesses = 1024, 1024
)

// Limits of versions and aliases. Source: the page CreateAlias of the API.
const (
	// MaxAliasName bounds the name of an alias, in characters.
	MaxAliasName = 64
	// MaxAdditionalVersions is how many versions besides its own an alias can send invocations to, by weight or by match.
	MaxAdditionalVersions = 1
)

// Limits of an invocation. Source: 583/11637.
const (
	// MaxSyncPayload bounds the event and the response of a synchronous invocation, each, in bytes.
	MaxSyncPayload = 6 << 20
	// MaxAsyncPayload bounds the event of an asynchronous invocation, in bytes.
	MaxAsyncPayload = 128 << 10
	// AsyncRetries is how often the platform sends an asynchronous event again after an error (583/9708).
	AsyncRetries = 2
	// AsyncLimitInterval and AsyncLimitFor are how often, and for how long, it does so while the function is at its limit
	// of concurrent invocations (583/9708).
	AsyncLimitInterval, AsyncLimitFor = time.Minute, 6 * time.Hour
)

// Limits of a CKafka trigger. Source: 583/17530.
const (
	// MinMaxMsgNum and MaxMaxMsgNum bound maxMsgNum, the records of one event.
	MinMaxMsgNum, MaxMaxMsgNum = 1, 10_000
	// MinBatchTime and MaxBatchTime bound timeOut, how long an event is filled, in seconds.
	MinBatchTime, MaxBatchTime = 1, 60
	// KafkaRetryInterval is the time between two deliveries of a batch that failed.
	KafkaRetryInterval = time.Minute
)

// Limits of a timer trigger. Source: 583/9708.
const (
	// MaxTimerName bounds the name of a timer trigger, in characters.
	MaxTimerName = 60
	// MaxTimerArgument bounds the argument, which is the event's Message, in bytes.
	MaxTimerArgument = 4 << 10
)

// Limits of a request to the API (583/18586: code can be part of the request or an object in COS).
const (
	// MaxAPIBody bounds the body of a request to the API, in bytes; code travels in it as base64.
	MaxAPIBody = 10 << 20
	// MaxInlineZip is the largest zip that fits into such a body beside the rest of it, in bytes; a larger one goes through
	// COS.
	MaxInlineZip = 7 << 20
)

// Defaults. The platform's own where a page states one.
const (
	// DefaultRuntime is the one that this project builds for.
	DefaultRuntime = "Go1"
	// DefaultMemory is in MB (583/18586).
	DefaultMemory = 128
	// DefaultTimeout is in seconds (583/18586). It is short for a copy: set timeout.
	DefaultTimeout = 3
	// DefaultNamespace holds functions that name no other (583/18586).
	DefaultNamespace = "default"
	// DefaultStage is the framework's.
	DefaultStage = "dev"
	// DefaultRegion is the vendor's tools' own.
	DefaultRegion = "ap-guangzhou"
	// DefaultMaxMsgNum, DefaultBatchTime (seconds), DefaultRetry and DefaultOffset are those of a CKafka trigger in the
	// vendor's tools; retry and offset are stated in 583/17530 too.
	DefaultMaxMsgNum, DefaultBatchTime, DefaultRetry = 100, 60, 10_000
	// DefaultOffset begins with records that arrive after the trigger was made.
	DefaultOffset = Latest
	// DefaultQualifier is the alias that follows the newest version.
	DefaultQualifier = "$DEFAULT"
)

// What the platform takes as names (583/18586, 583/14570, 583/9708), besides the length.
var (
	functionName = regexp.MustCompile(`^[a-zA-Z]([a-zA-Z0-9_-]*[a-zA-Z0-9])?$`)
	variableName = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]*$`)
	timerName    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)
	aliasName    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)
	namespace    = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)
)

// FunctionNames, VariableNames, TimerNames, AliasNames and Namespaces say in words what ValidName, ValidVariable,
// ValidTimerName, ValidAlias and ValidNamespace take.
const (
	FunctionNames = "2 to 60 letters, digits, - and _, a letter first, no - or _ last"
	VariableNames = "2 to 64 letters, digits and _, a letter first"
	TimerNames    = "1 to 60 letters, digits, - and _, a letter first"
	AliasNames    = "1 to 64 letters, digits, - and _, a letter first"
	Namespaces    = "1 to 30 letters, digits, - and _, a letter first"
)

// ValidName says whether the platform takes a function's full name (583/18586).
func ValidName(name string) bool {
	return len(name) >= MinName && len(name) <= MaxName && functionName.MatchString(name)
}

// ValidVariable says whether the platform takes the key of an environment variable (583/14570). One that it takes can
// still be reserved.
func ValidVariable(key string) bool {
	return len(key) >= MinEnvironmentKey && len(key) <= MaxEnvironmentKey && variableName.MatchString(key)
}

// ValidTimerName says whether the platform takes the name of a timer trigger (583/9708).
func ValidTimerName(name string) bool {
	return len(name) <= MaxTimerName && timerName.MatchString(name)
}

// ValidAlias says whether the platform takes the name of an alias. $DEFAULT, which is always there, is no such
// name.
func ValidAlias(name string) bool {
	return len(name) <= MaxAliasName && aliasName.MatchString(name)
}

// ValidNamespace says whether the platform takes the name of a namespace: its error InvalidParameterValue.NamespaceInvalid
// tells of letters, digits and _, 30 at most; that - is taken too, and that a letter is first, is not stated [?].
func ValidNamespace(name string) bool {
	return len(name) <= MaxNamespace && namespace.MatchString(name)
}

// ReservedPrefix gives the beginning of an environment key that makes it the platform's own, such as SCF_; "" where the
// key is free (583/14570).
func ReservedPrefix(key string) string {
	for _, prefix := range []string{"SCF_", "QCLOUD_", "TENCENTCLOUD_"} {
		if strings.HasPrefix(key, prefix) {
			return prefix
		}
	}
	return ""
}

// EnvironmentSize is what counts against MaxEnvironment: the bytes of all keys and values.
func EnvironmentSize(environment map[string]string) (size int) {
	for key, value := range environment {
		size += len(key) + len(value)
	}
	return size
}

// ValidMemory says whether the platform has this memory size, in MB: 64, or 128 to 3072 in steps of 128.
func ValidMemory(mb int) bool {
	return mb == MinMemory || mb >= MemoryStep && mb <= MaxMemory && mb%MemoryStep == 0
}

// NearestMemory gives the smallest memory size that has at least mb, and MaxMemory where there is none.
func NearestMemory(mb int) int {
	if mb <= MinMemory {
		return MinMemory
	}
	return min((mb+MemoryStep-1)/MemoryStep*MemoryStep, MaxMemory)
}

// COSEvents says in words what ValidCOSEvent takes.
const COSEvents = "cos:ObjectCreated: with *, Put, Post, Copy, Append, CompleteMultipartUpload, or cos:ObjectRemove: with *, Delete, DeleteMarkerCreated"

// ValidCOSEvent says whether the platform has this event of a COS trigger (583/9707).
func ValidCOSEvent(event string) bool {
	kind, what, ok := strings.Cut(strings.TrimPrefix(event, "cos:"), ":")
	return ok && strings.HasPrefix(event, "cos:") && slices.Contains(map[string][]string{
		"ObjectCreated": {"*", "Put", "Post", "Copy", "Append", "CompleteMultipartUpload"},
		"ObjectRemove":  {"*", "Delete", "DeleteMarkerCreated"},
	}[kind], what)
}
