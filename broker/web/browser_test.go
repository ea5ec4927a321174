package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/broker/auth"
	"carrel/broker/handover/parcel"
	"carrel/broker/jinhe"
	"carrel/broker/service"
)

// The test's city: large enough, and of a seed, that the smallest class of the registry has five persons.
const (
	browserPersons = 60_000
	browserSeed    = 3
)

// missing skips, or fails where every tool is promised to be there (CARREL_DATA=required).
func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CARREL_DATA") == "required" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// tools finds what the browser test needs and says what is not there.
func tools(t *testing.T) (node, chromium, sandbox string) {
	t.Helper()
	var err error
	if node, err = exec.LookPath("node"); err != nil {
		missing(t, "node is not installed: run `make setup`")
	}
	if chromium, err = exec.LookPath("chromium"); err != nil {
		missing(t, "chromium is not installed: run `make setup`")
	}
	if _, err := os.Stat("node_modules/playwright-core"); err != nil {
		missing(t, "playwright-core is not installed: run `make setup`")
	}
	if sandbox = os.Getenv("CARREL_SANDBOX"); sandbox == "" {
		sandbox, _ = filepath.Abs("../../bin/carrel-sandbox")
	}
	if _, err := os.Stat(sandbox); err != nil {
		missing(t, "carrel-sandbox is not built: run `make build`")
	}
	return node, chromium, sandbox
}

// site is a running service on a small city.
type site struct {
	base      string
	passwords map[string]string
	receiver  *parcel.ReceiverKey
	keys      parcel.Keys
}

// openCity makes the city, both extracts and the centre's key, and serves it until the test ends.
func openCity(t *testing.T, sandbox string) site {
	t.Helper()
	ctx := t.Context()
	root := t.TempDir()
	source, data := filepath.Join(root, "source"), filepath.Join(root, "data")
	ok(t, jinhe.Generate(ctx, jinhe.Options{Persons: browserPersons, Seed: browserSeed, Dir: source}))
	var names []string
	for name, src := range map[string][]byte{jinhe.QueryRecipeFile: jinhe.QueryRecipeYAML(), jinhe.HandoverRecipeFile: jinhe.HandoverRecipeYAML()} {
		r, err := deid.ParseRecipe(name, src)
		ok(t, err)
		names = append(names, r.Keys()...)
	}
	logins, err := service.Init(data, names...)
	ok(t, err)
	out := site{passwords: map[string]string{}}
	for _, l := range logins {
		out.passwords[l.Account] = l.Password.Reveal()
	}
	s, err := service.Open(ctx, service.Config{Data: data, Sandbox: sandbox, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	ok(t, err)
	fill(t, s, source)
	out.receiver, err = parcel.NewReceiverKey("jinhe-qc-centre")
	ok(t, err)
	ok(t, s.Receivers.Enrol(ctx, person(t, s, "shi"), out.receiver.Public()))
	set, err := s.Keys.KeySet()
	ok(t, err)
	raw, err := json.Marshal(set)
	ok(t, err)
	out.keys, err = auth.ParseKeySet(raw)
	ok(t, err)
	out.base = serve(t, s)
	return out
}

func fill(t *testing.T, s *service.Service, source string) {
	t.Helper()
	steward := person(t, s, "wu")
	for _, x := range []struct {
		entry, recipe string
		yaml, steps   []byte
	}{
		{jinhe.DatasetFile, jinhe.QueryRecipeFile, jinhe.DatasetYAML(), jinhe.QueryRecipeYAML()},
		{jinhe.RegistryFile, jinhe.HandoverRecipeFile, jinhe.RegistryYAML(), jinhe.HandoverRecipeYAML()},
	} {
		_, err := s.Holdings.Register(t.Context(), steward, x.entry, x.yaml)
		ok(t, err)
		m, _, err := s.Build(t.Context(), steward, x.recipe, x.steps, source, nil)
		ok(t, err)
		ok(t, s.Holdings.Signed(t.Context(), steward, person(t, s, "zhou"), m.Dataset))
	}
}

func person(t *testing.T, s *service.Service, account string) auth.Identity {
	t.Helper()
	id, found := s.Directory.Identity(account)
	if !found {
		t.Fatalf("no account %s", account)
	}
	return id
}

func serve(t *testing.T, s *service.Service) string {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	ok(t, err)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ended, s.Close()); err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// centre is the machine of the QC centre: it verifies a package offline and gives its countersignature.
func centre(t *testing.T, s site) string {
	t.Helper()
	h := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(io.LimitReader(r.Body, 64<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		report, err := parcel.Verify(bytes.NewReader(raw), s.keys, s.receiver, time.Now())
		if err != nil || !report.Opened {
			http.Error(w, "the package does not verify", http.StatusUnprocessableEntity)
			return
		}
		_, _ = io.WriteString(w, s.receiver.Acknowledge(report.Cover.ID, report.Cover.Manifest))
	}))
	t.Cleanup(h.Close)
	return h.URL
}

// TestBrowserJourney walks the whole journey in a real browser, in Chinese and then in English: apply, four reviews, decision, two
// signatures, ask, a refused question; a QC package to its receipt; the auditor's trace. No page may log an error or break its own
// content security policy. CARREL_SHOTS keeps the screenshots in a directory.
func TestBrowserJourney(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("the race detector's run walks without a browser")
	}
	node, chromium, sandbox := tools(t)
	start := time.Now()
	s := openCity(t, sandbox)
	t.Logf("city of %d after %s", browserPersons, time.Since(start).Round(time.Millisecond))
	shots, every := os.Getenv("CARREL_SHOTS"), true
	if shots == "" {
		every = false
		var err error
		shots, err = os.MkdirTemp("", "carrel-shots-")
		ok(t, err)
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("screenshots are in %s", shots)
				return
			}
			_ = os.RemoveAll(shots)
		})
	}
	plan, err := json.Marshal(map[string]any{
		"base": s.base, "centre": centre(t, s), "passwords": s.passwords, "shots": shots, "every": every, "chromium": chromium, "registry": jinhe.Registry,
		"columns": jinhe.HandoverColumns(),
	})
	ok(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, node, "journey.mjs")
	cmd.Stdin = bytes.NewReader(plan) // not in the environment: it holds passwords
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("journey after %s\n%s", time.Since(start).Round(time.Millisecond), out)
}

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
