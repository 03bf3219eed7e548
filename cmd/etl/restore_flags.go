package main

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/backup"
	"github.com/scf-etl/scf-etl/pkg/backup/parquet"
	"github.com/scf-etl/scf-etl/pkg/mirror"
)

func (f *restoreFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.plan, "plan", false, "show what would be done, and do nothing")
	flags.StringArrayVar(
		&f.include,
		"include",
		[]string{".*"},
		"topics to restore: a regular expression that matches the whole name; may be given again",
	)
	flags.StringArrayVar(
		&f.partitions,
		"partition",
		nil,
		"partitions of a topic to restore: TOPIC:0,3-5; may be given again; without --include no other topics",
	)
	flags.StringArrayVar(&f.exclude, "exclude", nil, "topics not to restore")
	flags.StringVar(&f.topics, "topics", "", "target names, SOURCE:TARGET, comma separated; *:PREFIX.* for all others")
	flags.StringVar(
		&f.groups,
		"groups",
		"",
		"groups whose positions are set: none, all, or a regular expression (default all, in topics that keep their name)",
	)
	flags.StringVar(&f.groupPrefix, "group-prefix", "", "put before the names of groups in the target")
	flags.StringVar(
		&f.toTime,
		"to-time",
		"",
		"restore up to this moment: 2026-01-02T15:04:05.123+08:00, or how long ago, as 90m",
	)
	flags.StringArrayVar(
		&f.toOffsets,
		"to-offset",
		nil,
		"end a partition before this offset: TOPIC:PARTITION:OFFSET; may be given again",
	)
	flags.Int64Var(
		&f.toBackup,
		"to-backup",
		0,
		"restore what the cluster had at this backup: a number of etl backup list",
	)
	flags.StringVar(
		&f.toFiles,
		"to-files",
		"",
		"write files to this folder, TOPIC/PARTITION.jsonl or .parquet, and to no cluster",
	)
	flags.StringVar(&f.formatName, "format", backup.JSONLines().Extension, "of files: jsonl, lines of JSON, or parquet")
	flags.StringVar(&f.config.Job, "job", "restore", "name of the restore: the same one goes on where it was")
	flags.BoolVar(&f.config.SkipDamaged, "skip-damaged", false, "leave out what is damaged, and tell of it")
	flags.BoolVar(
		&f.config.Unlimited,
		"keep-for-ever",
		false,
		"create topics without retention: else the target deletes what is older",
	)
	flags.IntVar(&f.config.Parallel, "parallel", 4, "partitions that are restored at a time")
	flags.BoolVar(
		&f.config.IntoTopicsThatHoldRecords,
		"into-topics-that-hold-records",
		false,
		"write behind the records of others",
	)
}

// read makes the configuration of the flags.
func (f *restoreFlags) read(a *app, included bool) (err error) {
	if f.config.Partitions, err = parsePartitions(f.partitions); err != nil {
		return err
	}
	if len(f.partitions) > 0 && !included {
		f.include = f.include[:0]
		for topic := range f.config.Partitions {
			f.include = append(f.include, regexp.QuoteMeta(topic))
		}
	}
	selected, err := mirror.NewSelection(f.include, f.exclude)
	if err != nil {
		return usagef("%v", err)
	}
	f.config.Select = selected.Match
	if f.config.Topics, err = mirror.ParseTopicMap(f.topics); err != nil {
		return usagef("--topics: %v", err)
	}
	if err := mirror.CheckJob(f.config.Job); err != nil {
		return usagef("%v", err)
	}
	if f.config.Groups, err = backup.SelectGroups(f.groups); err != nil {
		return usagef("--groups: %v", err)
	}
	if f.groupPrefix != "" {
		f.config.RenameGroup = func(group string) string { return f.groupPrefix + group }
	}
	switch f.formatName {
	case backup.JSONLines().Extension:
		f.format = backup.JSONLines()
	case parquet.Format().Extension:
		f.format = parquet.Format()
	default:
		return usagef("--format is %q: want jsonl or parquet", f.formatName)
	}
	if f.toTime != "" && f.toBackup != 0 {
		return usagef("--to-time and --to-backup: give one of them")
	}
	if f.config.Point.Time, err = parseMoment("to-time", f.toTime); err != nil {
		return err
	}
	f.config.Point.Sequence = f.toBackup
	if f.config.Point.Offsets, err = parseOffsets(f.toOffsets); err != nil {
		return err
	}
	if f.config.Identities, err = backup.Identities(a.identities()); err != nil {
		return usagef("AGE_IDENTITIES: %v", err)
	}
	return nil
}

// parsePartitions reads TOPIC:0,3-5.
func parsePartitions(all []string) (map[string][]int32, error) {
	partitions := map[string][]int32{}
	for _, text := range all {
		wrong := usagef("--partition is %q: want TOPIC:0,3-5", text)
		topic, list, ok := strings.Cut(text, ":")
		if !ok || topic == "" {
			return nil, wrong
		}
		for span := range strings.SplitSeq(list, ",") {
			first, last, isRange := strings.Cut(span, "-")
			from, err := strconv.ParseInt(first, 10, 32)
			to := from
			if isRange && err == nil {
				to, err = strconv.ParseInt(last, 10, 32)
			}
			if err != nil || from < 0 || to < from || to-from >= maxPartitions {
				return nil, wrong
			}
			for n := from; n <= to; n++ {
				partitions[topic] = append(partitions[topic], int32(n))
			}
		}
	}
	return partitions, nil
}

// maxPartitions bounds a range: no topic has more.
const maxPartitions = 100_000

func parseOffsets(all []string) (map[string]map[int32]int64, error) {
	offsets := map[string]map[int32]int64{}
	for _, text := range all {
		parts := strings.Split(text, ":")
		if len(parts) != 3 {
			return nil, usagef("--to-offset is %q: want TOPIC:PARTITION:OFFSET", text)
		}
		partition, err := strconv.ParseInt(parts[1], 10, 32)
		offset, offsetErr := strconv.ParseInt(parts[2], 10, 64)
		if err = errors.Join(err, offsetErr); err != nil || partition < 0 || offset < 0 {
			return nil, usagef("--to-offset is %q: want TOPIC:PARTITION:OFFSET", text)
		}
		if offsets[parts[0]] == nil {
			offsets[parts[0]] = map[int32]int64{}
		}
		offsets[parts[0]][int32(partition)] = offset
	}
	return offsets, nil
}
