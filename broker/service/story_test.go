package service_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
	"unicode"

	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/policy"
)

// story is a tale told through the public API alone: people log in, post and read JSON, and hear sentences in their language. The
// clock is the story's, so that months can pass.
type story struct {
	t      *testing.T
	city   *servicetest.City
	base   string
	lang   string
	tokens map[string]string
	hands  *servicetest.Hands
}

// inBothLanguages tells a story in Chinese and in English.
func inBothLanguages(t *testing.T, tale func(s *story), change ...func(*service.Config)) {
	t.Helper()
	for _, lang := range []string{"zh", "en"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			s := &story{t: t, lang: lang, tokens: map[string]string{}, hands: servicetest.NewHands()}
			s.city = moulds.City(t, append(change, s.hands.Put)...)
			h, err := s.city.Handler()
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(h)
			t.Cleanup(server.Close)
			s.base = server.URL + "/api/v1"
			tale(s)
		})
	}
}

func (s *story) clock() time.Time { return s.hands.Now() }

// passes lets time pass; sessions of before end with it.
func (s *story) passes(d time.Duration) {
	s.hands.Pass(d)
	s.tokens = map[string]string{}
}

// strikes lets the service's own hour come, and what it does by itself in it be done.
func (s *story) strikes() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute) // a loop that ended hears nothing
	defer cancel()
	servicetest.Must(s.t, s.hands.Ring(ctx))
}

// day is a date so many days from the story's today.
func (s *story) day(days int) string { return s.clock().AddDate(0, 0, days).Format(time.DateOnly) }

// obj is a JSON object.
type obj = map[string]any

// call sends one request as an account; "" is the public. A body of bytes is a text as it is, any other one is JSON.
func (s *story) call(account, method, path string, body any) (int, []byte) {
	s.t.Helper()
	var in io.Reader
	media := "application/json"
	if file, ok := body.([]byte); ok {
		in, media = bytes.NewReader(file), "text/plain"
	} else if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			s.t.Fatal(err)
		}
		in = bytes.NewReader(raw)
	}
	req, err := http.NewRequestWithContext(s.t.Context(), method, s.base+path, in)
	if err != nil {
		s.t.Fatal(err)
	}
	req.Header.Set("Accept-Language", map[string]string{"zh": "zh-CN", "en": "en"}[s.lang])
	if body != nil {
		req.Header.Set("Content-Type", media)
	}
	if account != "" {
		req.Header.Set("Authorization", "Bearer "+s.token(account))
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return res.StatusCode, raw
}

// token logs an account in once.
func (s *story) token(account string) string {
	s.t.Helper()
	if have, ok := s.tokens[account]; ok {
		return have
	}
	password, ok := s.city.Passwords[account]
	if !ok {
		s.t.Fatalf("nobody is called %s", account)
	}
	status, raw := s.call("", http.MethodPost, "/login", obj{"account": account, "password": password})
	var in struct{ Token string }
	if err := json.Unmarshal(raw, &in); err != nil || status != http.StatusOK || in.Token == "" {
		s.t.Fatalf("%s cannot log in: %d %s", account, status, raw)
	}
	s.tokens[account] = in.Token
	return in.Token
}

// does posts and must succeed.
func (s *story) does(account, path string, body any) obj {
	s.t.Helper()
	return s.must(account, http.MethodPost, path, body)
}

// sees reads one thing.
func (s *story) sees(account, path string) obj {
	s.t.Helper()
	return s.must(account, http.MethodGet, path, nil)
}

func (s *story) must(account, method, path string, body any) obj {
	s.t.Helper()
	status, raw := s.call(account, method, path, body)
	if status/100 != 2 {
		s.t.Fatalf("%s: %s %s: %d %s", account, method, path, status, raw)
	}
	out := obj{}
	if len(raw) > 0 && raw[0] == '{' {
		if err := json.Unmarshal(raw, &out); err != nil {
			s.t.Fatalf("%s %s: %v in %s", method, path, err, raw)
		}
	}
	return out
}

// lists reads a list.
func (s *story) lists(account, path string) []obj {
	s.t.Helper()
	status, raw := s.call(account, http.MethodGet, path, nil)
	var out []obj
	if err := json.Unmarshal(raw, &out); err != nil || status != http.StatusOK {
		s.t.Fatalf("%s: GET %s: %d %s", account, path, status, raw)
	}
	return out
}

// refused wants a refusal with this status and, when a rule is named, by this rule, in a sentence of the story's language.
func (s *story) refused(account, method, path string, body any, status int, rule string) {
	s.t.Helper()
	got, raw := s.call(account, method, path, body)
	var doc struct {
		Detail   string
		Decision *struct {
			Reasons []struct {
				Rule, Article, Source string
				Text                  policy.Text
			}
		}
	}
	if err := json.Unmarshal(raw, &doc); err != nil || got != status {
		s.t.Fatalf("%s: %s %s: %d, want %d: %s", account, method, path, got, status, raw)
	}
	if doc.Detail == "" || strings.ContainsFunc(doc.Detail, isHan) != (s.lang == "zh") {
		s.t.Errorf("%s %s: %q is no sentence in %s", method, path, doc.Detail, s.lang)
	}
	if doc.Decision == nil {
		if rule != "" {
			s.t.Errorf("%s: %s %s is refused without a decision: %s", account, method, path, raw)
		}
		return
	}
	found := rule == ""
	for _, r := range doc.Decision.Reasons {
		found = found || r.Rule == rule
		if r.Article == "" || r.Source == "" || r.Text.ZH == "" || r.Text.EN == "" {
			s.t.Errorf("%s %s: the reason %+v does not explain itself", method, path, r)
		}
	}
	if !found {
		s.t.Errorf("%s: %s %s is refused without %s: %s", account, method, path, rule, raw)
	}
}

func isHan(r rune) bool { return unicode.Is(unicode.Han, r) }

// str is a member of an object as text.
func str(o obj, path ...string) string {
	var v any = o
	for _, p := range path {
		m, ok := v.(obj)
		if !ok {
			return ""
		}
		v = m[p]
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// strs is a member that is a list of texts.
func strs(o obj, member string) []string {
	list, _ := o[member].([]any)
	out := make([]string, 0, len(list))
	for _, v := range list {
		out = append(out, fmt.Sprint(v))
	}
	return out
}
