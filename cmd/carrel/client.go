package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carrel/broker/problem"
	"carrel/policy"
)

// maxReply bounds what a client reads from the service; packages are streamed and not bounded by it.
const maxReply = 64 << 20

// session is one login, kept in the user's configuration directory with mode 0600.
type session struct {
	Server  string    `json:"server"`
	Account string    `json:"account"`
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
}

type sessions struct {
	Current string             `json:"current"`
	By      map[string]session `json:"by"`
}

func (a *app) sessionFile() (string, error) {
	if p := a.env["CARREL_SESSION"]; p != "" {
		return p, nil
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("no configuration directory for the session; set CARREL_SESSION to a file: %w", err)
	}
	return filepath.Join(dir, "carrel", "session.json"), nil
}

func (a *app) loadSessions() (sessions, error) {
	s := sessions{By: map[string]session{}}
	p, err := a.sessionFile()
	if err != nil {
		return s, err
	}
	b, err := os.ReadFile(p)
	if errors.Is(err, os.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, err
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return s, problem.Wrap(err, problem.Failed, "会话文件已损坏；请删除它并重新运行 carrel login。", "The session file is damaged; delete it and run `carrel login`.")
	}
	return s, nil
}

func (a *app) saveSessions(s sessions) error {
	p, err := a.sessionFile()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
		return err
	}
	b, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(p, b, 0o600)
}

func (a *app) session() (session, error) {
	all, err := a.loadSessions()
	if err != nil {
		return session{}, err
	}
	name := a.as
	if name == "" {
		name = all.Current
	}
	s, ok := all.By[name]
	if !ok && a.as != "" {
		return session{}, problem.New(problem.Unauthenticated, "账号 "+a.as+" 尚未登录；请先运行 carrel login "+a.as+"。", "No session of "+a.as+"; run `carrel login "+a.as+"` first.")
	}
	if !ok {
		return session{}, problem.New(problem.Unauthenticated, "尚未登录；请先运行 carrel login。", "You are not logged in; run `carrel login` first.")
	}
	if a.server != "" {
		s.Server = strings.TrimRight(a.server, "/")
	}
	return s, nil
}

// api is a small client of the HTTP interface. It turns problem documents back into *problem.Error.
type api struct {
	base, token string
	http        *http.Client
}

func (a *app) api() (*api, error) {
	s, err := a.session()
	if err != nil {
		return nil, err
	}
	return newAPI(s.Server, s.Token), nil
}

func newAPI(base, token string) *api {
	return &api{base: strings.TrimRight(base, "/"), token: token, http: &http.Client{Timeout: 10 * time.Minute}}
}

func (c *api) get(ctx context.Context, path string, out any) error {
	return c.do(ctx, http.MethodGet, path, nil, out)
}

func (c *api) post(ctx context.Context, path string, in, out any) error {
	return c.do(ctx, http.MethodPost, path, in, out)
}

func (c *api) do(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return decode(resp, out)
}

func decode(resp *http.Response, out any) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxReply))
	if err != nil {
		return fmt.Errorf("the service's answer broke off; try again: %w", err)
	}
	if out == nil {
		return nil
	}
	if raw, ok := out.(*[]byte); ok {
		*raw = body
		return nil
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("the service's answer is not understood; is this client of the same version? %w", err)
	}
	return nil
}

// upload posts a file as it is.
func (c *api) upload(ctx context.Context, path, media string, file io.Reader, out any) error {
	resp, err := c.request(ctx, http.MethodPost, path, media, file)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return decode(resp, out)
}

// send makes the request with a JSON body and returns only successful responses.
func (c *api) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	if in == nil {
		return c.request(ctx, method, path, "", nil)
	}
	b, err := json.Marshal(in)
	if err != nil {
		return nil, err
	}
	return c.request(ctx, method, path, "application/json", bytes.NewReader(b))
}

func (c *api) request(ctx context.Context, method, path, media string, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return nil, problem.Wrap(err, problem.Invalid, "服务地址不是网址；请写成 http://127.0.0.1:8443 的形式。", "The address of the service is not a URL; write it like http://127.0.0.1:8443.")
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, problem.Wrap(err, problem.Unavailable, "无法连接服务；请检查地址以及服务是否在运行。", "The service cannot be reached; check its address and that it is running.")
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	return nil, readProblem(resp)
}

// readProblem decodes an RFC 9457 document of the service.
func readProblem(resp *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return problem.Wrap(err, problem.Failed, fmt.Sprintf("服务应答 %d 后中断；请重试。", resp.StatusCode), fmt.Sprintf("The service answered %d and broke off; try again.", resp.StatusCode))
	}
	var d struct {
		Code     problem.Code     `json:"code"`
		Detail   string           `json:"detail"`
		Text     policy.Text      `json:"text"`
		Decision *policy.Decision `json:"decision"`
		Refusal  json.RawMessage  `json:"refusal"`
		Incident string           `json:"incident"`
	}
	if json.Unmarshal(b, &d) != nil || !d.Code.Known() {
		return problem.New(problem.Failed, fmt.Sprintf("服务应答 %d；请检查地址。", resp.StatusCode), fmt.Sprintf("The service answered %d; check the address.", resp.StatusCode))
	}
	if d.Text.EN == "" {
		d.Text = policy.Text{ZH: d.Detail, EN: d.Detail}
	}
	p := &problem.Error{Code: d.Code, Text: d.Text, Decision: d.Decision, Incident: d.Incident}
	if len(d.Refusal) > 0 {
		p.Refusal = d.Refusal
	}
	return p
}
