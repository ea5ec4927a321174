package main

import (
	"compress/gzip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// maxCodeBytes bounds a table of codes, unpacked: the largest in use, all of ICD-10 with two titles, is a tenth of it.
const maxCodeBytes = 64 << 20

func (a *app) catalogueCodes() *cobra.Command {
	var lists []string
	cmd := &cobra.Command{
		Use: "codes --list NAME@VERSION=FILE:CODE:TITLE", Short: "Write public tables of codes as the code lists of a catalogue entry",
		Long: `Write public tables of codes, CSV or CSV packed with gzip, as the section "codes" of a catalogue entry, to be appended to
the entry's file. Each list takes its codes from the column CODE and their titles from TITLE, and gets the member "other" for
what stands in no table. A list is part of what reviewers approve: it comes from a published table, never from the data.`,
		Example: "  carrel catalogue codes --list icd9cm@mimic3=d_icd_diagnoses.csv.gz:icd9_code:short_title >> entry.yaml",
		Args:    a.exact(0, "no arguments; see --help"),
		RunE: func(*cobra.Command, []string) error {
			if len(lists) == 0 {
				return a.usage("请用 --list 名称@版本=文件:代码列:名称列 指明码表", "name a list with --list NAME@VERSION=FILE:CODE:TITLE")
			}
			section := yaml.Node{Kind: yaml.MappingNode}
			for _, l := range lists {
				name, where, _ := strings.Cut(l, "=")
				parts := strings.Split(where, ":")
				if len(parts) < 3 || !strings.Contains(name, "@") {
					return a.usage("--list 应写作 名称@版本=文件:代码列:名称列", "write --list as NAME@VERSION=FILE:CODE:TITLE")
				}
				n := len(parts)
				codes, err := codesOf(strings.Join(parts[:n-2], ":"), parts[n-2], parts[n-1])
				if err != nil {
					return err
				}
				section.Content = append(section.Content, word(name), codes)
			}
			out := yaml.NewEncoder(a.out)
			out.SetIndent(2)
			return errors.Join(out.Encode(&yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{word("codes"), &section}}), out.Close())
		},
	}
	cmd.Flags().StringArrayVar(&lists, "list", nil, "a list: its name with a version, its file, the columns of code and title")
	return cmd
}

func word(s string) *yaml.Node {
	n := &yaml.Node{}
	n.SetString(s)
	n.Style = yaml.DoubleQuotedStyle
	return n
}

// codesOf reads the codes and titles of a table.
func codesOf(file, code, title string) (*yaml.Node, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // read only
	var r io.Reader = f
	if strings.HasSuffix(file, ".gz") {
		z, err := gzip.NewReader(f)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		r = z
	}
	short := &io.LimitedReader{R: r, N: maxCodeBytes}
	rows, err := csv.NewReader(short).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if short.N == 0 {
		return nil, fmt.Errorf("%s is larger than a table of codes can be", file)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%s is empty", file)
	}
	c, t := slices.Index(rows[0], code), slices.Index(rows[0], title)
	if c < 0 || t < 0 {
		return nil, fmt.Errorf("%s has no columns %s and %s", file, code, title)
	}
	out, seen := &yaml.Node{Kind: yaml.MappingNode}, map[string]bool{"other": true, "": true}
	add := func(code, title string) {
		out.Content = append(out.Content, word(code), &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle, Content: []*yaml.Node{word("zh"), word(title), word("en"), word(title)}})
	}
	add("other", "other")
	for i, row := range rows[1:] {
		code, title := strings.TrimSpace(row[c]), strings.TrimSpace(row[t])
		if code == "" {
			return nil, fmt.Errorf("%s line %d: a code is missing", file, i+2)
		}
		if seen[code] {
			return nil, fmt.Errorf("%s line %d: a code stands twice", file, i+2)
		}
		if seen[code] = true; title == "" {
			title = code
		}
		add(code, title)
	}
	return out, nil
}
