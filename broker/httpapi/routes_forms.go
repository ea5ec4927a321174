package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/auth"
	"carrel/broker/form"
)

// attachmentTimeout is for ten megabytes over a slow line.
const attachmentTimeout = 2 * time.Minute

// file is a file sent for keeping, never for showing: whatever it holds, a browser saves it and runs nothing of it.
type file struct {
	Type        string `header:"Content-Type"`
	Disposition string `header:"Content-Disposition"`
	Sniff       string `header:"X-Content-Type-Options"`
	Policy      string `header:"Content-Security-Policy"`
	Cache       string `header:"Cache-Control"`
	Resource    string `header:"Cross-Origin-Resource-Policy"`
	Body        []byte
}

func download(f *attachment.File) *file {
	return &file{Type: f.Type, Disposition: disposition(f), Sniff: "nosniff", Policy: "default-src 'none'; sandbox", Cache: "no-store", Resource: "same-origin", Body: f.Data}
}

// disposition names the file in both ways of RFC 6266: a plain name for old programs, the real one percent-encoded.
func disposition(f *attachment.File) string {
	ending := ""
	if i := strings.LastIndexByte(f.Name, '.'); i >= 0 {
		ending = strings.ToLower(f.Name[i:])
	}
	return fmt.Sprintf(`attachment; filename="attachment%s"; filename*=UTF-8''%s`, ending, strings.ReplaceAll(url.QueryEscape(f.Name), "+", "%20"))
}

func (s *server) forms() {
	type (
		version struct {
			ByID
			Version int `query:"version" minimum:"0" maximum:"1000" doc:"0 is the newest"`
		}
		span struct {
			ByID
			From int `query:"from" minimum:"0" maximum:"100000" doc:"a submitted version; 0 is the one before"`
			To   int `query:"to" minimum:"0" maximum:"100000" doc:"a submitted version; 0 is the application as it stands"`
		}
	)
	a := s.c.Applications
	route(s, http.MethodGet, "/forms", "Forms of applications", func(context.Context, auth.Identity, *none) (*reply[[]form.Brief], error) {
		return &reply[[]form.Brief]{a.Forms().List()}, nil
	})
	route(s, http.MethodGet, "/forms/{id}", "One form: a JSON Schema with labels in Chinese and English", func(_ context.Context, _ auth.Identity, in *version) (*reply[*form.Form], error) {
		f, err := a.Forms().Get(in.ID, in.Version)
		return &reply[*form.Form]{f}, err
	})
	route(s, http.MethodGet, "/applications/{id}/changes", "What differs between two versions, field by field", func(ctx context.Context, id auth.Identity, in *span) (*reply[*application.Changes], error) {
		c, err := a.Changes(ctx, id, in.ID, in.From, in.To)
		return &reply[*application.Changes]{c}, err
	})
	route(s, http.MethodGet, "/applications/{id}/amended", "What an amendment or a renewal changes of what was granted, field by field; nothing for an application that is about none", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*application.Changes], error) {
		c, err := a.Amended(ctx, id, in.ID)
		return &reply[*application.Changes]{c}, err
	})
	route(s, http.MethodPost, "/applications/{id}/copy", "Begin a draft with what an application says", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[*application.Application], error) {
		x, err := s.c.Papers.Copy(ctx, id, in.ID)
		return &reply[*application.Application]{x}, err
	})
	s.attachments()
}

func (s *server) attachments() {
	type (
		upload struct {
			ByID
			Name    string `query:"name" maxLength:"1000" doc:"the file's name"`
			Media   string `header:"Content-Type" maxLength:"200" doc:"what the file is"`
			RawBody []byte `contentType:"application/octet-stream"`
		}
		one struct {
			ByID
			Hash string `path:"hash" maxLength:"80" doc:"sha256:…"`
		}
	)
	p := s.c.Papers
	whole := func(op *huma.Operation) {
		op.MaxBodyBytes, op.BodyReadTimeout = attachment.MaxSize+1, attachmentTimeout // the limit itself counts as above it
	}
	route(s, http.MethodGet, "/applications/{id}/attachments", "What is attached to an application", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[[]application.Attached], error) {
		list, err := p.List(ctx, id, in.ID)
		return &reply[[]application.Attached]{listed(list)}, err
	})
	route(s, http.MethodPost, "/applications/{id}/attachments", "Attach a file of 10 MB at most", func(ctx context.Context, id auth.Identity, in *upload) (*reply[*application.Attached], error) {
		x, err := p.Attach(ctx, id, in.ID, in.Name, in.Media, in.RawBody)
		return &reply[*application.Attached]{x}, err
	}, whole)
	route(s, http.MethodGet, "/applications/{id}/attachments/{hash}", "Fetch a file", func(ctx context.Context, id auth.Identity, in *one) (*file, error) {
		f, err := p.Fetch(ctx, id, in.ID, in.Hash)
		if err != nil {
			return nil, err
		}
		return download(f), nil
	})
	route(s, http.MethodDelete, "/applications/{id}/attachments/{hash}", "Take a file off a draft for good", func(ctx context.Context, id auth.Identity, in *one) (*reply[[]application.Attached], error) {
		if err := p.Detach(ctx, id, in.ID, in.Hash); err != nil {
			return nil, err
		}
		list, err := p.List(ctx, id, in.ID)
		return &reply[[]application.Attached]{listed(list)}, err
	})
	s.lodged(whole)
	route(s, http.MethodGet, "/grants/{id}/attachments", "What was attached to a grant since the decision", func(ctx context.Context, id auth.Identity, in *ByID) (*reply[[]application.Attached], error) {
		list, err := p.ListLater(ctx, id, in.ID)
		return &reply[[]application.Attached]{listed(list)}, err
	})
	route(s, http.MethodPost, "/grants/{id}/attachments", "Attach a file of 10 MB at most to a grant: the evidence of a condition, or what else is filed later", func(ctx context.Context, id auth.Identity, in *upload) (*reply[*application.Attached], error) {
		x, err := p.AttachLater(ctx, id, in.ID, in.Name, in.Media, in.RawBody)
		return &reply[*application.Attached]{x}, err
	}, whole)
	route(s, http.MethodGet, "/grants/{id}/attachments/{hash}", "Fetch a file that lies with a grant", func(ctx context.Context, id auth.Identity, in *one) (*file, error) {
		f, err := p.FetchLater(ctx, id, in.ID, in.Hash)
		if err != nil {
			return nil, err
		}
		return download(f), nil
	})
}
