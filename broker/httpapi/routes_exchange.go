package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"reflect"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"

	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/dcat"
	"carrel/broker/catalogue/register"
)

// maxList bounds lists and holdings that come from another service.
const maxList = 40 << 20

// wide takes the bound of a body from a form to a list.
func wide(op *huma.Operation) { op.MaxBodyBytes = maxList }

// OfDataset is the input of a route about one dataset.
type OfDataset struct {
	Dataset string `path:"dataset" maxLength:"80"`
}

// versions registers who reads and signs versions, and who assesses.
func (s *server) versions() {
	type (
		signed struct {
			OfDataset
			Body struct {
				Digest string `json:"digest" maxLength:"80" doc:"of the version that was read, sha256:…"`
			}
		}
		assessed struct {
			OfDataset
			Body register.AssessmentInput
		}
		one = reply[*register.Version]
	)
	h := s.c.Holdings
	route(s, http.MethodGet, "/catalogue/{dataset}/versions", "Versions with their reports, for those who sign or audit", func(ctx context.Context, id auth.Identity, in *OfDataset) (*reply[[]register.Version], error) {
		list, err := h.Versions(ctx, id, in.Dataset)
		return &reply[[]register.Version]{listed(list)}, err
	})
	route(s, http.MethodPost, "/catalogue/{dataset}/versions/check", "Sign the version that waits, as checker", func(ctx context.Context, id auth.Identity, in *signed) (*one, error) {
		v, err := h.Check(ctx, id, in.Dataset, in.Body.Digest)
		return &one{v}, err
	})
	route(s, http.MethodPost, "/catalogue/{dataset}/versions/approve", "Sign the version that was checked, as approver", func(ctx context.Context, id auth.Identity, in *signed) (*one, error) {
		v, err := h.Approve(ctx, id, in.Dataset, in.Body.Digest)
		return &one{v}, err
	})
	s.proposals()
	route(s, http.MethodPost, "/catalogue/{dataset}/versions/confirm", "Confirm the grade of the current version, for the office", func(ctx context.Context, id auth.Identity, in *signed) (*one, error) {
		v, err := h.ConfirmGrade(ctx, id, in.Dataset, in.Body.Digest)
		return &one{v}, err
	})
	route(s, http.MethodPost, "/catalogue/{dataset}/assessments", "Sign that a kind of artefact is anonymous", func(ctx context.Context, id auth.Identity, in *assessed) (*reply[*catalogue.Assessment], error) {
		a, err := h.Assess(ctx, id, in.Dataset, in.Body)
		return &reply[*catalogue.Assessment]{a}, err
	})
}

// exchange registers what goes between services.
func (s *server) exchange() {
	type (
		paper  struct{ Body register.Signed }
		signed = reply[*register.Signed]
		peer   struct{ Body register.Peer }
		form   struct{ Body register.CapacityInput }
		offer  struct {
			Body struct {
				Capacity register.Signed `json:"capacity"`
				Reason   string          `json:"reason" maxLength:"16384"`
			}
		}
		bundle struct{ Body register.Bundle }
	)
	h := s.c.Holdings
	route(s, http.MethodPost, "/exchange/peers", "Put another service's keys on record", func(ctx context.Context, id auth.Identity, in *peer) (*none, error) {
		return &none{}, h.Enrol(ctx, id, in.Body)
	})
	route(s, http.MethodGet, "/exchange/catalogue", "The public catalogue as a signed list, in item codes", func(ctx context.Context, id auth.Identity, _ *none) (*signed, error) {
		x, err := h.Export(ctx, id)
		return &signed{x}, err
	})
	route(s, http.MethodPost, "/exchange/catalogue", "Take another service's signed list", func(ctx context.Context, id auth.Identity, in *paper) (*reply[*register.Count], error) {
		n, err := h.Import(ctx, id, in.Body)
		return &reply[*register.Count]{n}, err
	}, wide)
	route(s, http.MethodPost, "/exchange/transfers/prepare", "The receiver's signed statement of capacity", func(ctx context.Context, id auth.Identity, in *form) (*signed, error) {
		x, err := h.Prepare(ctx, id, in.Body)
		return &signed{x}, err
	})
	route(s, http.MethodPost, "/exchange/transfers/offer", "List and sign all that your unit holds; its use here ends", func(ctx context.Context, id auth.Identity, in *offer) (*reply[*register.Bundle], error) {
		b, err := h.Offer(ctx, id, in.Body.Capacity, in.Body.Reason)
		return &reply[*register.Bundle]{b}, err
	})
	route(s, http.MethodPost, "/exchange/transfers/receive", "Take everything on a list, or nothing, and sign it", func(ctx context.Context, id auth.Identity, in *bundle) (*signed, error) {
		x, err := h.Receive(ctx, id, in.Body)
		return &signed{x}, err
	}, wide)
	route(s, http.MethodPost, "/exchange/transfers/complete", "Close a transfer with the receiver's signature", func(ctx context.Context, id auth.Identity, in *paper) (*none, error) {
		return &none{}, h.Complete(ctx, id, in.Body)
	})
}

// linked registers the open catalogue as HealthDCAT-AP.
func (s *server) linked(r chi.Router) {
	base := s.c.Base
	send := func(w http.ResponseWriter, req *http.Request, doc map[string]any, err error) {
		var raw []byte
		if err == nil {
			raw, err = json.Marshal(doc)
		}
		if err != nil {
			s.plain(w, req, err)
			return
		}
		w.Header().Set("Content-Type", "application/ld+json")
		w.Header().Set("Access-Control-Allow-Origin", "*") // the open catalogue is for every harvester
		_, _ = w.Write(raw)
	}
	r.Get("/catalogue.jsonld", s.outside("GET /catalogue.jsonld", func(w http.ResponseWriter, req *http.Request) {
		views, err := s.c.Records.Views(req.Context())
		send(w, req, dcat.Catalogue(base, s.c.Desk.Operator, views), err)
	}))
	r.Get("/catalogue/{dataset}/dataset.jsonld", s.outside("GET /catalogue/{dataset}/dataset.jsonld", func(w http.ResponseWriter, req *http.Request) {
		v, err := s.c.Records.Dataset(req.Context(), chi.URLParam(req, "dataset"))
		send(w, req, dcat.Dataset(base, v), err)
	}))
	s.declare("/catalogue.jsonld", "get-catalogue-jsonld", "The open catalogue as HealthDCAT-AP (JSON-LD)")
	s.declare("/catalogue/{dataset}/dataset.jsonld", "get-dataset-jsonld", "A dataset of the open catalogue as HealthDCAT-AP (JSON-LD)",
		&huma.Param{Name: "dataset", In: "path", Required: true, Description: "its id", Schema: &huma.Schema{Type: huma.TypeString}})
}

// declare writes a route that is served outside the framework, for everybody, into the document that describes the API.
func (s *server) declare(path, id, summary string, in ...*huma.Param) {
	doc := s.api.OpenAPI()
	failed := &huma.Response{Description: "A problem (RFC 9457)", Content: map[string]*huma.MediaType{
		"application/problem+json": {Schema: doc.Components.Schemas.Schema(reflect.TypeFor[Document](), true, "Document")}}}
	doc.AddOperation(&huma.Operation{OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Parameters: in, Security: []map[string][]string{{}, {"bearer": {}}},
		Responses: map[string]*huma.Response{"default": failed, "200": {Description: "OK", Content: map[string]*huma.MediaType{
			"application/ld+json": {Schema: &huma.Schema{Type: huma.TypeObject, Description: "a graph; every id begins with the base that the operator set"}}}}}})
}

// searched is what the catalogue is asked for.
type searched struct {
	Q      string `query:"q" maxLength:"200" doc:"words of names and labels, in Chinese or English"`
	Region string `query:"region" maxLength:"6" doc:"GB/T 2260, or how it begins"`
	Level  int    `query:"level" minimum:"0" maximum:"5" doc:"at most this data level"`
	Item   string `query:"item" maxLength:"90" doc:"how the item of the catalogue begins: STANDARD / CODE, or the code"`
}

func (s searched) query() catalogue.Query {
	return catalogue.Query{Text: s.Q, Region: s.Region, Level: s.Level, Item: s.Item}
}

// catalogueList is the open catalogue, with what other services have.
type catalogueList struct {
	Datasets  []catalogue.Brief    `json:"datasets"`
	Hits      []catalogue.Hit      `json:"hits,omitempty"`
	Elsewhere []register.Elsewhere `json:"elsewhere,omitempty"`
}

func (s *server) openCatalogue() {
	r := s.c.Records
	route(s, http.MethodGet, "/catalogue", "The public catalogue", func(ctx context.Context, _ auth.Identity, in *searched) (*reply[catalogueList], error) {
		var l catalogueList
		var err error
		if l.Datasets, err = r.Datasets(ctx); err != nil {
			return nil, err
		}
		if l.Elsewhere, err = s.c.Holdings.Elsewheres(ctx); err != nil {
			return nil, err
		}
		if *in != (searched{}) {
			l.Hits, err = r.Search(ctx, in.query())
		}
		return &reply[catalogueList]{l}, err
	})
	route(s, http.MethodGet, "/catalogue/{dataset}", "One dataset's public entry", func(ctx context.Context, _ auth.Identity, in *OfDataset) (*reply[catalogue.View], error) {
		v, err := r.Dataset(ctx, in.Dataset)
		return &reply[catalogue.View]{v}, err
	})
}
