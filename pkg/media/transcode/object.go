package transcode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/media"
)

// Metadata of outputs.
const (
	metaJob     = "etl-job"        // the identity
	metaInput   = "etl-input"      // key of the input, with escapes
	metaVersion = "etl-input-etag" // of the input
	metaPreset  = "etl-preset"     // its name
)

// mostMetaKey bounds the key in the metadata, which has 2 KB in all.
const mostMetaKey = 1000

func metadata(id string, input cos.Object, preset media.Preset) map[string]string {
	key := url.PathEscape(input.Key)
	return map[string]string{
		metaJob: id, metaInput: key[:min(len(key), mostMetaKey)], metaVersion: input.ETag, metaPreset: preset.Name,
	}
}

// errNewer says that the input was replaced while a job was at it. The newer version has a
// job of its own.
var errNewer = errors.New("the input was replaced meanwhile")

// errLost says that a chunk or a piece of a job is not there, or is not what was put.
var errLost = errors.New("a part of the job is missing")

// source is one version of an object; gone is the error where it is there no more: errNewer of an
// input, errLost of a chunk and a piece.
type source struct {
	bucket *cos.Bucket
	object cos.Object
	gone   error
}

// Size is that of the version.
func (s source) Size() int64 { return s.object.Size }

// Open reads a part of the version; gone where it is there no more.
func (s source) Open(ctx context.Context, offset, length int64) (io.ReadCloser, error) {
	body, o, err := s.bucket.GetRange(ctx, s.object.Key, offset, length)
	switch {
	case errors.Is(err, cos.ErrNotFound), errors.Is(err, cos.ErrChanged):
		return nil, fmt.Errorf("%w: %w", s.gone, err)
	case err != nil:
		return nil, err
	case o.ETag != s.object.ETag:
		return nil, errors.Join(fmt.Errorf("%w: %q was replaced", s.gone, s.object.Key), body.Close())
	}
	return body, nil
}

// still is an error where the input is not the version any more.
func (e *Engine) still(ctx context.Context, input cos.Object) error {
	now, err := e.Bucket.Head(ctx, input.Key)
	switch {
	case errors.Is(err, cos.ErrNotFound):
		return fmt.Errorf("%w: it was removed", errNewer)
	case err != nil:
		return err
	case now.ETag != input.ETag:
		return errNewer
	}
	return nil
}

// guarded looks at the end of an output whether its input is still the same version.
type guarded struct {
	from  io.Reader
	still func() error
}

func (g guarded) Read(p []byte) (int, error) {
	n, err := g.from.Read(p)
	if err == io.EOF {
		if changed := g.still(); changed != nil {
			err = changed
		}
	}
	return n, err
}

// segmentsFolder is that of the segments of a playlist, beside it.
const segmentsFolder = "segments/"

// errDone says that another delivery of the same job was faster.
var errDone = errors.New("the output is there already")

// put gives what puts the files of an output: segments below the folder of the playlist, with the
// identity in their names, so that those of another version stay what they are until this
// one is complete. Where there is no output yet, the first of two deliveries makes it, and the
// other gets errDone.
func (e *Engine) put(id string, input cos.Object, o output) media.Put {
	folder := o.key[:strings.LastIndexByte(o.key, '/')+1]
	return func(ctx context.Context, f media.File, body io.Reader) error {
		options := cos.PutOptions{Metadata: metadata(id, input, o.preset), ContentType: f.Type, Size: f.Size}
		if f.Name != "" {
			_, err := e.Bucket.Put(ctx, folder+f.Name, body, options)
			return err
		}
		there, err := e.Bucket.Head(ctx, o.key)
		switch {
		case errors.Is(err, cos.ErrNotFound):
			options.IfAbsent = true
		case err != nil:
			return err
		case there.Metadata[metaJob] == id:
			return errDone
		}
		_, err = e.Bucket.Put(ctx, o.key, guarded{body, func() error { return e.still(ctx, input) }}, options)
		if errors.Is(err, cos.ErrExists) {
			if done, failed := e.done(ctx, o.key, id); done || failed != nil {
				return errors.Join(failed, errDone)
			}
		}
		return err
	}
}

// task is that of media for an output.
func (e *Engine) task(ctx context.Context, id string, input cos.Object, o output) media.Task {
	return media.Task{Preset: o.preset, Put: e.put(id, input, o), Segments: segmentsFolder + id + "-", Progress: e.progress(ctx, o)}
}

// tidy removes the segments of other versions of an output, once it is there.
func (e *Engine) tidy(ctx context.Context, id string, o output) error {
	if o.preset.Container != media.ContainerHLS {
		return nil
	}
	folder := o.key[:strings.LastIndexByte(o.key, '/')+1] + segmentsFolder
	return e.remove(ctx, folder, func(key string) bool {
		name := strings.TrimPrefix(key, folder)
		return len(name) > 33 && jobName.MatchString(name[:32]) && name[32] == '-' && name[:32] != id
	})
}

// remove deletes the objects below a prefix that are chosen; nil: all.
func (e *Engine) remove(ctx context.Context, prefix string, chosen func(key string) bool) error {
	var keys []string
	for o, err := range e.Bucket.List(ctx, cos.ListOptions{Prefix: prefix}) {
		if err != nil {
			return err
		}
		if chosen == nil || chosen(o.Key) {
			keys = append(keys, o.Key)
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return e.Bucket.Delete(ctx, keys...)
}

// done says whether an output is there with an identity.
func (e *Engine) done(ctx context.Context, key, id string) (bool, error) {
	there, err := e.Bucket.Head(ctx, key)
	if errors.Is(err, cos.ErrNotFound) {
		return false, nil
	}
	return err == nil && there.Metadata[metaJob] == id, err
}
