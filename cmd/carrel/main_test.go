package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"carrel/broker/auth"
	"carrel/broker/service"
)

// TestMain lets the scripts under testdata run this very binary as `carrel`, and takes the shared city down at the end.
func TestMain(m *testing.M) {
	testscript.Main(afterwards{m}, map[string]func(){itself: func() {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Environ())
		stop()
		os.Exit(code)
	}})
}

// itself is the name under which the test binary runs as the command line.
const itself = "carrel-itself"

type afterwards struct{ m *testing.M }

func (a afterwards) Run() int {
	code := a.m.Run()
	if err := shared.close(); err != nil {
		_, _ = os.Stderr.WriteString("take the city down: " + err.Error() + "\n")
		return 1
	}
	return code
}

// city is a demo site after its journey, with its service running again on a loopback port: what `make serve` gives.
type city struct {
	site
	server   string
	sessions sessions // of every account, and one of "late" that is over
	password map[string]string
	output   string // of the journey
	// tables is a small city's source, for builds.
	tables string
	stop   func() error
}

// persons gives k >= 5 in the registry's package, below that the journey is refused its handover (as it should be).
const persons = "100000"

// once makes the city at the first test that needs it.
type once struct {
	made sync.Once
	city *city
	err  error
}

var shared once

// theCity is the shared city; the test is skipped where the sandbox is not built.
func theCity(t *testing.T) *city {
	t.Helper()
	binary := sandboxBinary(t)
	shared.made.Do(func() { shared.city, shared.err = foundCity(binary) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.city
}

func (o *once) close() error {
	if o.city == nil {
		return nil
	}
	return errors.Join(o.city.stop(), os.RemoveAll(filepath.Dir(o.city.root)))
}

func sandboxBinary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("CARREL_SANDBOX")
	if binary == "" {
		binary = filepath.Join(moduleRoot(t), "bin", "carrel-sandbox")
	}
	if _, err := os.Stat(binary); err != nil {
		if os.Getenv("CARREL_DATA") == "required" {
			t.Fatal("carrel-sandbox is not built: run `make build`")
		}
		t.Skip("carrel-sandbox is not built: run `make build`")
	}
	return binary
}

func foundCity(binary string) (*city, error) {
	root, err := os.MkdirTemp("", "carrel-city")
	if err != nil {
		return nil, err
	}
	c := &city{site: site{filepath.Join(root, "demo")}, tables: filepath.Join(root, "tables"), password: map[string]string{}, stop: func() error { return nil }}
	ctx := context.Background()
	for _, args := range [][]string{
		{"demo", "run", "--dir", c.root, "--persons", persons, "--seed", "1", "--sandbox", binary, "--lang", "en"},
		{"demo", "generate", "--out", c.tables, "--persons", "1000", "--seed", "3", "--lang", "en"},
	} {
		var out, errs strings.Builder
		if code := run(ctx, args, streams{in: strings.NewReader(""), out: &out, err: &errs}, nil); code != 0 {
			return c, errors.New("the journey ended: " + errs.String())
		}
		c.output += out.String()
	}
	return c, c.open(ctx, binary)
}

// open starts the service again and logs everybody in.
func (c *city) open(ctx context.Context, binary string) error {
	s, err := service.Open(ctx, service.Config{Data: c.data(), Sandbox: binary})
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	serving, cancel := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(serving, l) }()
	c.server = "http://" + l.Addr().String()
	c.stop = func() error { cancel(); return errors.Join(<-ended, s.Close()) }
	return c.logIn(ctx, s)
}

func (c *city) logIn(ctx context.Context, s *service.Service) error {
	raw, err := os.ReadFile(loginsFile(c.data()))
	if err != nil {
		return err
	}
	c.sessions = sessions{Current: "li", By: map[string]session{}}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		c.password[f[0]] = f[1]
		in, err := s.Issuer.Login(ctx, f[0], auth.Secret(f[1]))
		if err != nil {
			return err
		}
		c.sessions.By[f[0]] = session{Server: c.server, Account: f[0], Token: in.Token.Reveal(), Expires: in.Expires}
	}
	yesterday := func() time.Time { return time.Now().Add(-24 * time.Hour) }
	past, err := auth.NewIssuer("carrel.example/jinhe", service.Audience, s.Keys, s.Directory, yesterday)
	if err != nil {
		return err
	}
	in, err := past.Login(ctx, "li", auth.Secret(c.password["li"]))
	if err != nil {
		return err
	}
	c.sessions.By["late"] = session{Server: c.server, Account: "li", Token: in.Token.Reveal(), Expires: in.Expires}
	return nil
}
