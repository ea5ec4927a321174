package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/catalogue/register"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/institution"
	"carrel/broker/job"
	"carrel/broker/notice"
	"carrel/broker/problem"
	"carrel/broker/record"
	"carrel/broker/resident"
	"carrel/broker/rulebook"
	"carrel/broker/supervise"
	"carrel/policy"
)

// The bounds of a request.
const (
	maxBody     = 256 << 10
	bodyTimeout = 10 * time.Second
)

// Config is the use cases behind the routes. All members are required.
type Config struct {
	Desk         act.Desk
	Verifier     auth.Verifier
	Issuer       *auth.Issuer // the embedded issuer of the demonstration
	Applications *application.Service
	Papers       *application.Papers
	Grants       *grant.Service
	// Print lays a document of an application out for print.
	Print        func(ctx context.Context, id auth.Identity, app, what string) ([]byte, error)
	Training     func(ctx context.Context, id auth.Identity) (string, error) // opens the grant that a person trains with
	Jobs         *job.Service
	Handovers    *handover.Service
	Boards       *board.Service
	Abroad       *abroad.Service
	Conduct      *conduct.Service
	Institutions *institution.Service
	Supervision  *supervise.Service
	Holdings     *register.Service
	// Propose puts an extract that was built in the data directory forward as the next version of its dataset.
	Propose   func(ctx context.Context, id auth.Identity, dataset, extract string) (*register.Version, error)
	Residents *resident.Registry
	Rules     *rulebook.Service
	Notices   *notice.Service
	Records   *record.Service // catalogue, ledger and log as people read them
	Keys      func() (auth.KeySet, error)
	Logger    *slog.Logger
	Version   string
	// Base is what the ids of the open catalogue begin with, as dcat.Base gives it.
	Base string
	// Healthy says why the service should not get traffic, or nil.
	Healthy func(ctx context.Context) error
}

type server struct {
	c        Config
	api      huma.API
	requests *prometheus.CounterVec
	refusals *prometheus.CounterVec
}

// New makes the handler of /api, /openapi.json, /healthz and /metrics and registers it on the router.
func New(r chi.Router, c Config) {
	s := &server{c: c}
	conf := huma.DefaultConfig("Carrel", c.Version)
	conf.Components.Schemas = huma.NewMapRegistry("#/components/schemas/", schemaName)
	conf.DocsPath = ""                                                                            // its page loads script from elsewhere
	conf.OpenAPIPath, conf.SchemasPath = "", ""                                                   // routes that no policy would see; s.openapi serves the document
	conf.Formats = map[string]huma.Format{"application/json": strictJSON(), "json": strictJSON()} // "json" is application/problem+json
	conf.CreateHooks = nil                                                                        // no $schema members in answers
	conf.FieldsOptionalByDefault = true                                                           // what is missing is said by the use case, in a sentence
	conf.Transformers = append(conf.Transformers, s.transform)
	conf.Info.Description = "Applications, grants, noised answers, handovers and the audit log of one Carrel service."
	conf.Components.SecuritySchemes = map[string]*huma.SecurityScheme{"bearer": {Type: "http", Scheme: "bearer", BearerFormat: "JWT"}}
	r.Use(s.logged)
	s.metrics(r)
	s.api = humachi.New(r, conf)
	s.session()
	s.applications()
	s.forms()
	s.grants()
	s.grantMoves()
	s.questions()
	s.handovers()
	s.openCatalogue()
	s.versions()
	s.exchange()
	s.linked(r)
	s.records()
	s.abroadFiles()
	s.meetings()
	s.mandates()
	s.conduct()
	s.institutions()
	s.supervision()
	s.rules()
	s.notices()
	r.Get("/healthz", s.outside("GET /healthz", s.health))
	r.Get("/openapi.json", s.outside("GET /openapi.json", s.openapi()))
	r.HandleFunc("/api/*", func(w http.ResponseWriter, req *http.Request) {
		s.plain(w, req, problem.New(problem.NotFound, "没有这一地址；请查看 /openapi.json。", "There is no such address; see /openapi.json."))
	})
}

// strictJSON is JSON in UTF-8: Go's decoder would put U+FFFD in the place of what is not, and so answer another question.
func strictJSON() huma.Format {
	f := huma.DefaultJSONFormat
	decode := f.Unmarshal
	f.Unmarshal = func(data []byte, v any) error {
		if !utf8.Valid(data) || halved(data) {
			return errors.New("the body is not valid UTF-8")
		}
		return decode(data, v)
	}
	return f
}

// halved says whether JSON holds half of a pair of surrogates: that is no character, and Go's decoder would put U+FFFD in its place.
func halved(data []byte) bool {
	for i := 0; i < len(data); i++ {
		if data[i] != '\\' {
			continue
		}
		r := escaped(data[i:])
		switch {
		case r >= 0xd800 && r < 0xdc00:
			if low := escaped(data[i+6:]); low < 0xdc00 || low > 0xdfff {
				return true
			}
			i += 11
		case r >= 0xdc00 && r <= 0xdfff:
			return true
		default:
			i++ // what is escaped, such as another backslash
		}
	}
	return false
}

// escaped is the unit of UTF-16 that an escape of JSON begins with, or -1.
func escaped(data []byte) int64 {
	if len(data) < 6 || data[0] != '\\' || data[1] != 'u' {
		return -1
	}
	r, err := strconv.ParseUint(string(data[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int64(r)
}

// openapi serves the document, made once when all routes are there.
func (s *server) openapi() http.HandlerFunc {
	made := sync.OnceValues(func() ([]byte, error) { return json.Marshal(s.api.OpenAPI()) })
	return func(w http.ResponseWriter, req *http.Request) {
		doc, err := made()
		if err != nil {
			s.plain(w, req, err)
			return
		}
		w.Header().Set("Content-Type", "application/openapi+json")
		_, _ = w.Write(doc)
	}
}

// schemaName puts the package before the type's name: policy and broker have types of one name.
func schemaName(t reflect.Type, hint string) string {
	base := t
	for base.Kind() == reflect.Pointer || base.Kind() == reflect.Slice {
		base = base.Elem()
	}
	name := huma.DefaultSchemaNamer(t, hint)
	if base.Name() == "" || base.PkgPath() == "" {
		return name
	}
	pkg := path.Base(base.PkgPath())
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

// none is the input or output of a route that has none.
type none struct{}

// reply is a JSON answer.
type reply[T any] struct{ Body T }

// listed makes an empty list [], never null.
func listed[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

// ByID is the input of a route about one thing. It is exported because the framework fills embedded structs only then.
type ByID struct {
	ID string `path:"id" maxLength:"80" doc:"its number"`
}

type identityKey struct{}

// identity is who asks; the zero identity is the anonymous public.
func identity(ctx context.Context) auth.Identity {
	id, _ := ctx.Value(identityKey{}).(auth.Identity)
	return id
}

// route registers one operation behind the policy of its route. fn's errors become problem documents.
func route[I, O any](s *server, method, where, summary string, fn func(ctx context.Context, id auth.Identity, in *I) (*O, error), more ...func(*huma.Operation)) {
	pattern := "/api/v1" + where
	op := huma.Operation{
		OperationID: strings.ToLower(method) + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(where), Method: method, Path: pattern, Summary: summary,
		MaxBodyBytes: maxBody, BodyReadTimeout: bodyTimeout, Security: []map[string][]string{{"bearer": {}}},
		Middlewares: huma.Middlewares{s.guard(method + " " + pattern)},
		Errors:      []int{401, 403, 404, 409, 422, 500},
	}
	for _, fn := range more {
		fn(&op)
	}
	huma.Register(s.api, op, func(ctx context.Context, in *I) (*O, error) {
		out, err := fn(ctx, identity(ctx), in)
		if err != nil {
			d := document(ctx, s.c.Logger, lang(ctx), err)
			s.refusals.WithLabelValues(string(d.Code)).Inc()
			return nil, d
		}
		return out, nil
	})
}

type langKey struct{}

func lang(ctx context.Context) string {
	l, _ := ctx.Value(langKey{}).(string)
	return l
}

// guard finds who asks and puts the route to policy before anything of the body is read.
func (s *server) guard(pattern string) func(huma.Context, func(huma.Context)) {
	return func(ctx huma.Context, next func(huma.Context)) {
		l := language(ctx.Header("Accept-Language"))
		id, err := s.who(ctx)
		if err == nil {
			err = s.enter(ctx.Context(), id, pattern)
		}
		if err != nil {
			s.write(ctx, document(ctx.Context(), s.c.Logger, l, err))
			return
		}
		next(huma.WithValue(huma.WithValue(ctx, identityKey{}, id), langKey{}, l))
	}
}

// who reads the bearer token. No token is the anonymous public; a bad one is an error, never the public.
func (s *server) who(ctx huma.Context) (auth.Identity, error) {
	return s.bearer(ctx.Context(), ctx.Header("Authorization"))
}

func (s *server) bearer(ctx context.Context, h string) (auth.Identity, error) {
	if h == "" {
		return auth.Identity{}, nil
	}
	scheme, token, _ := strings.Cut(h, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return auth.Identity{}, unauthenticated()
	}
	return s.c.Verifier.Verify(ctx, token)
}

func unauthenticated() error {
	return problem.New(problem.Unauthenticated, "请先登录（carrel login）。", "Log in first (`carrel login`).")
}

// enter asks policy about the route. A denial of the public is told as "log in"; to read one thing that is not for somebody's roles is
// told like one that is not for him or not there.
func (s *server) enter(ctx context.Context, id auth.Identity, pattern string) error {
	err := s.c.Desk.Enter(ctx, id, pattern)
	if !problem.Is(err, problem.Forbidden) {
		return err
	}
	if id.Account == "" {
		return unauthenticated()
	}
	if word, ok := things()[pattern]; ok && !suspended(err) {
		return problem.Absent(word)
	}
	return err
}

// suspended says that it is the person's own standing that closes a route. Nothing was loaded yet, so to say it tells of no thing, and
// who does not hear it looks for a number that is right.
func suspended(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Decision != nil && slices.ContainsFunc(p.Decision.Reasons, func(r policy.Reason) bool { return r.Rule == policy.RuleStanding })
}

// things are the routes that read one thing, and what it is called.
func things() map[string]policy.Text {
	return map[string]policy.Text{
		"GET /api/v1/applications/{id}": {ZH: "申请", EN: "application"}, "GET /api/v1/applications/{id}/agreement": {ZH: "申请", EN: "application"}, "GET /api/v1/applications/{id}/changes": {ZH: "申请", EN: "application"}, "GET /api/v1/applications/{id}/attachments": {ZH: "申请", EN: "application"}, "GET /api/v1/applications/{id}/attachments/{hash}": {ZH: "申请", EN: "application"},
		"GET /api/v1/grants/{id}": {ZH: "授权", EN: "grant"}, "GET /api/v1/grants/{id}/attachments": {ZH: "授权", EN: "grant"}, "GET /api/v1/grants/{id}/attachments/{hash}": {ZH: "授权", EN: "grant"}, "GET /api/v1/jobs/{id}": {ZH: "任务", EN: "job"}, "GET /api/v1/jobs/{id}/result": {ZH: "任务", EN: "job"},
		"GET /api/v1/handovers/{id}": {ZH: "移交", EN: "handover"}, "GET /api/v1/handovers/{id}/package": {ZH: "移交", EN: "handover"},
	}
}

// write sends a problem document from middleware.
func (s *server) write(ctx huma.Context, d *Document) {
	s.refusals.WithLabelValues(string(d.Code)).Inc()
	ctx.SetHeader("Content-Type", "application/problem+json")
	if d.Code == problem.Unauthenticated {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="carrel"`)
	}
	ctx.SetStatus(d.Status)
	_ = json.NewEncoder(ctx.BodyWriter()).Encode(d)
}

func (s *server) metrics(r chi.Router) {
	reg := prometheus.NewRegistry()
	s.requests = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carrel_requests_total", Help: "Requests by route pattern and status."}, []string{"route", "status"})
	s.refusals = prometheus.NewCounterVec(prometheus.CounterOpts{Name: "carrel_problems_total", Help: "Problem documents by code."}, []string{"code"})
	reg.MustRegister(s.requests, s.refusals, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	handler := promhttp.HandlerFor(reg, promhttp.HandlerOpts{Timeout: 5 * time.Second})
	r.Get("/metrics", s.outside("GET /metrics", handler.ServeHTTP))
}

// outside puts a route outside the framework behind its policy.
func (s *server) outside(pattern string, next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, req *http.Request) {
		id, err := s.fromHeader(req)
		if err == nil {
			err = s.enter(req.Context(), id, pattern)
		}
		if err != nil {
			s.plain(w, req, err)
			return
		}
		next(w, req)
	}
}

func (s *server) fromHeader(req *http.Request) (auth.Identity, error) {
	return s.bearer(req.Context(), req.Header.Get("Authorization"))
}

// plain sends a problem document outside the framework.
func (s *server) plain(w http.ResponseWriter, req *http.Request, err error) {
	d := document(req.Context(), s.c.Logger, language(req.Header.Get("Accept-Language")), err)
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(d.Status)
	_ = json.NewEncoder(w).Encode(d)
}

func (s *server) health(w http.ResponseWriter, req *http.Request) {
	if err := s.c.Healthy(req.Context()); err != nil {
		s.plain(w, req, problem.Wrap(err, problem.Unavailable, "服务暂不可用。", "The service is not ready."))
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write([]byte(`{"status":"ok"}` + "\n"))
}

// logged writes one operational line a request: no path parameter, no query string, no body.
func (s *server) logged(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		start := time.Now()
		rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		next.ServeHTTP(rec, req)
		method, pattern := req.Method, "unmatched"
		if c := chi.RouteContext(req.Context()); c != nil && c.RoutePattern() != "" {
			pattern = c.RoutePattern()
		}
		if pattern == "unmatched" {
			method = "any" // a made-up method must not become a label or a word of the log
		}
		s.requests.WithLabelValues(method+" "+pattern, http.StatusText(rec.status)).Inc()
		s.c.Logger.InfoContext(req.Context(), "request", slog.String("method", method), slog.String("route", pattern),
			slog.Int("status", rec.status), slog.Duration("took", time.Since(start)))
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }
