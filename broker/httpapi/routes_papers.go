package httpapi

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"carrel/broker/application"
	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
)

// lodged are the files that somebody takes in before the step that names them, and those that a file or a matter rests on.
func (s *server) lodged(whole func(op *huma.Operation)) {
	type (
		upload struct {
			Name    string `query:"name" maxLength:"1000" doc:"the file's name"`
			Media   string `header:"Content-Type" maxLength:"200" doc:"what the file is"`
			RawBody []byte `contentType:"application/octet-stream"`
		}
		hashed struct {
			Hash string `path:"hash" maxLength:"80" doc:"sha256:…"`
		}
		matterOf struct {
			ByID
			Noun    string `path:"noun" enum:"credit,measures,duties,reports,assessments" doc:"what the matter is"`
			Purpose string `query:"purpose" maxLength:"1000" doc:"why, when it is outside one's unit; on record"`
		}
		fileOf struct {
			ByID
			Hash string `path:"hash" maxLength:"80" doc:"sha256:…"`
		}
		evidence struct {
			ByID
			Noun    string `path:"noun" enum:"credit,measures,duties,reports,assessments" doc:"what the matter is"`
			Purpose string `query:"purpose" maxLength:"1000" doc:"why, when it is outside one's unit; on record"`
			Hash    string `path:"hash" maxLength:"80" doc:"sha256:…"`
		}
		files = reply[[]application.Attached]
	)
	p := s.c.Papers
	in := func(ctx context.Context, id auth.Identity, at folder.Place) (*files, error) {
		list, err := p.ListIn(ctx, id, at)
		return &files{listed(list)}, err
	}
	out := func(ctx context.Context, id auth.Identity, at folder.Place, hash string) (*file, error) {
		f, err := p.FetchIn(ctx, id, at, hash)
		if err != nil {
			return nil, err
		}
		return download(f), nil
	}
	route(s, http.MethodGet, "/papers", "The files that you took in for steps to come", func(ctx context.Context, id auth.Identity, _ *none) (*files, error) {
		list, err := p.Lodged(ctx, id)
		return &files{listed(list)}, err
	})
	route(s, http.MethodPost, "/papers", "Take in a file of 10 MB at most, which a step to come names by its hash: an assessment, a clearance, evidence", func(ctx context.Context, id auth.Identity, in *upload) (*reply[*application.Attached], error) {
		x, err := p.Lodge(ctx, id, in.Name, in.Media, in.RawBody)
		return &reply[*application.Attached]{x}, err
	}, whole)
	route(s, http.MethodDelete, "/papers/{hash}", "Take a file out of your own folder; where a step named it, it stays", func(ctx context.Context, id auth.Identity, in *hashed) (*files, error) {
		if err := p.Unlodge(ctx, id, in.Hash); err != nil {
			return nil, err
		}
		list, err := p.Lodged(ctx, id)
		return &files{listed(list)}, err
	})
	route(s, http.MethodGet, "/abroad/{id}/attachments", "The assessment and the clearances of a cross-border file", func(ctx context.Context, id auth.Identity, x *ByID) (*files, error) {
		return in(ctx, id, s.c.Abroad.Place(x.ID))
	})
	route(s, http.MethodGet, "/abroad/{id}/attachments/{hash}", "Fetch a document of a cross-border file", func(ctx context.Context, id auth.Identity, x *fileOf) (*file, error) {
		return out(ctx, id, s.c.Abroad.Place(x.ID), x.Hash)
	})
	route(s, http.MethodGet, "/conduct/{noun}/{id}/attachments", "The evidence that a matter rests on", func(ctx context.Context, id auth.Identity, x *matterOf) (*files, error) {
		return in(ctx, id, s.c.Conduct.Place(x.Noun, x.ID, x.Purpose))
	})
	route(s, http.MethodGet, "/conduct/{noun}/{id}/attachments/{hash}", "Fetch the evidence that a matter rests on", func(ctx context.Context, id auth.Identity, x *evidence) (*file, error) {
		return out(ctx, id, s.c.Conduct.Place(x.Noun, x.ID, x.Purpose), x.Hash)
	})
}
