package attachment

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"strings"

	"carrel/broker/problem"
)

// office judges a document of Office Open XML: an archive with a main part of the right type, nothing that runs, nothing packed inside.
// Every entry is unpacked and counted: sizes in an archive's directory are claims.
func office(main, contentType string) func(data []byte) error {
	return func(data []byte) error {
		if !bytes.HasPrefix(data, []byte("PK\x03\x04")) { // something before the archive makes it two files in one
			return mismatch(nil)
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return mismatch(err)
		}
		if len(z.File) > maxEntries {
			return bomb("too many entries")
		}
		parts, err := unpack(z, len(data))
		if err != nil {
			return err
		}
		if !parts.seen[main] || !bytes.Contains(parts.types, []byte(contentType)) || bytes.Contains(parts.types, []byte("macroEnabled")) {
			return mismatch(nil)
		}
		return nil
	}
}

type unpacked struct {
	seen  map[string]bool
	types []byte // [Content_Types].xml
}

func unpack(z *zip.Reader, packed int) (unpacked, error) {
	u := unpacked{seen: map[string]bool{}}
	total := int64(0)
	for _, f := range z.File {
		if err := entry(f.Name, u.seen); err != nil {
			return u, err
		}
		n, head, err := measure(f, maxUnpacked-total)
		if err != nil {
			return u, err
		}
		if total += n; total > ratioFrom && total > int64(packed)*maxRatio {
			return u, bomb("ratio of all")
		}
		if f.Name == "[Content_Types].xml" {
			u.types = head
		}
	}
	return u, nil
}

// entry judges the name of a file in the archive.
func entry(name string, seen map[string]bool) error {
	lower := strings.ToLower(name)
	if seen[name] || strings.HasPrefix(name, "/") || strings.ContainsAny(name, "\\:\x00") {
		return mismatch(nil)
	}
	for _, part := range strings.Split(name, "/") {
		if part == ".." || part == "." {
			return mismatch(nil)
		}
	}
	for _, runs := range []string{"vbaproject", "activex/", "embeddings/", ".exe/", ".dll/", ".zip/", ".jar/", ".js/"} {
		if strings.Contains(lower+"/", runs) {
			return problem.New(problem.Invalid, "附件内含宏、嵌入对象或其他文件；请另存为不含这些内容的文件。", "The attachment holds macros, embedded objects or other files; save it without them.")
		}
	}
	seen[name] = true
	return nil
}

// measure unpacks one file, at most to what is left, and returns its size and its beginning.
func measure(f *zip.File, left int64) (int64, []byte, error) {
	r, err := f.Open()
	if err != nil {
		return 0, nil, mismatch(err)
	}
	defer func() { _ = r.Close() }()
	var head bytes.Buffer
	n, err := io.Copy(&head, io.LimitReader(r, min(left+1, 1<<16)))
	if err == nil {
		var rest int64
		rest, err = io.Copy(io.Discard, io.LimitReader(r, max(0, left+1-n)))
		n += rest
	}
	switch {
	case n > left:
		return n, nil, bomb("too much")
	case err != nil && !errors.Is(err, io.EOF):
		return n, nil, mismatch(err)
	case n > ratioFrom && n > int64(min(f.CompressedSize64, MaxSize))*maxRatio: //nolint:gosec // bounded by min
		return n, nil, bomb("ratio of one")
	}
	return n, head.Bytes(), nil
}
