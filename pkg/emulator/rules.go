package emulator

import "slices"

// Rule is one thing that the platform does as the cloud does, or as it decides
// where no document says what the cloud does.
type Rule struct {
	// ID is short and lasting, for a link or a search, and begins the name of the
	// rule's test.
	ID string
	// Text is the rule in a sentence.
	Text string
	// Source is the page of the SCF manual (583/...), the library, or "[?]" where
	// nothing public states it: then the rule is this platform's choice.
	Source string
	// Setting is the field that changes it, of Config, KafkaConfig or AsyncConfig;
	// several are parted by commas; empty for none.
	Setting string
}

const (
	limitsPage   = "583/11637"
	kafkaPage    = "583/17530"
	envPage      = "583/14570"
	functionPage = "583/18586"
	billPage     = "583/12284"
	timerPage    = "583/9708"
	updatePage   = "583/96828"
	versionPage  = "583/15371"
	aliasPage    = "583/36149"
	library      = "scf-go-lib"
	unconfirmed  = "[?]"
)

// Rules lists what the platform keeps to: what may be deployed, how a function
// runs, how a CKafka trigger delivers, when a timer fires and how its events are
// repeated, which version runs, and what a function has to take. Each is
// a test that drives a built binary; where the rule is that a deployment is
// refused, a test that tries to deploy one.
func Rules() []Rule {
	return slices.Concat(deployRules(), functionRules(), triggerRules(), kafkaRules(), timerRules(), asyncRules(), versionRules(), eventRules())
}

func deployRules() []Rule {
	return []Rule{
		{ID: "function-name", Text: "A function's name has 2 to 60 letters, digits, - and _, begins with a letter and ends with neither - nor _", Source: functionPage},
		{ID: "memory-size", Text: "The memory is 64 MB, or 128 to 3072 in steps of 128", Source: limitsPage},
		{ID: "timeout-range", Text: "The timeout is 1 to 900 seconds", Source: limitsPage},
		{ID: "description", Text: "The description has at most 1000 characters", Source: functionPage},
		{ID: "function-defaults", Text: "A function that says nothing else has 128 MB and 3 seconds", Source: functionPage},
		{ID: "environment-size", Text: "Keys and values of the environment have at most 4 KB together", Source: limitsPage},
		{ID: "variable-name", Text: "A variable's name has 2 to 64 letters, digits and _, and begins with a letter", Source: envPage},
		{ID: "reserved-variables", Text: "Variables that begin with SCF_, QCLOUD_ or TENCENTCLOUD_ are refused", Source: envPage},
		{ID: "handler-mode", Text: "The file that the handler names lies at the top of the code and is executable", Source: limitsPage},
		{ID: "code-size", Text: "The code has at most 500 MB, unzipped", Source: limitsPage},
		{ID: "trigger-count", Text: "A function has at most 10 triggers of a kind", Source: limitsPage},
		{ID: "refused-whole", Text: "A deployment that is refused changes nothing: the version before stays", Source: unconfirmed},
	}
}

func functionRules() []Rule {
	return []Rule{
		{ID: "handler-file", Text: "The file that the handler names is started, from a folder that holds a copy of the code", Source: limitsPage},
		{ID: "read-only-code", Text: "The folder of the code is read-only, but for root", Source: limitsPage},
		{ID: "scratch", Text: "An instance has an empty scratch folder of its own, TMPDIR, which stays until the instance ends", Source: limitsPage},
		{ID: "port", Text: "Each process listens on a port of localhost of its own, named by _LAMBDA_SERVER_PORT", Source: library},
		{ID: "payload", Text: "Event and response are handed over byte for byte, whatever they are", Source: library},
		{ID: "clean-environment", Text: "A process gets the function's variables and the platform's, and nothing of the environment around it", Source: envPage},
		{ID: "environment-each-time", Text: "The function's variables also come with each invocation", Source: library},
		{ID: "credentials", Text: "The role's temporary keys come with each invocation, as they are at that time", Source: envPage},
		{ID: "no-keys-at-start", Text: "A process starts without keys: they come with the invocation", Source: envPage},
		{ID: "context", Text: "An invocation tells its request id, function, version, namespace, memory and time limit", Source: library},
		{ID: "deadline", Text: "The deadline is the start of the invocation plus the function's timeout", Source: library},
		{ID: "warm", Text: "An idle instance is used again for the next invocation", Source: limitsPage},
		{ID: "warm-state", Text: "What a process holds in memory is there at its next invocation", Source: limitsPage},
		{ID: "one-at-a-time", Text: "An instance runs one invocation at a time: a second at once is a cold start", Source: limitsPage},
		{ID: "idle", Text: "An instance that nobody needs is ended after a while", Source: unconfirmed, Setting: "Config.IdleTimeout"},
		{ID: "concurrency", Text: "An invocation above the limit of those at once fails, and nothing waits", Source: limitsPage, Setting: "Config.MaxInstances"},
		{ID: "sync-event", Text: "A synchronous event of 6 MB is taken, one byte more is refused", Source: limitsPage},
		{ID: "async-event", Text: "An asynchronous event of 128 KB is taken, one byte more is refused", Source: limitsPage},
		{ID: "response", Text: "A response of 6 MB is taken, one byte more is a failure", Source: limitsPage},
		{ID: "open-files", Text: "An instance has at most 1024 file descriptors", Source: limitsPage},
		{ID: "error", Text: "An error of the handler fails the invocation with its message and type, and the instance goes on", Source: library},
		{ID: "panic", Text: "A panic fails the invocation with its stack, and the next one is a cold start", Source: library},
		{ID: "timeout", Text: "A function that outlives its deadline is killed, whatever it is doing", Source: limitsPage},
		{ID: "memory", Text: "A function that holds more than its memory is killed", Source: limitsPage, Setting: "Config.MemorySample"},
		{ID: "exit", Text: "A process that ends fails its invocation with the exit code and its last lines, and is replaced", Source: unconfirmed},
		{ID: "signal", Text: "A process that is killed fails its invocation with the signal, and is replaced", Source: unconfirmed},
		{ID: "garbage", Text: "A process that answers with no RPC response fails its invocation, and is replaced", Source: unconfirmed},
		{ID: "oversized", Text: "A response announced as gigabytes is refused before it is read, and the process replaced", Source: unconfirmed},
		{ID: "hang-up", Text: "A process that closes its connection fails its invocation, and is replaced", Source: unconfirmed},
		{ID: "no-start", Text: "A process that ends before it listens fails the invocation with what it wrote", Source: unconfirmed},
		{ID: "start-hangs", Text: "A process that does not listen in time is killed and fails the invocation", Source: unconfirmed, Setting: "Config.StartTimeout"},
		{ID: "bill", Text: "Each started millisecond is billed, failures included", Source: billPage},
		{ID: "log", Text: "What a process writes belongs to the invocation in which it was written", Source: unconfirmed, Setting: "Config.LogBytes"},
		{ID: "descendants", Text: "What a function has started ends with its instance", Source: unconfirmed},
		{ID: "redeploy", Text: "After a deployment a running invocation finishes on the old version and the next runs the new one", Source: unconfirmed},
		{ID: "close", Text: "Closing lets a running invocation finish, within a bound", Source: unconfirmed, Setting: "Config.StopGrace"},
	}
}

func triggerRules() []Rule {
	return []Rule{
		{ID: "max-msg-num-range", Text: "maxMsgNum is 1 to 10,000", Source: kafkaPage},
		{ID: "time-out-range", Text: "timeOut is 1 to 60 seconds", Source: kafkaPage},
		{ID: "retry-range", Text: "retry is 0 or more", Source: unconfirmed},
		{ID: "offset-forms", Text: "offset is latest, earliest or a time in milliseconds", Source: kafkaPage},
		{ID: "trigger-defaults", Text: "A trigger that says nothing else is open and begins at latest, with 10,000 retries, 100 records and 60 seconds", Source: kafkaPage},
		{ID: "deployed-closed", Text: "A trigger that is deployed closed reads nothing until it is opened", Source: kafkaPage},
		{ID: "group-default", Text: "A trigger without a consumer group gets one of its own, named by function and trigger", Source: unconfirmed},
	}
}

// eventRules are about both sides: the platform can send what the cloud is seen
// to send, and a function on pkg/fn and pkg/event takes it.
func eventRules() []Rule {
	return []Rule{
		{ID: "either-partition", Text: "A function takes partition and Partition", Source: kafkaPage},
		{ID: "unknown-fields", Text: "A function ignores fields that it does not know", Source: kafkaPage},
		{ID: "several-partitions", Text: "A function groups an event of several topics and partitions by both", Source: kafkaPage},
		{ID: "either-null-key", Text: "A function takes None, an empty text and no msgKey at all for a record that may have had no key", Source: kafkaPage},
	}
}

func kafkaRules() []Rule {
	return []Rule{
		{ID: "event", Text: "The event is a list of topic, partition, offset, msgKey and msgBody", Source: kafkaPage},
		{ID: "no-headers", Text: "Headers and timestamps are not in the event", Source: kafkaPage},
		{ID: "partition-spelling", Text: "The event says partition, or if so set Partition", Source: kafkaPage, Setting: "KafkaConfig.CapitalPartition"},
		{ID: "null-key", Text: "A record without a key has the msgKey None", Source: kafkaPage, Setting: "KafkaConfig.EmptyNullKey"},
		{ID: "text-only", Text: "Keys and bodies are text: other bytes arrive as U+FFFD, a missing body as an empty one", Source: unconfirmed},
		{ID: "max-msg-num", Text: "A batch has at most maxMsgNum records", Source: kafkaPage},
		{ID: "time-out", Text: "A batch that does not fill is delivered timeOut after its first record", Source: kafkaPage},
		{ID: "event-limit", Text: "A batch ends before its event would have more than 6 MB", Source: kafkaPage},
		{ID: "large-record", Text: "A record of 6 MB travels alone", Source: kafkaPage},
		{ID: "too-large-stalls", Text: "A record of more than 6 MB stops its partition, with a message that names it", Source: unconfirmed, Setting: "KafkaConfig.Oversize"},
		{ID: "too-large-drops", Text: "If so set, a record of more than 6 MB is passed over and counted", Source: unconfirmed, Setting: "KafkaConfig.Oversize"},
		{ID: "one-partition", Text: "A batch holds records of one partition, in order and without a gap", Source: kafkaPage},
		{ID: "in-turn", Text: "The next batch of a partition is delivered only after the one before has finished", Source: kafkaPage},
		{ID: "side-by-side", Text: "Partitions are delivered at the same time, each to an instance of its own", Source: kafkaPage},
		{ID: "success", Text: "Success is the absence of an error: the returned value is ignored", Source: kafkaPage},
		{ID: "no-partial-success", Text: "A response that lists failed records is a success like any other: there is no partial one", Source: kafkaPage},
		{ID: "commit", Text: "The offset is committed after success, and not before", Source: kafkaPage},
		{ID: "again", Text: "After an error the same batch is delivered again, byte for byte", Source: kafkaPage},
		{ID: "attempt", Text: "A repeated delivery has a request id of its own, and nothing tells which attempt it is", Source: kafkaPage},
		{ID: "again-timeout", Text: "After a time-out the same batch is delivered again", Source: kafkaPage},
		{ID: "again-limit", Text: "After an invocation above the limit of those at once the same batch is delivered again", Source: kafkaPage},
		{ID: "again-exit", Text: "After the process died the same batch is delivered again, to a new process", Source: kafkaPage},
		{ID: "again-panic", Text: "After a panic the same batch is delivered again, to a new process", Source: kafkaPage},
		{ID: "again-memory", Text: "After the function took more than its memory the same batch is delivered again", Source: kafkaPage},
		{ID: "again-response", Text: "After a response of more than 6 MB the same batch is delivered again", Source: unconfirmed},
		{ID: "interval", Text: "A failed batch is delivered again after a minute", Source: kafkaPage, Setting: "KafkaConfig.RetryInterval"},
		{ID: "retry", Text: "A failed batch is repeated at most retry times; then its partition stops and says why", Source: unconfirmed, Setting: "KafkaConfig.AfterLastRetry"},
		{ID: "retry-none", Text: "With retry 0 a batch is delivered once", Source: unconfirmed, Setting: "KafkaConfig.AfterLastRetry"},
		{ID: "retry-drops", Text: "If so set, a batch that has used up its retries is passed over and counted", Source: unconfirmed, Setting: "KafkaConfig.AfterLastRetry"},
		{ID: "others-go-on", Text: "A partition that has stopped does not hold up the others", Source: kafkaPage},
		{ID: "system-error", Text: "After a fault of the platform the batch is delivered again with exponential back-off, and that does not use up a retry", Source: kafkaPage, Setting: "KafkaConfig.BackOffMin, KafkaConfig.BackOffMax"},
		{ID: "earliest", Text: "Offset earliest begins with the first record of the topic", Source: kafkaPage},
		{ID: "latest", Text: "Offset latest begins with the first record after the trigger", Source: kafkaPage},
		{ID: "latest-kept", Text: "Where latest was is kept: a record that comes while the platform is down is delivered", Source: unconfirmed},
		{ID: "timestamp", Text: "A millisecond timestamp begins with the first record of that time or later", Source: kafkaPage},
		{ID: "committed-first", Text: "A committed offset goes before the offset setting", Source: kafkaPage},
		{ID: "gone", Text: "Where the committed record is gone from the topic, delivery goes on with the first that is there, counts the lost ones and says so", Source: unconfirmed},
		{ID: "transactions", Text: "Records of aborted transactions are not delivered, and control markers never", Source: unconfirmed, Setting: "KafkaConfig.ReadUncommitted"},
		{ID: "closed", Text: "A closed trigger reads nothing; opened again it goes on where it was", Source: kafkaPage},
		{ID: "update", Text: "maxMsgNum, timeOut, retry and enable change while the trigger runs, after the batch in flight", Source: kafkaPage},
		{ID: "immutable", Text: "Another offset or consumer group is refused: delete the trigger and create it again", Source: kafkaPage},
		{ID: "name", Text: "A trigger is named INSTANCE-TOPIC, so a function has one a topic", Source: kafkaPage},
		{ID: "topic-exists", Text: "A trigger on a topic that does not exist is refused", Source: kafkaPage},
		{ID: "delete", Text: "A deleted trigger delivers nothing more, and its group keeps its offsets", Source: kafkaPage},
		{ID: "group", Text: "Two platforms in one consumer group share the partitions, and take over from each other", Source: kafkaPage},
		{ID: "rebalance", Text: "A batch that is in flight when another platform joins the group is finished and committed, and not delivered twice", Source: unconfirmed},
		{ID: "new-partition", Text: "A partition that is added to the topic is delivered too", Source: unconfirmed, Setting: "KafkaConfig.PartitionWatch"},
		{ID: "stop", Text: "Stopping finishes and commits the batch in flight", Source: unconfirmed, Setting: "Config.StopGrace"},
		{ID: "killed", Text: "After kill -9 of the platform every record is still delivered, at least once and in order", Source: kafkaPage},
	}
}

func versionRules() []Rule {
	return []Rule{
		{ID: "version", Text: "A published version is what $LATEST was then; a qualifier chooses between them, and none is $LATEST", Source: versionPage},
		{ID: "version-immutable", Text: "Code and settings of a published version never change", Source: versionPage},
		{ID: "version-number", Text: "Versions are numbered from 1 on, and no number is given twice", Source: versionPage},
		{ID: "version-in-use", Text: "A version that an alias or a trigger names is not deleted, nor an alias that a trigger names", Source: aliasPage},
		{ID: "qualifier", Text: "A qualifier that is neither a version nor an alias is refused, that of a trigger when it is made", Source: aliasPage},
		{ID: "alias-default", Text: "The alias $DEFAULT is always there, and follows $LATEST until it is set otherwise", Source: aliasPage},
		{ID: "alias-weight", Text: "An alias sends a share of its invocations to a second version, each for itself", Source: aliasPage},
		{ID: "alias-match", Text: "An alias sends invocations to a second version by their routing key, exactly or by a range", Source: aliasPage},
		{ID: "alias-limits", Text: "An alias has a name of 1 to 64 letters, digits, - and _, at most one second version by weight and by match, and weights from 0 to 1", Source: aliasPage},
		{ID: "alias-batch", Text: "By an alias a batch goes whole to one version, and to either one when it is delivered again; none is lost or delivered once more than it failed", Source: unconfirmed},
		{ID: "alias-timer", Text: "By an alias each event of a timer goes to one version", Source: unconfirmed},
		{ID: "namespace", Text: "Functions of one name in two namespaces are two functions", Source: functionPage},
	}
}

func timerRules() []Rule {
	return []Rule{
		{ID: "timer-name", Text: "A timer's name has 1 to 60 letters, digits, - and _, begins with a letter, and is unique among the timers of the function", Source: timerPage},
		{ID: "timer-cron", Text: "A cron has seven fields, or five, each with numbers in its range, names of months and weekdays, and , - * /", Source: timerPage},
		{ID: "timer-argument", Text: "The argument has at most 4 KB", Source: timerPage},
		{ID: "timer-fires", Text: "A timer fires at the times of its cron, in UTC+8, and not before", Source: timerPage},
		{ID: "timer-event", Text: "The event has the type Timer, the trigger's name, the time that was due in UTC, and the argument as its message", Source: timerPage},
		{ID: "timer-day-or-weekday", Text: "A cron with day and weekday fires on the days of either", Source: timerPage},
		{ID: "timer-five-fields", Text: "A cron of five fields fires at second 0 of any year", Source: timerPage},
		{ID: "timer-years-over", Text: "A timer whose years are over stays, and fires never again", Source: unconfirmed},
		{ID: "timer-closed", Text: "A closed timer does not fire", Source: timerPage},
		{ID: "timer-opened", Text: "An opened timer fires from then on, and does not make up for the time before", Source: unconfirmed},
		{ID: "timer-update", Text: "cron, argument and enable change while the timer runs", Source: updatePage},
		{ID: "timer-immutable", Text: "Another qualifier is refused: delete the timer and create it again", Source: updatePage},
		{ID: "timer-delete", Text: "A deleted timer fires no more", Source: timerPage},
		{ID: "timer-redeploy", Text: "A deployment with the same timer leaves it as it is, and its next event goes to the new version", Source: unconfirmed},
		{ID: "timer-down", Text: "What was due while the platform was down is not made up for", Source: unconfirmed},
		{ID: "timer-slept", Text: "A timer that is late by at most a minute fires all the same; what was due while the machine slept longer is left out", Source: unconfirmed},
		{ID: "timer-overlap", Text: "A timer fires while the function still runs for the time before: each event is an invocation of its own", Source: timerPage},
	}
}

func asyncRules() []Rule {
	return []Rule{
		{ID: "async-again", Text: "An asynchronous event that failed is sent again a minute later, byte for byte", Source: unconfirmed, Setting: "AsyncConfig.RetryInterval"},
		{ID: "async-given-up", Text: "An asynchronous event is sent again twice; if it fails then it is given up, counted and told of", Source: timerPage},
		{ID: "async-panic", Text: "After a panic an asynchronous event is sent again, to a new process, and the timer fires on", Source: timerPage},
		{ID: "async-signal", Text: "After the process was killed an asynchronous event is sent again, to a new process, and the timer fires on", Source: timerPage},
		{ID: "async-limit", Text: "An asynchronous event above the limit of invocations at once is sent again every minute, and that does not use up a repeat", Source: timerPage, Setting: "AsyncConfig.LimitInterval"},
		{ID: "async-limit-ends", Text: "An asynchronous event that is above the limit for 6 hours is given up", Source: timerPage, Setting: "AsyncConfig.LimitFor"},
		{ID: "async-system", Text: "After a fault of the platform an asynchronous event is sent again as if it were above the limit", Source: unconfirmed, Setting: "AsyncConfig.LimitInterval, AsyncConfig.LimitFor"},
		{ID: "async-own-trigger", Text: "An asynchronous event is sent again also when its trigger was deleted meanwhile", Source: unconfirmed},
		{ID: "async-removed", Text: "An asynchronous event whose function was removed is given up", Source: unconfirmed},
		{ID: "async-stop", Text: "Stopping finishes the asynchronous invocations that are running, and gives up the events that wait to be sent again", Source: unconfirmed, Setting: "Config.StopGrace"},
	}
}
