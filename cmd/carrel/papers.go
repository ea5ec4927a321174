package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/application"
	"carrel/broker/attachment"
)

// paperCommand is the folder of one's own: files that a step to come names.
func (a *app) paperCommand() *cobra.Command {
	var media string
	add := &cobra.Command{
		Use: "add FILE", Short: "Take in a file of 10 MB at most, which a step to come names by the sha256 that is printed: an assessment, a clearance, evidence",
		Example: "  carrel paper add report.pdf", Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := a.upload(cmd, "/papers", args[0], media)
			if err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", x.Hash, x.Name) })
		},
	}
	add.Flags().StringVar(&media, "type", "", "the file's media type, where its name does not say it")
	all := &cobra.Command{
		Use: "list", Short: "The files that you took in", Example: "  carrel paper list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.attached(cmd, http.MethodGet, "/papers") },
	}
	remove := &cobra.Command{
		Use: "remove HASH", Short: "Take a file out of your folder; where a step named it, it stays", Example: "  carrel paper remove sha256:…", Args: a.exact(1, "a hash"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.attached(cmd, http.MethodDelete, "/papers/"+url.PathEscape(args[0]))
		},
	}
	return a.group("paper", "Files that you take in before the step that names them", add, all, remove)
}

// attached prints a list of files.
func (a *app) attached(cmd *cobra.Command, method, path string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	var all []application.Attached
	if err := c.do(cmd.Context(), method, path, nil, &all); err != nil {
		return err
	}
	return a.print(all, func(w io.Writer) { a.printAttached(w, all) })
}

// upload sends a file to what keeps it.
func (a *app) upload(cmd *cobra.Command, to, path, media string) (*application.Attached, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > attachment.MaxSize {
		return nil, attachment.TooLarge()
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if media == "" {
		media = mediaOf(path)
	}
	c, err := a.api()
	if err != nil {
		return nil, err
	}
	x := new(application.Attached)
	return x, c.upload(cmd.Context(), to+"?name="+url.QueryEscape(filepath.Base(path)), media, bytes.NewReader(data), x)
}

// takeIn turns the name of a document into its hash: a file of this machine is taken in first, anything else is left as it is.
func (a *app) takeIn(cmd *cobra.Command, named *string) error {
	if *named == "" || strings.HasPrefix(*named, "sha256:") {
		return nil
	}
	if info, err := os.Stat(*named); err != nil || !info.Mode().IsRegular() {
		return nil //nolint:nilerr // what is no file is the service's to refuse
	}
	x, err := a.upload(cmd, "/papers", *named, "")
	if err != nil {
		return err
	}
	*named = x.Hash
	return nil
}

// conductEvidence shows what a matter rests on.
func (a *app) conductEvidence() *cobra.Command {
	var purpose, hash, out string
	cmd := &cobra.Command{
		Use: "evidence NUMBER", Short: "The files that a matter rests on; with --hash and --out, fetch one of them",
		Example: "  carrel conduct evidence cr-…\n  carrel conduct evidence cr-… --hash sha256:… --out report.pdf", Args: a.exact(1, "a number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, _, _ := strings.Cut(args[0], "-")
			noun := map[string]string{"cr": "credit", "me": "measures", "du": "duties", "re": "reports", "as": "assessments"}[kind]
			if noun == "" {
				return a.usage("%q 不是以证据为依据的事项编号（%s）", "%q is no number of a matter that rests on evidence (%s)", args[0], "cr-… me-… du-… re-… as-…")
			}
			at, why := "/conduct/"+noun+"/"+url.PathEscape(args[0])+"/attachments", "?"+url.Values{"purpose": {purpose}}.Encode()
			if hash == "" {
				return a.attached(cmd, http.MethodGet, at+why)
			}
			return a.save(cmd, at+"/"+url.PathEscape(hash)+why, out)
		},
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", "why you look at a matter outside your unit; it is put on record")
	cmd.Flags().StringVar(&hash, "hash", "", "sha256:… of the file to fetch")
	cmd.Flags().StringVar(&out, "out", "", "where to write it; its own name if not given")
	return cmd
}
