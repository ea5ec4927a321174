package notice

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"syscall"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

const (
	hookTimeout = 15 * time.Second
	maxHookURL  = 500
	stateActive = "active"
	stateOff    = "removed"
)

// Hook is where the systems of an institution hear of steps that concern it.
type Hook struct {
	ID          string    `json:"id"`
	Institution string    `json:"institution"`
	URL         string    `json:"url"`
	State       string    `json:"state"`
	Created     time.Time `json:"created"`
	// Secret is shown once, to who registers: whsec_ and base64, as Standard Webhooks writes them.
	Secret string `json:"secret,omitempty"`
}

// message is the body of a call, after the Standard Webhooks specification 1.0: type, timestamp, data. It holds no account.
type message struct {
	Type      string    `json:"type"`
	Timestamp time.Time `json:"timestamp"`
	Data      struct {
		Object string      `json:"object"`
		Due    policy.Date `json:"due,omitempty"`
		Text   policy.Text `json:"text"`
	} `json:"data"`
}

// HookClient is a client that follows no redirect, asks no proxy and, unless inside is true, calls nothing on this machine, its link or
// a private network: a webhook's address is somebody's wish, and must not reach what only the service can reach. The address is judged
// when the connection is made, after the name was looked up, so that a name that changes its mind gains nothing.
func HookClient(inside bool) *http.Client {
	d := &net.Dialer{Timeout: hookTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return errRefused
		}
		own, err := net.InterfaceAddrs()
		if err != nil || !reachable(to.Addr(), inside, own) {
			return errRefused
		}
		return nil
	}}
	return &http.Client{
		Timeout:       hookTimeout,
		Transport:     &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true, TLSHandshakeTimeout: hookTimeout},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (s *Service) mayHook(ctx context.Context, id auth.Identity) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: "notice.hook"})
}

// AddHook registers where an institution's systems are called.
func (s *Service) AddHook(ctx context.Context, id auth.Identity, institution, where string) (*Hook, error) {
	u, err := url.Parse(where)
	plain := err == nil && u.Scheme == "http" && local(u.Hostname())
	if err != nil || len(where) > maxHookURL || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && !plain {
		return nil, problem.New(problem.Invalid, "回调地址须为 https 地址，且不含用户名或密码。", "A webhook's address begins with https:// and holds no user or password.")
	}
	if ip, err := netip.ParseAddr(u.Hostname()); err == nil && !reachable(ip, true, nil) {
		return nil, problem.New(problem.Invalid, "回调地址不能指向本机链路、云平台元数据或保留的网段；请填写机构系统的域名。",
			"A webhook calls no link-local, metadata or reserved address; give the name of the institution's system.")
	}
	if institution == "" || len(institution) > store.MaxID {
		return nil, problem.New(problem.Invalid, "请写明回调属于哪个机构。", "Say which institution the webhook belongs to.")
	}
	h := &Hook{ID: act.NewID("wh"), Institution: institution, URL: where, State: stateActive, Created: s.desk.Now().UTC()}
	step := act.Step{Kind: "notice.hook-added", Object: "hook/" + h.ID, Facts: map[string]string{"institution": institution, "host": u.Host}}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.mayHook(ctx, id)
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, hookKind, h.ID, 0, store.Index{Owner: institution, State: stateActive}, h); err != nil {
			return fmt.Errorf("notice: hook: %w", err)
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	h.Secret = "whsec_" + base64.StdEncoding.EncodeToString(s.hookSecret(h.ID))
	return h, nil
}

// hookSecret is made anew each time: nothing that signs lies in the store.
func (s *Service) hookSecret(id string) []byte {
	mac := hmac.New(sha256.New, s.c.Secret)
	mac.Write([]byte("carrel-webhook-v1\n" + id))
	return mac.Sum(nil)
}

// Hooks lists the webhooks, without secrets.
func (s *Service) Hooks(ctx context.Context, id auth.Identity) ([]Hook, error) {
	out := []Hook{}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "notice.hooks-listed", Object: "notices"}, func(tx *store.Tx) (policy.Decision, error) {
		dec, err := s.mayHook(ctx, id)
		if err != nil {
			return dec, err
		}
		out, err = hooks(ctx, tx, store.Filter{State: stateActive, Limit: onePage})
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func hooks(ctx context.Context, tx *store.Tx, f store.Filter) ([]Hook, error) {
	docs, err := tx.List(ctx, hookKind, f)
	if err != nil {
		return nil, fmt.Errorf("notice: hooks: %w", err)
	}
	out := make([]Hook, len(docs))
	for i, d := range docs {
		if err := d.Decode(&out[i]); err != nil {
			return nil, fmt.Errorf("notice: hooks: %w", err)
		}
	}
	return out, nil
}

// RemoveHook ends a webhook; what is queued for it is not sent any more.
func (s *Service) RemoveHook(ctx context.Context, id auth.Identity, hook string) (*Hook, error) {
	h := new(Hook)
	step := act.Step{Kind: "notice.hook-removed", Object: "hook/" + hook}
	err := s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		dec, err := s.mayHook(ctx, id)
		if err != nil {
			return err
		}
		rev, err := tx.Get(ctx, hookKind, hook, h)
		if err != nil {
			return fmt.Errorf("notice: hook: %w", err)
		}
		if h.State != stateActive { // the log says once who ended it
			return fmt.Errorf("notice: hook: %w", store.ErrNotFound)
		}
		h.State = stateOff
		if err := tx.Put(ctx, hookKind, h.ID, rev, store.Index{Owner: h.Institution, State: stateOff}, h); err != nil {
			return fmt.Errorf("notice: hook: %w", err)
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

// hooked queues a step for the systems of the institutions that it concerns.
func (s *Service) hooked(ctx context.Context, tx *store.Tx, step act.Step, o policy.Object, t policy.Text) error {
	concerned := slices.Clone(o.DataOwners)
	if o.Institution != "" {
		concerned = append(concerned, o.Institution)
	}
	for _, house := range slices.Clone(concerned) { // who succeeds is told at its own address
		concerned = append(concerned, s.desk.Heir(house))
	}
	slices.Sort(concerned)
	for _, institution := range slices.Compact(concerned) {
		list, err := hooks(ctx, tx, store.Filter{Owner: institution, State: stateActive, Limit: onePage})
		if err != nil {
			return err
		}
		for _, h := range list {
			n := Notice{Kind: step.Kind, Object: step.Object, Text: t, Due: policy.Date(step.Facts["due"]), At: s.desk.Now().UTC()}
			if err := s.queue(ctx, tx, "hook/"+h.ID, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// call sends one message to a webhook. Any answer but 2xx is tried again; 410 ends the webhook, as the specification says.
func (s *Service) call(ctx context.Context, hook string, p post) error {
	h := new(Hook)
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.Get(ctx, hookKind, hook, h)
		return err
	})
	if err != nil {
		return fmt.Errorf("notice: hook: %w", err)
	}
	if h.State != stateActive {
		return nil
	}
	req, err := s.signed(ctx, h, p)
	if err != nil {
		return err
	}
	res, err := s.c.Client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) && ue.Timeout() {
			return context.DeadlineExceeded
		}
		return errors.New("the webhook cannot be reached") // its address stays out of logs
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.CopyN(io.Discard, res.Body, 1<<10)
	switch {
	case res.StatusCode/100 == 2:
		return nil
	case res.StatusCode == http.StatusGone:
		return s.gone(ctx, hook)
	}
	return errRefused
}

func (s *Service) signed(ctx context.Context, h *Hook, p post) (*http.Request, error) {
	m := message{Type: p.Notice.Kind, Timestamp: p.Notice.At}
	m.Data.Object, m.Data.Due, m.Data.Text = p.Notice.Object, p.Notice.Due, p.Notice.Text
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("notice: webhook's body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("notice: webhook: %w", errRefused)
	}
	wh, err := standardwebhooks.NewWebhookRaw(s.hookSecret(h.ID))
	if err != nil {
		return nil, fmt.Errorf("notice: webhook: %w", err)
	}
	now := s.desk.Now()
	signature, err := wh.Sign(p.ID, now, body)
	if err != nil {
		return nil, fmt.Errorf("notice: webhook: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(standardwebhooks.HeaderWebhookID, p.ID)
	req.Header.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(now.Unix(), 10))
	req.Header.Set(standardwebhooks.HeaderWebhookSignature, signature)
	return req, nil
}

// gone ends a webhook whose receiver said that it is no more.
func (s *Service) gone(ctx context.Context, hook string) error {
	err := s.desk.Store.Update(ctx, func(tx *store.Tx) error {
		h := new(Hook)
		rev, err := tx.Get(ctx, hookKind, hook, h)
		if err != nil {
			return err
		}
		h.State = stateOff
		if err := tx.Put(ctx, hookKind, h.ID, rev, store.Index{Owner: h.Institution, State: stateOff}, h); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, auth.Identity{}, policy.Decision{}, act.Step{Kind: "notice.hook-removed", Object: "hook/" + hook})
		return err
	})
	if err != nil {
		return fmt.Errorf("notice: end a webhook: %w", err)
	}
	return nil
}
