package scf

import (
	"fmt"
	"strconv"
	"strings"
)

// firstLikelyTime is a day of 1973 in milliseconds, and one of the year 5138 in seconds.
const firstLikelyTime Offset = 1e11

// triggers checks each trigger of a function, and all of them together.
func (l *linter) triggers(f Function) {
	count := map[string]int{}
	seen := map[string]int{}
	for i, t := range f.Events {
		path := fmt.Sprintf("functions.%s.events.%d.%s", f.Key, i, t.Kind())
		if count[t.Kind()]++; count[t.Kind()] == MaxTriggersOfKind+1 {
			l.add(Error, fmt.Sprintf("the function has more than %d triggers of the kind %s", MaxTriggersOfKind, t.Kind()), "",
				"give the others to another function", path)
		}
		id := t.Kind() + " " + t.Name()
		if first, twice := seen[id]; twice {
			l.add(Error, fmt.Sprintf("is the same trigger as events.%d: both are named %s", first, t.Name()), "", "keep one of them", path)
		} else {
			seen[id] = i
		}
		if !t.Enabled() {
			l.add(Note, "the trigger is off: it is deployed closed", "", "", path+".enable", path)
		}
		switch {
		case t.Kafka != nil:
			l.kafka(f, *t.Kafka, path)
		case t.Timer != nil:
			l.timer(*t.Timer, path)
		case t.COS != nil:
			l.cos(f, *t.COS, path)
		default:
			l.add(Note, "triggers of the kind "+t.Kind()+" are deployed, and not driven by the local platform yet", "", "", path)
		}
	}
	l.eventMode(f)
}

// cos checks a trigger on a bucket.
func (l *linter) cos(f Function, t COSTrigger, path string) {
	if !ValidBucketDomain(t.Bucket) {
		l.add(Error, fmt.Sprintf("bucket is %q", t.Bucket), "the bucket's domain, "+bucketDomain, "", path+".bucket")
	}
	if !ValidCOSEvent(t.Events) {
		l.add(Error, fmt.Sprintf("events is %q", t.Events), COSEvents, "", path+".events")
	}
	for _, other := range l.buckets {
		if t.Overlaps(other.trigger) {
			l.add(Error, "would get the events of a trigger of "+other.function+" on the same bucket: the platform refuses that", "",
				"make events, prefix or suffix differ", path)
		}
	}
	l.buckets = append(l.buckets, bucketTrigger{f.Key, t})
}

// bucketTrigger is a trigger on a bucket, of a function.
type bucketTrigger struct {
	function string
	trigger  COSTrigger
}

func (l *linter) kafka(f Function, k KafkaTrigger, path string) {
	if k.InstanceID == "" {
		l.add(Error, "instanceId is missing", "", "give the id of the CKafka instance: ckafka-xxxxxxxx", path+".instanceId")
	}
	if k.Topic == "" {
		l.add(Error, "topic is missing", "", "", path+".topic")
	}
	l.between(path+".maxMsgNum", k.MaxMsgNum, MinMaxMsgNum, MaxMaxMsgNum, "records")
	l.between(path+".timeOut", k.TimeOut, MinBatchTime, MaxBatchTime, "seconds")
	if k.Retry < 0 {
		l.add(Error, "is below 0", "0 or more", "", path+".retry")
	}
	l.retention(k, path)
	// Such a time is likely one in seconds.
	if k.Offset >= 0 && k.Offset < firstLikelyTime {
		l.add(Warning, "is a time before 1973", OffsetForms, fmt.Sprintf("if it is in seconds: %d000", k.Offset), path+".offset")
	}
	if k.ConsumerGroup == "" {
		l.add(Warning, "consumerGroupName is missing: the platform makes up a group, and a trigger that is made anew begins anew", "",
			"name it: consumerGroupName: etl-"+f.Key, path+".consumerGroupName")
	}
	if f.VPC == nil {
		l.add(Warning, "the function is in no private network: it reaches no CKafka instance", "",
			"give vpcConfig with vpcId and subnetId, those of the instance", path)
	}
	if _, ok := l.service.Local.Clusters[k.InstanceID]; !ok && k.InstanceID != "" {
		l.add(Note, "the instance has no cluster on this machine", "", "add it to custom.local.ckafka to run the trigger locally", path+".instanceId")
	}
}

func (l *linter) between(path string, value, least, most int, unit string) {
	if value < least || value > most {
		l.add(Error, "is out of range", fmt.Sprintf("%d to %d %s", least, most, unit), "", path)
	}
}

// eventMode warns of a function that has its records from the event alone. A function says where it gets them with MODE
// and SOURCE_BROKERS, as functions/dump does.
func (l *linter) eventMode(f Function) {
	at := -1
	for i, t := range f.Events {
		if t.Kafka != nil && at < 0 {
			at = i
		}
	}
	if at < 0 || f.Environment["MODE"] != "event" && f.Environment["SOURCE_BROKERS"] != "" {
		return
	}
	path := "functions." + f.Key + ".events." + strconv.Itoa(at) + ".ckafka"
	l.add(Warning, "the function takes its records from the event, which has no headers, no timestamps and no null keys, and bytes"+
		" that are no text arrive changed", "", "set SOURCE_BROKERS, and MODE to fetch or auto, where that matters",
		"functions."+f.Key+".environment.MODE", path)
}

// sharedGroups warns of two functions that would share the partitions of a topic between them.
func (l *linter) sharedGroups(f Function, groups map[string]string) {
	for i, t := range f.Events {
		if t.Kafka == nil || t.Kafka.ConsumerGroup == "" {
			continue
		}
		id := strings.Join([]string{t.Kafka.InstanceID, t.Kafka.Topic, t.Kafka.ConsumerGroup}, "\x00")
		path := fmt.Sprintf("functions.%s.events.%d.ckafka.consumerGroupName", f.Key, i)
		if other, taken := groups[id]; taken && other != f.Key {
			l.add(Warning, fmt.Sprintf("%s reads the same topic in this group: each of the two gets a part of the records", other), "",
				"give each function a group of its own", path)
		}
		groups[id] = f.Key
	}
}
