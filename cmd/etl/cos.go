package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/scf-etl/scf-etl/pkg/cos"
	"github.com/scf-etl/scf-etl/pkg/scf"
	"github.com/scf-etl/scf-etl/pkg/secret"
)

func (a *app) cosCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cos",
		Short: "List, put, get and remove objects of a bucket, here or in the cloud",
		Long: `Look at the objects of a bucket, and put some there: to try a trigger on a bucket,
or to see what a function has written.

The bucket is that of this machine, which etl up and etl serve --cos answer for, at
http://` + scf.DefaultCOSAddress + ` with the keys local and local. COS_ENDPOINT names another address,
and nothing at all the service itself; TENCENTCLOUD_SECRET_ID, TENCENTCLOUD_SECRET_KEY
and TENCENTCLOUD_REGION are those of the cloud.`,
		Example: "  etl cos put movie.mp4 uploads-1250000000/in/movie.mp4\n  etl cos list backup-1250000000/backup/\n  etl cos get uploads-1250000000/in/movie.mp4 > copy.mp4",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.cosListCommand(), a.cosPutCommand(), a.cosGetCommand(), a.cosRemoveCommand())
	return cmd
}

// bucketOf opens the bucket of BUCKET/KEY.
func (a *app) bucketOf(path string) (b *cos.Bucket, key string, err error) {
	name, key, _ := strings.Cut(path, "/")
	if !scf.ValidBucketName(name) {
		return nil, "", usagef("%q: want BUCKET/KEY, the bucket with its APPID, as uploads-1250000000/in/movie.mp4", path)
	}
	endpoint, set := a.environ["COS_ENDPOINT"]
	if !set {
		endpoint = "http://" + scf.DefaultCOSAddress
	}
	credentials := a.cosCredentials()
	switch {
	case credentials == nil && endpoint == "":
		return nil, "", usagef("set %s and %s: the bucket is in the cloud, because COS_ENDPOINT is empty", secretIDVariable, secretKeyVariable)
	case credentials == nil:
		credentials = cos.Static(localKey, secret.New(localKey))
	}
	config := cos.Config{Bucket: name, Region: cmp.Or(a.environ["TENCENTCLOUD_REGION"], scf.DefaultRegion), Endpoint: endpoint, Credentials: credentials}
	if endpoint != "" {
		config.Retries = 1
	}
	b, err = cos.Open(config)
	return b, key, err
}

// explainCOS says what to do where nothing answers, or the bucket is not there.
func (a *app) explainCOS(err error) error {
	if _, set := a.environ["COS_ENDPOINT"]; set {
		return err
	}
	switch {
	case errors.Is(err, cos.ErrUnavailable):
		return fmt.Errorf("%w; COS of this machine is there while etl serve --cos %s runs, or etl up with a function that needs it", err, scf.DefaultCOSAddress)
	case errors.Is(err, cos.ErrNoBucket):
		return fmt.Errorf("%w; buckets of this machine are those of triggers, and of custom.local.cos.buckets in serverless.yml", err)
	}
	return err
}

func (a *app) cosListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "list BUCKET[/PREFIX]", Short: "List objects", Args: cobra.ExactArgs(1),
		Example: "  etl cos list uploads-1250000000/in/",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, prefix, err := a.bucketOf(args[0])
		if err != nil {
			return err
		}
		defer b.Close()
		type object struct {
			Key      string `json:"key"`
			Size     int64  `json:"size"`
			Modified string `json:"modified"`
		}
		objects := []object{}
		for o, err := range b.List(cmd.Context(), cos.ListOptions{Prefix: prefix}) {
			if err != nil {
				return a.explainCOS(err)
			}
			objects = append(objects, object{o.Key, o.Size, moment(o.Modified)})
		}
		return a.print(objects, func(w io.Writer) {
			rows := [][]string{{"SIZE", "MODIFIED", "KEY"}}
			for _, o := range objects {
				rows = append(rows, []string{fmt.Sprint(o.Size), o.Modified, quotedIfOdd(o.Key)})
			}
			table(w, rows)
		})
	}
	return cmd
}

func (a *app) cosPutCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "put FILE BUCKET/KEY", Short: "Put a file, or standard input for -", Args: cobra.ExactArgs(2),
		Example: "  etl cos put movie.mp4 uploads-1250000000/in/movie.mp4",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		from := cmd.InOrStdin()
		if args[0] != "-" {
			file, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer file.Close()
			from = file
		}
		b, key, err := a.bucketOf(args[1])
		if err != nil {
			return err
		}
		defer b.Close()
		o, err := b.Put(cmd.Context(), key, from, cos.PutOptions{})
		if err != nil {
			return a.explainCOS(err)
		}
		return a.print(o, func(w io.Writer) { fmt.Fprintf(w, "%d bytes put to %s/%s\n", o.Size, b.Name(), key) })
	}
	return cmd
}

func (a *app) cosGetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "get BUCKET/KEY", Short: "Print an object, byte for byte", Args: cobra.ExactArgs(1),
		Example: "  etl cos get uploads-1250000000/in/movie.mp4 > copy.mp4",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		b, key, err := a.bucketOf(args[0])
		if err != nil {
			return err
		}
		defer b.Close()
		body, _, err := b.Get(cmd.Context(), key)
		if err != nil {
			return a.explainCOS(err)
		}
		defer body.Close()
		_, err = io.Copy(a.stdout, body)
		return err
	}
	return cmd
}

func (a *app) cosRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "remove BUCKET/KEY...", Short: "Remove objects", Args: cobra.MinimumNArgs(1),
		Example: "  etl cos remove uploads-1250000000/in/movie.mp4",
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		for _, arg := range args {
			b, key, err := a.bucketOf(arg)
			if err != nil {
				return err
			}
			err = b.Delete(cmd.Context(), key)
			b.Close()
			if err != nil {
				return a.explainCOS(err)
			}
			fmt.Fprintf(a.stderr, "removed %s\n", arg)
		}
		return nil
	}
	return cmd
}
