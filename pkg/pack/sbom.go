package pack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// sbomVersion is the newest version of CycloneDX that the common scanners read.
const sbomVersion = cyclonedx.SpecVersion1_6

// writeSBOM writes what a package is made of, in CycloneDX: the zip with its hash,
// the modules that the binary says it was built from, with those of go.sum, the
// standard library, and each extra file. The serial number is made of the hash of
// the zip, and there is no time in it.
func writeSBOM(to io.Writer, function string, zipped []byte, files []file) error {
	info, err := buildinfo.Read(bytes.NewReader(files[0].content))
	if err != nil {
		return fmt.Errorf("read what the binary was built from: %w", err)
	}
	sum := sha256.Sum256(zipped)
	root := cyclonedx.Component{
		BOMRef: function, Type: cyclonedx.ComponentTypeApplication, Name: function, Group: info.Main.Path,
		Hashes: hashes(sum[:]),
	}
	bom := cyclonedx.NewBOM()
	bom.SerialNumber = serial(sum)
	bom.Metadata = &cyclonedx.Metadata{Component: &root}
	components := modules(info)
	for _, f := range files {
		sum := sha256.Sum256(f.content)
		components = append(components, cyclonedx.Component{
			BOMRef: "file:" + f.name, Type: cyclonedx.ComponentTypeFile, Name: f.name, Hashes: hashes(sum[:]),
		})
	}
	bom.Components = &components
	refs := make([]string, len(components))
	for i, c := range components {
		refs[i] = c.BOMRef
	}
	bom.Dependencies = &[]cyclonedx.Dependency{{Ref: function, Dependencies: &refs}}
	return cyclonedx.NewBOMEncoder(to, cyclonedx.BOMFileFormatJSON).SetPretty(true).EncodeVersion(bom, sbomVersion)
}

// modules lists the standard library and the modules of a binary, in order of their paths.
func modules(info *debug.BuildInfo) []cyclonedx.Component {
	version, _, _ := strings.Cut(strings.TrimPrefix(info.GoVersion, "go"), " ")
	all := []cyclonedx.Component{module("stdlib", version, "")}
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		all = append(all, module(m.Path, m.Version, m.Sum))
	}
	slices.SortFunc(all[1:], func(a, b cyclonedx.Component) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

func module(path, version, sum string) cyclonedx.Component {
	purl := "pkg:golang/" + (&url.URL{Path: path}).EscapedPath()
	if version != "" {
		purl += "@" + url.QueryEscape(version)
	}
	c := cyclonedx.Component{
		BOMRef: purl, PackageURL: purl, Type: cyclonedx.ComponentTypeLibrary, Name: path, Version: version,
		Scope: cyclonedx.ScopeRequired,
	}
	// why: h1 is SHA-256 over the module's files, in base64.
	if h1, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(sum, "h1:")); err == nil && len(h1) == sha256.Size {
		c.Hashes = hashes(h1)
	}
	return c
}

func hashes(sha256 []byte) *[]cyclonedx.Hash {
	return &[]cyclonedx.Hash{{Algorithm: cyclonedx.HashAlgoSHA256, Value: hex.EncodeToString(sha256)}}
}

// serial gives a UUID of version 8, which is one of the maker's own choice (RFC 9562, 5.8).
func serial(sum [sha256.Size]byte) string {
	id := sum[:16]
	id[6] = id[6]&0x0f | 0x80
	id[8] = id[8]&0x3f | 0x80
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}
