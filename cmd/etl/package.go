package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/scf-etl/scf-etl/pkg/pack"
	"github.com/scf-etl/scf-etl/pkg/scf"
)

// signPasswordVariable holds the password of the key that signs.
const signPasswordVariable = "ETL_SIGN_PASSWORD"

func (a *app) packageCommand() *cobra.Command {
	var into, keyFile, ffmpeg string
	cmd := &cobra.Command{
		Use:   "package [NAME...]",
		Short: "Put built functions into the zips to deploy",
		Long: `Put the functions of serverless.yml, or those that are named, into the zips that
the platform takes: the binary that make build has made, for linux/amd64, and the
files that package.patterns lists, under the paths that they have here. Beside
dist/NAME.zip lies dist/NAME.cdx.json: what is in it, as an SBOM in CycloneDX.
The same binary and files give the same bytes on every machine.

With --ffmpeg, ffmpeg and the ffprobe beside it lie beside the binary of transcode. They
have to be static programs for linux/amd64: those of a distribution need a layer with
their libraries.

With --sign-key, a secret key of minisign signs each zip into dist/NAME.zip.minisig.
Its password comes from ` + signPasswordVariable + `, or is asked for on a terminal.`,
		Example: "  make package                                    builds first\n" +
			"  etl package dump --sign-key ~/etl.key\n  etl package verify --key deploy/etl.pub",
	}
	service := newServiceFlag(cmd)
	cmd.ValidArgsFunction = service.names(a)
	cmd.Flags().StringVar(&into, "into", "dist", "folder of the packages, beside serverless.yml")
	cmd.Flags().StringVar(&ffmpeg, "ffmpeg", "", "static ffmpeg for the package of transcode; ffprobe lies beside it")
	cmd.Flags().StringVar(&keyFile, "sign-key", "", "file with the secret key of minisign that signs")
	cmd.RunE = func(_ *cobra.Command, names []string) error {
		chosen, folder, err := a.choose(service, names)
		if err != nil {
			return err
		}
		packer := pack.Packer{Folder: folder, Into: below(folder, into)}
		if ffmpeg != "" {
			if packer.Beside, err = besideTranscode(chosen, ffmpeg); err != nil {
				return err
			}
		}
		if keyFile != "" {
			key, err := pack.ReadKey(keyFile, a.signPassword)
			if err != nil {
				return err
			}
			packer.Key = &key
		}
		made := []pack.Package{}
		for _, f := range chosen.Functions {
			p, err := packer.Pack(f)
			if err != nil {
				return err
			}
			made = append(made, p)
		}
		return a.print(made, func(w io.Writer) { printPackages(w, made) })
	}
	cmd.AddCommand(a.packageVerifyCommand())
	return cmd
}

// transcodeBinary is the name of the binary that runs FFmpeg.
const transcodeBinary = "transcode"

// besideTranscode puts FFmpeg beside the functions that run it.
func besideTranscode(service *scf.Service, ffmpeg string) (map[string][]string, error) {
	if filepath.Base(ffmpeg) != "ffmpeg" {
		return nil, usagef("--ffmpeg is %q: want the path of a program ffmpeg, with ffprobe beside it", ffmpeg)
	}
	programs := []string{ffmpeg, filepath.Join(filepath.Dir(ffmpeg), "ffprobe")}
	beside := map[string][]string{}
	for _, f := range service.Functions {
		if filepath.Base(f.Binary) == transcodeBinary {
			beside[f.Key] = programs
		}
	}
	if len(beside) == 0 {
		return nil, usagef("--ffmpeg: none of these functions runs FFmpeg")
	}
	return beside, nil
}

func (a *app) packageVerifyCommand() *cobra.Command {
	var from, public string
	cmd := &cobra.Command{
		Use:     "verify [NAME...]",
		Short:   "Check that zips are those that were signed",
		Long:    `Check the signature of each function's zip. Exit code 1 where one is missing or not good.`,
		Example: "  etl package verify --key deploy/etl.pub",
	}
	service := newServiceFlag(cmd)
	cmd.ValidArgsFunction = service.names(a)
	cmd.Flags().StringVar(&from, "from", "dist", "folder of the packages, beside serverless.yml")
	cmd.Flags().StringVar(&public, "key", "", "public key of minisign: its file, or its line that begins with RW")
	_ = cmd.MarkFlagRequired("key")
	cmd.RunE = func(_ *cobra.Command, names []string) error {
		chosen, folder, err := a.choose(service, names)
		if err != nil {
			return err
		}
		key, err := pack.ReadPublicKey(public)
		if err != nil {
			return err
		}
		var faults []error
		verified := []string{}
		for _, f := range chosen.Functions {
			zip := filepath.Join(below(folder, from), f.Key+pack.ZipSuffix)
			if err := pack.Verify(key, zip); err != nil {
				faults = append(faults, err)
				continue
			}
			verified = append(verified, zip)
		}
		err = a.print(verified, func(w io.Writer) {
			for _, zip := range verified {
				fmt.Fprintf(w, "%s: signed by key %X\n", fromHere(zip), key.ID())
			}
		})
		return errors.Join(append(faults, err)...)
	}
	return cmd
}

// choose loads a service with the functions that are named; none means all.
func (a *app) choose(flag *serviceFlag, names []string) (*scf.Service, string, error) {
	service, folder, err := flag.load(a.environ)
	if err != nil {
		return nil, "", err
	}
	return service, folder, choose(service, names)
}

// below gives a path that is meant from a folder.
func below(folder, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(folder, path)
}

// signPassword gives the password from the environment, or asks for it.
func (a *app) signPassword() (string, error) {
	if password, ok := a.environ[signPasswordVariable]; ok {
		return password, nil
	}
	if !term.IsTerminal(int(os.Stdin.Fd())) {
		return "", errors.New("set " + signPasswordVariable + ", or run it on a terminal")
	}
	fmt.Fprint(a.stderr, "password of the key: ")
	password, err := term.ReadPassword(int(os.Stdin.Fd()))
	fmt.Fprintln(a.stderr)
	return string(password), err
}

func printPackages(w io.Writer, made []pack.Package) {
	limit := fmt.Sprintf("IN A REQUEST (%d MB)", scf.MaxInlineZip>>20)
	rows := [][]string{{"ZIP", "SIZE", "UNZIPPED", limit, "EXTRA FILES", "SIGNED"}}
	for _, p := range made {
		inline := "yes"
		if !p.Inline() {
			inline = "no, through COS"
		}
		signed := "no"
		if p.Signature != "" {
			signed = "yes"
		}
		rows = append(rows, []string{fromHere(p.Zip), megabytes(p.Bytes), megabytes(p.Unzipped), inline,
			cmp.Or(strings.Join(p.Files[1:], ", "), "none"), signed})
	}
	table(w, rows)
}

// fromHere shortens a path for people.
func fromHere(path string) string {
	here, err := os.Getwd()
	if err != nil {
		return path
	}
	if short, err := filepath.Rel(here, path); err == nil && filepath.IsLocal(short) {
		return short
	}
	return path
}

func megabytes(bytes int64) string { return fmt.Sprintf("%.2f MB", float64(bytes)/(1<<20)) }
