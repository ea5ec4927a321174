package notice_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"carrel/broker/application/apptest"
	"carrel/broker/notice"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// letter is one message as a mail server got it.
type letter struct {
	to  string
	raw []byte
}

// post office: a real SMTP server. Each address in failing is refused for now, each in gone for good.
type office struct {
	addr string

	mu      sync.Mutex
	letters []letter
	failing map[string]int // code of the answer
}

func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{failing: map[string]int{}}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &counter{office: o}, nil }))
	s.Domain = "localhost"
	l, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a listener of a test
	ok(t, err)
	o.addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return o
}

// counter is where one letter is handed in.
type counter struct {
	office *office
	to     string
}

func (c *counter) Mail(string, *smtp.MailOptions) error { return nil }
func (c *counter) Rcpt(to string, _ *smtp.RcptOptions) error {
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	if code := c.office.failing[to]; code != 0 {
		return &smtp.SMTPError{Code: code, EnhancedCode: smtp.EnhancedCode{code / 100, 2, 1}, Message: "not now: " + to}
	}
	c.to = to
	return nil
}
func (c *counter) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	c.office.mu.Lock()
	defer c.office.mu.Unlock()
	c.office.letters = append(c.office.letters, letter{c.to, raw})
	return err
}
func (c *counter) Reset()        {}
func (c *counter) Logout() error { return nil }

func (o *office) fail(to string, code int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.failing[to] = code
}

func (o *office) got(to string) []letter {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(o.letters), func(l letter) bool { return l.to != to })
}

// message parses a letter.
func message(t *testing.T, l letter) (id, subject, body string) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(l.raw))
	ok(t, err)
	raw, err := io.ReadAll(m.Body)
	ok(t, err)
	return m.Header.Get("Message-ID"), m.Header.Get("Subject"), string(raw)
}

func withMail(t *testing.T) (*apptest.World, *office) {
	t.Helper()
	w, o := apptest.New(t), openOffice(t)
	post, err := notice.NewSMTP("smtp://"+o.addr, "carrel@jinhe.example", "", "")
	ok(t, err)
	w.Mail.Do(post.Send)
	return w, o
}

func deliver(t *testing.T, w *apptest.World) int {
	t.Helper()
	n, err := w.Notices.Deliver(context.Background())
	ok(t, err)
	return n
}

var digits = regexp.MustCompile(`\b[0-9]{8}\b`)

// confirmed gives an account an address that works.
func confirmed(t *testing.T, w *apptest.World, o *office, account, address string) {
	t.Helper()
	ctx := context.Background()
	v, err := w.Notices.SetAddress(ctx, w.As(account), address)
	ok(t, err)
	if v.Confirmed {
		t.Fatal("an address counts before its code")
	}
	deliver(t, w)
	got := o.got(address)
	if len(got) != 1 {
		t.Fatalf("%d letters with a code", len(got))
	}
	_, _, body := message(t, got[0])
	v, err = w.Notices.Confirm(ctx, w.As(account), digits.FindString(body))
	ok(t, err)
	if !v.Confirmed {
		t.Fatal("the code did not confirm the address")
	}
}

// Whatever people write and are called, a letter has the kind of step and the number, and nothing else.
func TestMailHoldsNothingPersonal(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	confirmed(t, w, o, "chen", "ethics@jinhe.example")
	confirmed(t, w, o, "zhou", "authority@jinhe.example")
	d := apptest.Research()
	a := w.Reviewed("li", d)
	if n := deliver(t, w); n != 2 {
		t.Fatalf("%d letters went out, want one to the reviewer and one to the authority", n)
	}
	secrets := []string{"李明", "Li Ming", "陈静", "Chen Jing", "同意"}
	for _, text := range d.Texts {
		secrets = append(secrets, text)
	}
	for _, to := range []string{"ethics@jinhe.example", "authority@jinhe.example"} {
		got := o.got(to)
		id, _, body := message(t, got[len(got)-1])
		if !strings.Contains(body, a.ID) || !strings.Contains(body, "https://carrel.test/notices") || id == "" {
			t.Errorf("the letter says %q", body)
		}
		for _, s := range secrets {
			if bytes.Contains(got[len(got)-1].raw, []byte(s)) || strings.Contains(body, s) {
				t.Errorf("a letter holds %q", s)
			}
		}
		for _, account := range []string{"li", "chen", "zhou", "wang"} {
			if regexp.MustCompile(`\b` + account + `\b`).MatchString(body) {
				t.Errorf("a letter names the account %s", account)
			}
		}
	}
}

// A destination that fails is tried again, in order and under the same number, and holds up nobody else; after five days it is
// given up.
func TestMailIsRetriedInOrder(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	confirmed(t, w, o, "chen", "slow@jinhe.example")
	confirmed(t, w, o, "zhou", "quick@jinhe.example")
	o.fail("slow@jinhe.example", 451)
	first, second := w.Reviewed("li", apptest.Research()), w.Reviewed("li", apptest.Research())
	if n := deliver(t, w); n != 2 {
		t.Fatalf("%d went out, want the two to the one that works", n)
	}
	if n := deliver(t, w); n != 0 {
		t.Errorf("%d went out before the pause was over", n)
	}
	queues, err := w.Notices.Queues(context.Background(), w.As("yan"))
	ok(t, err)
	if len(queues) != 1 || queues[0].Count != 2 || queues[0].To != "mail/chen" || queues[0].Trouble == "" {
		t.Errorf("the queues are %+v", queues)
	}
	o.fail("slow@jinhe.example", 0)
	w.Clock.Add(time.Minute)
	if n := deliver(t, w); n != 2 {
		t.Fatalf("%d went out once the server took them", n)
	}
	got := o.got("slow@jinhe.example")[1:] // after the code
	for i, a := range []string{first.ID, second.ID} {
		if _, _, body := message(t, got[i]); !strings.Contains(body, a) {
			t.Errorf("letter %d is not about %s", i, a)
		}
	}
	o.fail("slow@jinhe.example", 550)
	w.Reviewed("li", apptest.Research())
	deliver(t, w)
	w.Clock.Add(6 * 24 * time.Hour)
	deliver(t, w)
	queues, err = w.Notices.Queues(context.Background(), w.As("yan"))
	ok(t, err)
	if len(queues) != 1 || queues[0].State != notice.StateFailed || queues[0].Trouble != "refused" {
		t.Errorf("after six days the queues are %+v", queues)
	}
}

// deliveries are the entries of the log about what went out.
func deliveries(w *apptest.World) []map[string]string {
	var out []map[string]string
	for _, e := range w.Entries() {
		if e.Kind == "notice.deliveries" {
			out = append(out, e.Facts)
		}
	}
	return out
}

// Guard: what became of messages is on record: by number, channel and tries, in batches, with nobody's address or account in it.
func TestDeliveriesAreOnRecord(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	confirmed(t, w, o, "chen", "slow@jinhe.example")
	confirmed(t, w, o, "zhou", "quick@jinhe.example")
	o.fail("slow@jinhe.example", 451)
	w.Reviewed("li", apptest.Research())
	deliver(t, w)
	if got := deliveries(w); len(got) != 0 {
		t.Fatalf("on record one by one: %v", got)
	}
	w.Clock.Add(5 * time.Minute)
	deliver(t, w)
	deliver(t, w)
	got := deliveries(w)
	if len(got) != 1 {
		t.Fatalf("%d entries for one batch: %v", len(got), got)
	}
	one := regexp.MustCompile(`^ms-[0-9a-f]+ (mail|code|hook) [0-9]+(, ms-[0-9a-f]+ (mail|code|hook) [0-9]+)*$`)
	for what, list := range got[0] {
		if what != "sent" && what != "failed" || !one.MatchString(list) || strings.Contains(list, "@") {
			t.Errorf("%s: %s", what, list)
		}
	}
	if n := strings.Count(got[0]["sent"], " code "); n != 2 || strings.Count(got[0]["sent"], " mail ") != 1 || !strings.HasSuffix(got[0]["failed"], " mail 2") {
		t.Errorf("on record %v", got[0])
	}
	w.Clock.Add(6 * 24 * time.Hour)
	deliver(t, w)
	w.Clock.Add(5 * time.Minute)
	deliver(t, w)
	if got = deliveries(w); len(got) != 2 || !strings.HasSuffix(got[1]["gave-up"], " mail 3") || got[1]["sent"] != "" {
		t.Errorf("after giving up: %v", got)
	}
}

// A server that takes many letters at once makes one entry of them.
func TestDeliveriesFillABatch(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	confirmed(t, w, o, "zhou", "quick@jinhe.example")
	for range 26 {
		w.Reviewed("li", apptest.Research())
	}
	deliver(t, w)
	if got := deliveries(w); len(got) != 1 || strings.Count(got[0]["sent"], "ms-") != 25 {
		t.Errorf("on record %d entries", len(got))
	}
}

// The same message has the same number whenever it arrives.
func TestMailKeepsItsNumber(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	confirmed(t, w, o, "chen", "chen@jinhe.example")
	var ids []string
	w.Mail.Do(func(_ context.Context, m notice.Mail) error { ids = append(ids, m.ID); return errors.New("not now") })
	w.Reviewed("li", apptest.Research())
	for range 3 {
		deliver(t, w)
		w.Clock.Add(time.Hour)
	}
	if len(ids) != 3 || ids[0] == "" || ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("numbers %v", ids)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	w, o := withMail(t)
	ctx := context.Background()
	for _, bad := range []string{"a", "a@", "@b", "a b@c.example", "Chen <chen@c.example>", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example",
		strings.Repeat("a", 250) + "@b.example", "<a@b.example>"} {
		if _, err := w.Notices.SetAddress(ctx, w.As("chen"), bad); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q is taken for an address: %v", bad, err)
		}
	}
	if _, err := w.Notices.Confirm(ctx, w.As("chen"), "00000000"); !problem.Is(err, problem.Conflict) {
		t.Errorf("a code without an address: %v", err)
	}
	// five guesses end it, and the right code is no use after
	_, err := w.Notices.SetAddress(ctx, w.As("chen"), "x@jinhe.example")
	ok(t, err)
	deliver(t, w)
	_, _, body := message(t, o.got("x@jinhe.example")[0])
	for range 5 {
		if _, err := w.Notices.Confirm(ctx, w.As("chen"), "no"); !problem.Is(err, problem.Invalid) {
			t.Errorf("a wrong code: %v", err)
		}
	}
	if v, err := w.Notices.Confirm(ctx, w.As("chen"), digits.FindString(body)); err == nil {
		t.Errorf("after five guesses: %+v", v)
	}
	// the code of another address, or of the same set before, confirms nothing
	_, err = w.Notices.SetAddress(ctx, w.As("chen"), "x@jinhe.example")
	ok(t, err)
	if _, err := w.Notices.Confirm(ctx, w.As("chen"), digits.FindString(body)); !problem.Is(err, problem.Invalid) {
		t.Errorf("an old code: %v", err)
	}
	// nothing but the code goes to an address that is not confirmed
	deliver(t, w)
	before := len(o.got("x@jinhe.example"))
	w.Reviewed("li", apptest.Research())
	deliver(t, w)
	if n := len(o.got("x@jinhe.example")); n != before {
		t.Errorf("%d letters to an address that nobody confirmed", n-before)
	}
	// taken away, nothing goes out, not even what was queued
	confirmed(t, w, o, "zhou", "z@jinhe.example")
	w.Reviewed("li", apptest.Research())
	if _, err := w.Notices.SetAddress(ctx, w.As("zhou"), ""); err != nil {
		t.Fatal(err)
	}
	deliver(t, w)
	if n := len(o.got("z@jinhe.example")); n != 1 {
		t.Errorf("%d letters to an address that was taken away", n-1)
	}
}

// receiver is an institution's system, as the specification wants one: it checks the signature and remembers numbers.
type receiver struct {
	*httptest.Server

	mu     sync.Mutex
	secret string
	answer int
	ids    []string
	bodies []string
	bad    int
}

func openReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{answer: http.StatusOK}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.mu.Lock()
		defer r.mu.Unlock()
		body, err := io.ReadAll(req.Body)
		wh, made := standardwebhooks.NewWebhook(r.secret)
		if err != nil || made != nil || wh.VerifyIgnoringTimestamp(body, req.Header) != nil {
			r.bad++
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		r.ids, r.bodies = append(r.ids, req.Header.Get("webhook-id")), append(r.bodies, string(body))
		if r.answer == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(r.answer)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) answers(code int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = code
}

func (r *receiver) seen() (ids, bodies []string, bad int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.ids), slices.Clone(r.bodies), r.bad
}

func TestWebhooks(t *testing.T) {
	t.Parallel()
	w, r := apptest.New(t), openReceiver(t)
	ctx := context.Background()
	if _, err := w.Notices.AddHook(ctx, w.As("wu"), "jinhe-health-commission", r.URL); !problem.Is(err, problem.Forbidden) {
		t.Errorf("a data owner registered a webhook: %v", err)
	}
	h, err := w.Notices.AddHook(ctx, w.As("shi"), "jinhe-health-commission", r.URL)
	ok(t, err)
	r.secret = h.Secret
	list, err := w.Notices.Hooks(ctx, w.As("shi"))
	ok(t, err)
	if len(list) != 1 || list[0].Secret != "" {
		t.Errorf("the list shows %+v", list)
	}
	r.answers(http.StatusServiceUnavailable)
	first, second := w.Reviewed("li", apptest.Research()), w.Reviewed("li", apptest.Research())
	deliver(t, w)
	r.answers(http.StatusFound) // a redirect is no acceptance and is not followed
	w.Clock.Add(time.Hour)
	deliver(t, w)
	r.answers(http.StatusNoContent)
	w.Clock.Add(time.Hour)
	if n := deliver(t, w); n != 2 {
		t.Fatalf("%d went out", n)
	}
	ids, bodies, bad := r.seen()
	if bad != 0 || len(ids) != 4 || ids[0] != ids[1] || ids[1] != ids[2] || ids[2] == ids[3] {
		t.Fatalf("%d bad signatures, numbers %v", bad, ids)
	}
	if !strings.Contains(bodies[2], first.ID) || !strings.Contains(bodies[3], second.ID) {
		t.Errorf("out of order: %v", bodies)
	}
	for _, account := range []string{"\"li\"", "chen", "wu\"", "李", "卒中"} {
		if strings.Contains(bodies[2], account) {
			t.Errorf("a webhook's body holds %s: %s", account, bodies[2])
		}
	}
	// What is due is told to the institution once, however many of its people are reminded.
	ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
		_, err := w.Notices.Reminder(ctx, tx, []string{"chen", "mei", "bai"}, "due.reminded", "application/"+first.ID, "2026-11-25", policy.Text{ZH: "即将到期", EN: "It is due soon"})
		return err
	}))
	deliver(t, w)
	if _, bodies, bad = r.seen(); bad != 0 || len(bodies) != 5 || !strings.Contains(bodies[4], "due.reminded") || !strings.Contains(bodies[4], "2026-11-25") {
		t.Errorf("a reminder reaches the institution as %v", bodies[4:])
	}
	r.answers(http.StatusGone)
	w.Reviewed("li", apptest.Research())
	deliver(t, w)
	if list, err = w.Notices.Hooks(ctx, w.As("shi")); err != nil || len(list) != 0 {
		t.Errorf("after 410 there is %+v, %v", list, err)
	}
	if _, err := w.Notices.RemoveHook(ctx, w.As("shi"), h.ID); !problem.Is(err, problem.NotFound) {
		t.Errorf("a webhook that ended was removed: %v", err)
	}
}

func TestWebhookAddresses(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	for _, bad := range []string{"", "http://example.org/x", "ftp://example.org", "https://user:pass@example.org", "https://", "file:///etc/passwd", "https://a.example/#x",
		"https://" + strings.Repeat("a", 600) + ".example", "://"} {
		if _, err := w.Notices.AddHook(context.Background(), w.As("shi"), "jinhe-university", bad); !problem.Is(err, problem.Invalid) {
			t.Errorf("%q is a webhook: %v", bad, err)
		}
	}
}

// A webhook reaches neither this machine nor what only this machine's link reaches, whatever its name resolves to.
func TestHookClientStaysOutside(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	for _, where := range []string{s.URL, strings.Replace(s.URL, "127.0.0.1", "localhost", 1), "http://169.254.169.254/latest", "http://[fe80::1]/", "http://0.0.0.0:1/"} {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, where, nil)
		ok(t, err)
		res, err := notice.HookClient(false).Do(req)
		if err == nil {
			_ = res.Body.Close()
			t.Errorf("%s was called", where)
		}
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, s.URL, nil)
	ok(t, err)
	res, err := notice.HookClient(true).Do(req)
	ok(t, err)
	ok(t, res.Body.Close())
}

func TestMailServers(t *testing.T) {
	t.Parallel()
	for _, bad := range []string{"", "localhost:25", "http://localhost", "smtp://user:pass@localhost", "smtp://"} {
		if _, err := notice.NewSMTP(bad, "a@b.example", "", ""); err == nil {
			t.Errorf("%q is a mail server", bad)
		}
	}
	if _, err := notice.NewSMTP("smtp://localhost", "nobody", "", ""); err == nil {
		t.Error("a sender without an address")
	}
}
