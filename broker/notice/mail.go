package notice

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"carrel/broker/store"
	"carrel/policy"
)

const mailTimeout = 30 * time.Second

func destination(to string) (kind, id string, err error) {
	kind, id, ok := strings.Cut(to, "/")
	if !ok || id == "" {
		return "", "", errors.New("notice: a message without a destination")
	}
	return kind, id, nil
}

// mail writes and sends the e-mail of a notice or of a code. When the address is gone since, or is no longer confirmed, there is
// nothing to send.
func (s *Service) mail(ctx context.Context, kind, account string, p post) error {
	var address string
	ch := new(Channel)
	err := s.desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		if ch, _, err = s.channel(ctx, tx, account); err != nil {
			return err
		}
		address, err = s.address(ctx, tx, ch)
		return err
	})
	if err != nil {
		return err
	}
	if address == "" || kind == "mail" && !ch.Confirmed || kind == "code" && ch.Confirmed {
		return nil
	}
	subject, body := s.letter(p)
	if kind == "code" {
		subject = "Carrel 确认码 / code"
		body = "确认码: " + s.code(ch) + "\nYour code: " + s.code(ch) + "\n"
	}
	return s.c.Mailer.Send(ctx, Mail{ID: p.ID, To: address, Subject: subject, Body: body})
}

// letter is what an e-mail says: the kind of step in two languages, the thing's number, its date. Nothing that a person wrote.
func (s *Service) letter(p post) (subject, body string) {
	_, number, _ := strings.Cut(p.Notice.Object, "/")
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n\n编号 / number: %s\n", p.Notice.Text.ZH, p.Notice.Text.EN, number)
	switch due := p.Notice.Due; {
	case due == "":
	case due < policy.DateOf(s.desk.Now()):
		fmt.Fprintf(&b, "期限 / due: %s（已逾期 / overdue）\n", due)
	default:
		fmt.Fprintf(&b, "期限 / due: %s\n", due)
	}
	b.WriteString("\n本邮件由系统自动发送，请登录后查看、办理。\nSent automatically; log in to read and to act.\n")
	if s.c.BaseURL != "" {
		b.WriteString(strings.TrimRight(s.c.BaseURL, "/") + "/notices\n")
	}
	return "Carrel: " + p.Notice.Text.ZH + " / " + p.Notice.Text.EN, b.String()
}

// SMTP sends through a mail server (RFC 5321).
type SMTP struct {
	client *gomail.Client
	from   string
}

var _ Mailer = (*SMTP)(nil)

// NewSMTP takes smtp://host:port, where STARTTLS is required but on the same machine, or smtps://host:port; user and password
// come apart, from a file, and "" is none.
func NewSMTP(where, from, user, password string) (*SMTP, error) {
	u, err := url.Parse(where)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return nil, errors.New("the mail server is smtp://host:port or smtps://host:port, without a password in it")
	}
	options := []gomail.Option{gomail.WithTimeout(mailTimeout), gomail.WithTLSPolicy(gomail.TLSMandatory)}
	if local(u.Hostname()) {
		options = append(options, gomail.WithTLSPolicy(gomail.TLSOpportunistic))
	}
	if u.Scheme == "smtps" {
		options = append(options, gomail.WithSSL())
	}
	if u.Port() != "" {
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, errors.New("the mail server's port is no number")
		}
		options = append(options, gomail.WithPort(port))
	}
	if user != "" {
		options = append(options, gomail.WithSMTPAuth(gomail.SMTPAuthAutoDiscover), gomail.WithUsername(user), gomail.WithPassword(password))
	}
	client, err := gomail.NewClient(u.Hostname(), options...)
	if err != nil {
		return nil, fmt.Errorf("mail server: %w", err)
	}
	if err := gomail.NewMsg().From(from); err != nil {
		return nil, errors.New("the sender's address is no address")
	}
	return &SMTP{client: client, from: from}, nil
}

func local(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Send sends one message. What the server said is not in the error: it may name the address.
func (m *SMTP) Send(ctx context.Context, mail Mail) error {
	msg := gomail.NewMsg()
	if err := errors.Join(msg.From(m.from), msg.To(mail.To)); err != nil {
		return errRefused
	}
	msg.SetMessageIDWithValue(mail.ID + "@carrel")
	msg.SetGenHeader(gomail.Header("Auto-Submitted"), "auto-generated") // RFC 3834: no machine answers
	msg.Subject(mail.Subject)
	msg.SetBodyString(gomail.TypeTextPlain, mail.Body)
	err := m.client.DialAndSendWithContext(ctx, msg)
	var se *gomail.SendError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &se) && !se.IsTemp():
		return errRefused
	case errors.Is(err, context.DeadlineExceeded):
		return context.DeadlineExceeded
	}
	return errors.New("the mail server did not take it")
}
