package web

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-chi/chi/v5"

	"carrel/broker/auth"
	"carrel/broker/problem"
	"carrel/policy"
)

// The bounds of a form.
const (
	maxForm   = 512 << 10 // nine texts of 32 KB and the fields
	maxFields = 4000      // names and values of one form
)

// contentPolicy allows our own style sheet and forms to ourselves; no script, no image from elsewhere, no frame, nothing inline.
const contentPolicy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// call is one request with who asks and in which language he reads.
type call struct {
	w      http.ResponseWriter
	r      *http.Request
	id     auth.Identity
	lang   string
	secure bool   // came over TLS
	home   string // address of the page that a posted form belongs to, for the language links
	form   url.Values
}

func (c *call) param(name string) string { return chi.URLParam(c.r, name) }

// value is a form field without outer white space. Browsers send CRLF; positions in a question are counted in LF.
func (c *call) value(name string) string {
	return strings.TrimSpace(strings.ReplaceAll(c.form.Get(name), "\r\n", "\n"))
}

// redirect answers a posted form with the page to look at next.
func (c *call) redirect(to string) error {
	http.Redirect(c.w, c.r, to, http.StatusSeeOther)
	return nil
}

// handler is the frame of every page: headers, who, origin, policy, form, in this order.
func (s *server) handler(x route) http.Handler {
	pattern := x.pattern()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := s.call(w, r)
		ctx := r.Context()
		err := s.enter(ctx, c, pattern)
		if err == nil {
			err = x.handle(ctx, c)
		}
		if err != nil {
			s.fail(ctx, c, err)
		}
	})
}

// call sets the headers that every reply carries and finds language and person.
func (s *server) call(w http.ResponseWriter, r *http.Request) *call {
	c := &call{w: w, r: r, secure: overTLS(r), form: url.Values{}}
	h := w.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // not no-referrer: browsers would then send forms with the origin "null"
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cache-Control", "no-store")
	h.Set("Vary", "Accept-Language, Cookie")
	if c.secure {
		h.Set("Strict-Transport-Security", "max-age=31536000; includeSubDomains")
	}
	c.lang = c.language()
	c.id = s.who(r.Context(), c)
	return c
}

// overTLS believes a proxy that says so: whoever lies only makes his own cookie stricter.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// sessionName is the cookie's name. Over TLS the prefix makes browsers refuse one that another host of the domain has set.
func (c *call) sessionName() string {
	if c.secure {
		return "__Host-carrel-session"
	}
	return "carrel-session"
}

// setSession keeps the session token where no script and no other site reaches it; an empty token ends it.
func (c *call) setSession(token auth.Secret, expires time.Time) {
	k := &http.Cookie{Name: c.sessionName(), Value: token.Reveal(), Path: "/", HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode}
	if token == "" {
		k.MaxAge = -1
	} else {
		k.Expires = expires
	}
	http.SetCookie(c.w, k)
}

// who is the person of the session cookie. A token that does not hold any more is taken away and its bearer is the public, which
// may only see what is public.
func (s *server) who(ctx context.Context, c *call) auth.Identity {
	k, err := c.r.Cookie(c.sessionName())
	if err != nil || k.Value == "" {
		return auth.Identity{}
	}
	id, err := s.c.Issuer.Verify(ctx, k.Value)
	if err != nil {
		c.setSession("", time.Time{})
		return auth.Identity{}
	}
	return id
}

func unauthenticated() error {
	return problem.New(problem.Unauthenticated, "请先登录。", "Log in first.")
}

func noPage() error {
	return problem.New(problem.NotFound, "没有这一页面，或您无权查看；请核对地址。", "There is no such page, or it is not for you; check the address.")
}

var plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$`)

// enter lets a request in: not sent by another site, allowed by policy, well-formed. The form is read last.
func (s *server) enter(ctx context.Context, c *call, pattern string) error {
	if err := s.forgery.Check(c.r); err != nil {
		return problem.Wrap(err, problem.Forbidden, "此表单来自其他网站，未被接受；请在本站页面上重新提交。", "This form was sent by another site and was not accepted; send it from our own page.")
	}
	if err := s.c.Desk.Enter(ctx, c.id, pattern); err != nil {
		if c.id.Account == "" && problem.Is(err, problem.Forbidden) {
			return unauthenticated()
		}
		return err
	}
	for _, v := range chi.RouteContext(ctx).URLParams.Values {
		if !plainID.MatchString(v) {
			return noPage()
		}
	}
	if c.r.Method != http.MethodPost {
		c.form = c.r.URL.Query()
		return nil
	}
	return c.read(bound(pattern))
}

// read reads a posted form within its bounds. Files stay in memory: the disk sees them sealed or not at all.
func (c *call) read(bound int64, above error) error {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, bound)
	var err error
	if strings.HasPrefix(c.r.Header.Get("Content-Type"), "multipart/form-data") {
		err = c.r.ParseMultipartForm(bound)
	} else {
		err = c.r.ParseForm()
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return above
	}
	if err != nil {
		return malformed(err)
	}
	n := 0
	for name, values := range c.r.PostForm {
		for _, v := range values {
			if n++; n > maxFields || !utf8.ValidString(name) || !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
				return malformed(nil)
			}
		}
	}
	c.form = c.r.PostForm
	return nil
}

func malformed(cause error) error {
	return problem.Wrap(cause, problem.Invalid, "表单内容不完整或不是有效文字；请重新填写。", "The form is broken or holds what is not text; fill it in again.")
}

// may asks policy whether the person may do an action on an object: what a page offers is the answer, never a role or a state.
func (s *server) may(ctx context.Context, c *call, action string, o policy.Object) (bool, error) {
	d, err := s.c.Desk.Policy.Decide(ctx, policy.AccessQuestion{At: s.c.Desk.Moment(), Subject: c.id.Subject(), Action: action, Object: o})
	return err == nil && d.Allow, err
}

// reach says whether the person may enter a route: for the links of the page's head.
func (s *server) reach(ctx context.Context, c *call, pattern string) (bool, error) {
	d, err := s.c.Desk.Policy.Decide(ctx, policy.RouteQuestion{At: s.c.Desk.Moment(), Subject: c.id.Subject(), Route: pattern})
	return err == nil && d.Allow, err
}

// absent answers addresses that are no page. Programs get a short text.
func (s *server) absent(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, "/api/") {
		http.NotFound(w, r)
		return
	}
	s.fail(r.Context(), s.call(w, r), noPage())
}

// localPath is a page of ours that a log-in may return to.
var localPath = regexp.MustCompile(`^/[a-z0-9][a-z0-9/_-]{0,200}$`)

// fail shows an error as a page. Who is not logged in is shown the way in.
func (s *server) fail(ctx context.Context, c *call, err error) {
	p := problem.From(ctx, s.c.Logger, err)
	if p.Code == problem.Unauthenticated && c.r.Method == http.MethodGet {
		to := "/login"
		if localPath.MatchString(c.r.URL.Path) {
			to += "?next=" + url.QueryEscape(c.r.URL.Path)
		}
		_ = c.redirect(to)
		return
	}
	if err := s.render(ctx, c, p.Status(), "problem", page{Problem: s.problem(p, ""), Data: nil}); err != nil {
		_ = problem.From(ctx, s.c.Logger, err) // logged with its incident
		http.Error(c.w, "failed", http.StatusInternalServerError)
	}
}
