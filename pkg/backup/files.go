package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"

	"golang.org/x/sync/errgroup"

	"github.com/scf-etl/scf-etl/pkg/kafka/batch"
)

// FilesResult is what was written to files.
type FilesResult struct {
	Plan    *Plan    `json:"plan"`
	Records int64    `json:"records"`
	Files   []string `json:"files"`             // in the folder, with slashes
	Skipped []string `json:"skipped,omitempty"` // that were there already
}

// FileFormat is what a restore to files writes: [JSONLines], or that of package parquet.
type FileFormat struct {
	Extension string // of the files' names
	// New begins a file with the records of a partition.
	New func(w io.Writer, topic string, partition int32) RecordWriter
}

// RecordWriter writes the records of one file. Close ends it, and does not close what it
// writes to.
type RecordWriter interface {
	// Write writes a record, which is valid until it returns.
	Write(FileRecord) error
	Close() error
}

// FileRecord is a record, and whether its timestamp is when a broker appended it.
type FileRecord struct {
	batch.Record
	LogAppendTime bool
}

// RestoreFiles writes what a backup has at a point to files, one a partition:
// folder/TOPIC/PARTITION.jsonl or .parquet. A file is there once it is whole; one that is there already
// stays, so that a run after a kill goes on. Nothing is written outside of the folder,
// whatever a manifest says. The configuration needs no target.
func RestoreFiles(ctx context.Context, config RestoreConfig, folder string, format FileFormat) (FilesResult, error) {
	config.Target = nil
	config, err := config.withDefaults()
	if err != nil {
		return FilesResult{}, err
	}
	r, err := prepare(ctx, config)
	if err != nil {
		return FilesResult{}, err
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return FilesResult{}, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return FilesResult{}, err
	}
	defer root.Close()
	done := FilesResult{Plan: r.plan, Files: []string{}}
	var group errgroup.Group
	group.SetLimit(config.Parallel)
	for _, t := range r.plan.Topics {
		if err := root.Mkdir(t.Target, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return done, err
		}
		for _, p := range t.Partitions {
			name := path.Join(t.Target, fmt.Sprintf("%d.%s", p.Number, format.Extension))
			if _, err := root.Stat(name); err == nil {
				done.Skipped = append(done.Skipped, name)
				continue
			}
			done.Files = append(done.Files, name)
			group.Go(func() error {
				n, err := r.file(ctx, root, name, format, t.Name, r.source.topics[t.Name].logs[p.Number])
				r.mu.Lock()
				defer r.mu.Unlock()
				done.Records += n
				if err != nil {
					return fmt.Errorf("write %s: %w", name, err)
				}
				return nil
			})
		}
	}
	return done, group.Wait()
}

// file writes one partition.
func (r *restore) file(
	ctx context.Context,
	root *os.Root,
	name string,
	format FileFormat,
	topic string,
	part *partLog,
) (n int64, err error) {
	unfinished := name + ".unfinished"
	f, err := root.Create(unfinished)
	if err != nil {
		return 0, err
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = root.Rename(unfinished, name)
		} else {
			_ = root.Remove(unfinished) // the error is told already
		}
	}()
	buffered := bufio.NewWriterSize(f, 256<<10)
	out := format.New(buffered, topic, part.at.number)
	for record, err := range r.source.records(ctx, part, 0) {
		if err != nil {
			return n, err
		}
		if err := out.Write(record); err != nil {
			return n, err
		}
		n++
	}
	if err := out.Close(); err != nil {
		return n, err
	}
	return n, buffered.Flush()
}
