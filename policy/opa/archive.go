package opa

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"strings"
)

const (
	// maxUnpacked bounds a bundle's files together: an archive of a few kilobytes can unpack to what no machine holds.
	maxUnpacked = 32 << 20
	// maxFiles bounds how many there are.
	maxFiles = 512
)

// checkArchive refuses an archive before anything else reads it: one that unpacks to too much, that holds anything but files, or a
// name that leads out of the bundle, hides another, or stands there twice.
func checkArchive(raw []byte) error {
	zipped, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return fault("unreadable", err, "规则包不可读。", "The bundle cannot be read.")
	}
	whole := &io.LimitedReader{R: zipped, N: maxUnpacked + 1}
	files, seen := tar.NewReader(whole), map[string]bool{}
	for {
		h, err := files.Next()
		if whole.N <= 0 || len(seen) > maxFiles {
			return fault("too-large", nil, "规则包解压后过大。", "The bundle unpacks to too much.")
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fault("unreadable", err, "规则包不可读。", "The bundle cannot be read.")
		}
		name := strings.TrimPrefix(h.Name, "/")
		if h.Typeflag != tar.TypeReg || !tidy(name) || seen[strings.ToLower(name)] {
			return fault("hostile", nil, "规则包含有链接、重复或越出规则包的路径。", "The bundle holds a link, a path twice, or a path that leads out of it.")
		}
		seen[strings.ToLower(name)] = true
		if path.Ext(name) != ".rego" {
			continue
		}
		if body, err := io.ReadAll(io.LimitReader(files, maxModule+1)); err != nil || bounded(body) != nil {
			return fault("too-large", err, "规则包中有过长或嵌套过深的规则文件: "+name, "The bundle holds a file of rules that is too long or nested too deep: "+name)
		}
	}
}

// tidy is a path that is what it looks like.
func tidy(name string) bool {
	if name == "" || name != path.Clean(name) || name == ".." || strings.HasPrefix(name, "../") || strings.HasPrefix(name, "/") {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r > '~' || r == '\\' || r == ':' })
}
