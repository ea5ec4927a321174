package web

import (
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"carrel/broker/problem"
)

// maxSignature bounds a receipt: a countersignature in text, however wrapped.
const maxSignature = 4 << 10

func (s *server) requestPackage(ctx context.Context, c *call) error {
	h, err := s.c.Handovers.Request(ctx, c.id, c.param("id"), c.value("dataset"))
	if err != nil {
		return s.grantPage(ctx, c, c.param("id"), err)
	}
	return c.redirect("/handovers/" + h.ID + "?done=prepared")
}

// pull sends the sealed package. It is a posted form, since it is put on record and changes the handover.
func (s *server) pull(ctx context.Context, c *call) error {
	body, h, err := s.c.Handovers.Pull(ctx, c.id, c.param("id"))
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	head := c.w.Header()
	head.Set("Content-Type", "application/octet-stream")
	head.Set("Content-Length", fmt.Sprint(h.Package.Size))
	head.Set("Content-Disposition", `attachment; filename="`+h.ID+`.carrel"`)
	c.w.WriteHeader(http.StatusOK)
	_, _ = io.Copy(c.w, body)
	return nil
}

// acknowledge takes the countersignature, pasted or as the file that `carrel handover sign --out` wrote.
func (s *server) acknowledge(ctx context.Context, c *call) error {
	id := c.param("id")
	signature, err := c.receipt()
	if err == nil {
		_, err = s.c.Handovers.Acknowledge(ctx, c.id, id, signature)
	}
	if err != nil {
		p := problem.From(ctx, s.c.Logger, err)
		return s.handoverPage(ctx, c, id, p.Status(), s.problem(p, ""))
	}
	return c.redirect("/handovers/" + id + "?done=acknowledged")
}

func (c *call) receipt() (string, error) {
	text := c.value("signature")
	if text == "" && c.r.MultipartForm != nil && len(c.r.MultipartForm.File["receipt"]) > 0 {
		raw, err := upload(c.r.MultipartForm.File["receipt"][0])
		if err != nil {
			return "", malformed(err)
		}
		text = string(raw)
	}
	text = strings.Join(strings.Fields(text), "")
	if text == "" || len(text) > maxSignature {
		return "", problem.New(problem.Invalid, "请粘贴回签内容，或选择回签文件。", "Paste the countersignature, or choose its file.")
	}
	return text, nil
}

func upload(h *multipart.FileHeader) ([]byte, error) {
	f, err := h.Open()
	if err != nil {
		return nil, fmt.Errorf("open the uploaded file: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxSignature+1))
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return raw, err
}
