package main

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// The commands of scripts that spoil files, the way disks, editors and adversaries do.

// edit rewrites a file of the script.
func edit(ts *testscript.TestScript, file string, change func([]byte) []byte) {
	name := ts.MkAbs(file)
	raw, err := os.ReadFile(name)
	ts.Check(err)
	ts.Check(os.WriteFile(name, change(raw), 0o600))
}

func want(ts *testscript.TestScript, neg bool, args []string, n int, usage string) {
	if neg || len(args) != n {
		ts.Fatalf("usage: %s", usage)
	}
}

func atoi(ts *testscript.TestScript, s string) int {
	n, err := strconv.Atoi(s)
	ts.Check(err)
	return n
}

// replace FILE OLD NEW: puts NEW in the place of the first OLD, in bytes; Go escapes (\xff) are understood.
func replace(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "replace FILE OLD NEW")
	old, text := unquote(ts, args[1]), unquote(ts, args[2])
	edit(ts, args[0], func(raw []byte) []byte {
		if !bytes.Contains(raw, old) {
			ts.Fatalf("%s does not hold %q", args[0], old)
		}
		return bytes.Replace(raw, old, text, 1)
	})
}

// prefix FILE TEXT: puts TEXT before everything else in the file.
func prefix(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "prefix FILE TEXT")
	edit(ts, args[0], func(raw []byte) []byte { return append(unquote(ts, args[1]), raw...) })
}

// damage FILE OFFSET: flips one bit.
func damage(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "damage FILE OFFSET")
	edit(ts, args[0], func(raw []byte) []byte { raw[atoi(ts, args[1])] ^= 4; return raw })
}

// cut FILE LINES: leaves out the first LINES lines of a file; negative: the last ones.
func cut(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "cut FILE LINES")
	edit(ts, args[0], func(raw []byte) []byte {
		lines, n := bytes.SplitAfter(bytes.TrimRight(raw, "\n"), []byte("\n")), atoi(ts, args[1])
		if n < 0 {
			return bytes.Join(lines[:len(lines)+n], nil)
		}
		return bytes.Join(lines[n:], nil)
	})
}

// gbk FILE: rewrites a UTF-8 file in the encoding that hospital systems export.
func gbk(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "gbk FILE")
	edit(ts, args[0], func(raw []byte) []byte {
		out, err := simplifiedchinese.GBK.NewEncoder().Bytes(raw)
		ts.Check(err)
		return out
	})
}

// blank FILE COLUMN ROWS: empties a column in the first rows of a CSV file.
func blank(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 3, "blank FILE COLUMN ROWS")
	edit(ts, args[0], func(raw []byte) []byte {
		rows, err := csv.NewReader(bytes.NewReader(raw)).ReadAll()
		ts.Check(err)
		at := slices.Index(rows[0], args[1])
		if at < 0 {
			ts.Fatalf("%s has no column %s", args[0], args[1])
		}
		for _, r := range rows[1 : atoi(ts, args[2])+1] {
			r[at] = ""
		}
		var out bytes.Buffer
		ts.Check(csv.NewWriter(&out).WriteAll(rows))
		return out.Bytes()
	})
}

// repeat FILE ROWS: appends the first rows of a CSV file once more.
func repeat(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 2, "repeat FILE ROWS")
	edit(ts, args[0], func(raw []byte) []byte {
		lines := bytes.SplitAfter(raw, []byte("\n"))
		return append(raw, bytes.Join(lines[1:atoi(ts, args[1])+1], nil)...)
	})
}

// tables DIR: a fresh copy of the small city's source tables.
func tables(ts *testscript.TestScript, neg bool, args []string) {
	want(ts, neg, args, 1, "tables DIR")
	to := ts.MkAbs(args[0])
	ts.Check(os.RemoveAll(to))
	ts.Check(os.CopyFS(to, os.DirFS(ts.Getenv("TABLES"))))
	if names, err := filepath.Glob(filepath.Join(to, "*.csv")); err != nil || len(names) == 0 {
		ts.Fatalf("no source tables in %s", ts.Getenv("TABLES"))
	}
}

func unquote(ts *testscript.TestScript, s string) []byte {
	out, err := strconv.Unquote(`"` + strings.ReplaceAll(s, `"`, `\"`) + `"`)
	ts.Check(err)
	return []byte(out)
}
