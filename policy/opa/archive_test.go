package opa

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"testing"
)

// TestHostileArchives: each is refused before anything but the archive's own headers is read, and costs little.
func TestHostileArchives(t *testing.T) {
	t.Parallel()
	_, public := keyPair(t)
	archive := func(headers ...tar.Header) []byte {
		var out bytes.Buffer
		gz := gzip.NewWriter(&out)
		w := tar.NewWriter(gz)
		for _, h := range headers {
			if h.Typeflag == 0 {
				h.Typeflag = tar.TypeReg
			}
			h.Mode = 0o600
			err := w.WriteHeader(&h)
			if err == nil && h.Size > 0 {
				_, err = io.CopyN(w, zeros{}, h.Size)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), gz.Close()); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	many := make([]tar.Header, maxFiles+2)
	for i := range many {
		many[i].Name = fmt.Sprint("/", i, ".rego")
	}
	for name, c := range map[string]struct {
		raw  []byte
		code string
	}{
		"a bomb":                {archive(tar.Header{Name: "/data.json", Size: maxUnpacked + 1}), "too-large"},
		"a bomb in many files":  {archive(tar.Header{Name: "/a.rego", Size: maxUnpacked / 2}, tar.Header{Name: "/b.rego", Size: maxUnpacked/2 + 1}, tar.Header{Name: "/c.rego"}), "too-large"},
		"many files":            {archive(many...), "too-large"},
		"a path upwards":        {archive(tar.Header{Name: "../x.rego"}), "hostile"},
		"a path through others": {archive(tar.Header{Name: "/a/../../x.rego"}), "hostile"},
		"a path of the machine": {archive(tar.Header{Name: "//etc/x.rego"}), "hostile"},
		"another machine's":     {archive(tar.Header{Name: `C:\x.rego`}), "hostile"},
		"a link":                {archive(tar.Header{Name: "/x.rego", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}), "hostile"},
		"a hard link":           {archive(tar.Header{Name: "/x.rego", Typeflag: tar.TypeLink, Linkname: "y.rego"}), "hostile"},
		"a device":              {archive(tar.Header{Name: "/x.rego", Typeflag: tar.TypeChar}), "hostile"},
		"a file twice":          {archive(tar.Header{Name: "/x.rego"}, tar.Header{Name: "x.rego"}), "hostile"},
		"letters that look it":  {archive(tar.Header{Name: "/query.rego"}, tar.Header{Name: "/Query.rego"}), "hostile"},
		"a line break":          {archive(tar.Header{Name: "/a\nb.rego"}), "hostile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadBundle(t.Context(), bytes.NewReader(c.raw), public)
			var f *Fault
			if !errors.As(err, &f) || f.Code != c.code {
				t.Errorf("%v, want %s (%d bytes)", err, c.code, len(c.raw))
			}
		})
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
