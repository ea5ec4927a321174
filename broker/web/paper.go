package web

import (
	"context"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"slices"
	"strconv"

	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/auth"
	"carrel/broker/problem"
)

// The routes whose forms bring a file along.
const (
	uploadRoute = "POST /applications/{id}/attachments"
	laterRoute  = "POST /grants/{id}/attachments"
	sealRoute   = "POST /applications/{id}/agreement/seal"
	fileRoute   = "POST /abroad"
	clearRoute  = "POST /abroad/{id}/clear"
	minuteRoute = "POST /meetings/{id}/minute"
)

// bound is how large a route's form may be, and what is said above that. Only those that take files may be larger than a form.
func bound(pattern string) (int64, error) {
	if slices.Contains([]string{uploadRoute, laterRoute, sealRoute, fileRoute, clearRoute, minuteRoute}, pattern) {
		return attachment.MaxSize + maxForm, attachment.TooLarge()
	}
	return maxForm, problem.New(problem.TooLarge, "表单过大（上限 512 KB）；请缩短文字。", "The form is too large (512 KB at most); shorten the texts.")
}

// attached lists the files of an application, where there can be any: they come with a version, with an answer, or before a signature.
func (s *server) attached(ctx context.Context, c *call, d *applicationData) error {
	if len(d.Facts.Attachments) == 0 && !d.MayAttach && len(d.Questions) == 0 && d.Agreement == nil {
		return nil
	}
	var err error
	d.Attached, err = s.c.Papers.List(ctx, c.id, d.ID)
	return err
}

// attach takes one file of an application.
func (s *server) attach(ctx context.Context, c *call) error {
	id := c.param("id")
	if err := s.lodge(ctx, c, s.c.Papers.Attach); err != nil {
		return s.applicationPage(ctx, c, err)
	}
	return c.redirect("/applications/" + id + "?done=attached")
}

// attachLater takes one file of a grant.
func (s *server) attachLater(ctx context.Context, c *call) error {
	id := c.param("id")
	if err := s.lodge(ctx, c, s.c.Papers.AttachLater); err != nil {
		return s.grantPage(ctx, c, id, err)
	}
	return c.redirect("/grants/" + id + "?done=attached")
}

// lodge gives the form's file to who keeps it. It stays in memory until it is sealed: what the form's reader would put on the disk is not.
func (s *server) lodge(ctx context.Context, c *call, keep func(ctx context.Context, id auth.Identity, of, name, media string, data []byte) (*application.Attached, error)) error {
	data, h, err := c.file("file", attachment.MaxSize)
	if err == nil && h == nil {
		err = problem.New(problem.Invalid, "请选择一个文件。", "Choose one file.")
	}
	if err != nil {
		return err
	}
	_, err = keep(ctx, c.id, c.param("id"), h.Filename, h.Header.Get("Content-Type"), data)
	return err
}

// takenIn takes the file of a field into the person's own folder and gives the hash by which the step names it.
func (s *server) takenIn(ctx context.Context, c *call, field string) (string, error) {
	data, h, err := c.file(field, attachment.MaxSize)
	if err == nil && h == nil {
		err = problem.New(problem.Invalid, "请选择一个文件。", "Choose one file.")
	}
	if err != nil {
		return "", err
	}
	x, err := s.c.Papers.Lodge(ctx, c.id, h.Filename, h.Header.Get("Content-Type"), data)
	if err != nil {
		return "", err
	}
	return x.Hash, nil
}

// file reads the one file of a form's field, a byte more than most so that what is above the bound is seen; no header is no file.
func (c *call) file(field string, most int64) ([]byte, *multipart.FileHeader, error) {
	if c.r.MultipartForm == nil || len(c.r.MultipartForm.File[field]) != 1 {
		return nil, nil, nil
	}
	h := c.r.MultipartForm.File[field][0]
	f, err := h.Open()
	if err != nil {
		return nil, nil, fmt.Errorf("web: uploaded file: %w", err)
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, nil, fmt.Errorf("web: uploaded file: %w", err)
	}
	return data, h, nil
}

func (s *server) detach(ctx context.Context, c *call) error {
	id := c.param("id")
	if err := s.c.Papers.Detach(ctx, c.id, id, c.value("hash")); err != nil {
		return s.applicationPage(ctx, c, err)
	}
	return c.redirect("/applications/" + id + "?done=detached")
}

// attachment sends a file to be saved, never to be shown: it is somebody's, and this is the address that sessions belong to.
func (s *server) attachment(ctx context.Context, c *call) error {
	f, err := s.c.Papers.Fetch(ctx, c.id, c.param("id"), c.value("hash"))
	if err != nil {
		return err
	}
	return c.download(f)
}

// attachmentLater is attachment of what lies with a grant.
func (s *server) attachmentLater(ctx context.Context, c *call) error {
	f, err := s.c.Papers.FetchLater(ctx, c.id, c.param("id"), c.value("hash"))
	if err != nil {
		return err
	}
	return c.download(f)
}

// attachmentAbroad is attachment of what lies with a cross-border file.
func (s *server) attachmentAbroad(ctx context.Context, c *call) error {
	f, err := s.c.Papers.FetchIn(ctx, c.id, s.c.Abroad.Place(c.param("id")), c.value("hash"))
	if err != nil {
		return err
	}
	return c.download(f)
}

func (c *call) download(f *attachment.File) error {
	h := c.w.Header()
	h.Set("Content-Type", f.Type)
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}))
	h.Set("Content-Length", strconv.Itoa(len(f.Data)))
	_, _ = c.w.Write(f.Data)
	return nil
}

// papers are the files attached to an application or a grant, as its page shows them.
type papers struct {
	Attached []application.Attached
}
