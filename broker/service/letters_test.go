package service_test

import (
	"bytes"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"carrel/broker/notice"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

// postOffice is a real SMTP server that keeps what it is given.
type postOffice struct {
	addr string

	mu      sync.Mutex
	letters map[string][]string // by address, as a person reads them: subject, empty line, body
}

func openPost(t *testing.T) *postOffice {
	t.Helper()
	p := &postOffice{letters: map[string][]string{}}
	s := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &slot{post: p}, nil }))
	s.Domain = "localhost"
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	servicetest.Must(t, err)
	p.addr = l.Addr().String()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(l) }()
	t.Cleanup(func() {
		_ = s.Close()
		<-ended
	})
	return p
}

// slot is where one letter is handed in.
type slot struct {
	post *postOffice
	to   string
}

func (s *slot) Mail(string, *smtp.MailOptions) error      { return nil }
func (s *slot) Rcpt(to string, _ *smtp.RcptOptions) error { s.to = to; return nil }
func (s *slot) Reset()                                    {}
func (s *slot) Logout() error                             { return nil }
func (s *slot) Data(r io.Reader) error {
	m, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body := m.Body
	if m.Header.Get("Content-Transfer-Encoding") == "quoted-printable" {
		body = quotedprintable.NewReader(m.Body)
	}
	text, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.post.letters[s.to] = append(s.post.letters[s.to], subject+"\n\n"+string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n"))))
	return err
}

func (p *postOffice) got(to string) []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.letters[to])
}

// last is the newest letter to an address, of so many.
func (s *story) last(p *postOffice, to string, want int) string {
	s.t.Helper()
	got := p.got(to)
	if len(got) != want {
		s.t.Fatalf("%d letters to %s, want %d: %q", len(got), to, want, got)
	}
	return got[want-1]
}

// Guard: a reviewer is reminded by a letter before the day, and the authority hears by one when it is long over, because the service looks by itself every
// hour: nobody asks it to. A letter says in both languages what is due by when and where to look, and nothing of anybody.
func TestStoryLetters(t *testing.T) {
	t.Parallel()
	p := openPost(t)
	inBothLanguages(t, func(s *story) {
		reviewer, authority := s.lang+"-ethics@jinhe.example", s.lang+"-authority@jinhe.example"
		for who, address := range map[string]string{"chen": reviewer, "zhou": authority} {
			s.must(who, http.MethodPut, "/notices/channel", obj{"mail": address})
			s.strikes()
			code := regexp.MustCompile(`\b[0-9]{8}\b`).FindString(s.last(p, address, 1))
			s.does(who, "/notices/channel/confirm", obj{"code": code})
		}
		draft := s.jointDraft()
		draft["facts"].(obj)["wishes"] = []obj{{"dataset": "jinhe", "columns": []string{"person.*", "cv_event.*"}}}
		app := str(s.does("li", "/applications", draft), "id")
		at := "/applications/" + app
		s.ethical("li", at, draft)
		s.does("li", at+"/submit", obj{})
		due := str(s.sees("zhou", at), "clock", "due")
		s.strikes()
		before := len(p.got(reviewer))

		s.until(due, -2)
		reminder := s.last(p, reviewer, before+1)
		s.until(due, 9)
		escalation := s.last(p, authority, 2)
		for letter, words := range map[string][]string{reminder: {"Carrel: 审查即将或已经到期 / a review is due or overdue\n"}, escalation: {"审查即将或已经到期", "（已逾期 / overdue）"}} {
			s.t.Logf("%s", letter)
			for _, w := range append(words, app, due, "https://carrel.jinhe.example/notices") {
				if !strings.Contains(letter, w) {
					s.t.Errorf("the letter lacks %q", w)
				}
			}
			for _, w := range []string{"李明", "Li Ming", "陈静", "Chen Jing", "jinhe-university", str(draft, "texts", "title"), str(draft, "texts", "reason")} {
				if w == "" || strings.Contains(letter, w) {
					s.t.Errorf("the letter holds %q", w)
				}
			}
		}
		if status, _ := s.call("chen", http.MethodGet, at, nil); status != http.StatusOK {
			s.t.Errorf("what the letter is about cannot be opened: %d", status)
		}
	}, func(c *service.Config) {
		var err error
		c.Mail, err = notice.NewSMTP("smtp://"+p.addr, "carrel@jinhe.example", "", "")
		servicetest.Must(t, err)
		c.BaseURL = "https://carrel.jinhe.example"
	})
}
