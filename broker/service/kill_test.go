//go:build unix

package service_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/audit/verify"
	"carrel/broker/job"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
)

const (
	serveDir     = "CARREL_SERVICE_TEST_SERVE" // the data directory; a process without it is no child
	serveSandbox = "CARREL_SERVICE_TEST_SANDBOX"
)

// TestServeChild serves a data directory until it is killed.
func TestServeChild(t *testing.T) { //nolint:paralleltest // a process of its own
	dir := os.Getenv(serveDir)
	if dir == "" {
		t.Skip("runs as a child of TestKilledService")
	}
	s, err := service.Open(context.Background(), service.Config{Data: dir, Sandbox: os.Getenv(serveSandbox), Logger: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	servicetest.Must(t, err)
	l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
	servicetest.Must(t, err)
	fmt.Println("serving http://" + l.Addr().String())
	servicetest.Must(t, s.Serve(context.Background(), l))
}

// TestKilledService kills a serving process at random moments under load. After each time: the log verifies with the independent
// checker as the dead process left it, the books agree, what had started is forfeited, and every answer that a client has in hand is
// on record byte for byte.
func TestKilledService(t *testing.T) {
	t.Parallel()
	k := &killed{city: moulds.Copy(t, t.TempDir()), key: logKey(t)}
	forfeited, answers := 0, 0
	for round := range killRounds {
		k.run(t, time.Duration(rand.IntN(400_000))*time.Microsecond) // at least one answer, then anywhere
		k.verify(t)
		s, err := service.Open(t.Context(), k.city.Config)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		k.city.Service = s
		forfeited = k.compare(t)
		answers += len(k.answers)
		k.answers = nil
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Fatalf("in round %d", round)
		}
	}
	t.Logf("%d rounds, %d answers in clients' hands, %d reservations forfeited", killRounds, answers, forfeited)
	if answers < killRounds {
		t.Error("the test saw little")
	}
}

type killed struct {
	city *servicetest.City
	key  string       // of the log
	next atomic.Int64 // every question is another one

	mu      sync.Mutex
	answers []received
}

// received is an answer in a client's hand.
type received struct {
	ask    job.Ask
	id     string
	result json.RawMessage
	index  int64
}

// run serves, asks from four clients and kills the process a while after the first answer.
func (k *killed) run(t *testing.T, after time.Duration) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestServeChild$", "-test.v")
	cmd.Env = append(os.Environ(), serveDir+"="+k.city.Config.Data, serveSandbox+"="+k.city.Config.Sandbox)
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.StdoutPipe()
	servicetest.Must(t, err)
	servicetest.Must(t, cmd.Start())
	base := ""
	for lines := bufio.NewScanner(out); base == "" && lines.Scan(); {
		if at, ok := strings.CutPrefix(lines.Text(), "serving "); ok {
			base = at + "/api/v1"
		}
	}
	if base == "" {
		_ = cmd.Wait()
		t.Fatalf("the service did not start: %s", words.String())
	}
	var session struct{ Token string }
	servicetest.Must(t, post(base+"/login", "", map[string]string{"account": "li", "password": k.city.Passwords["li"]}, &session))
	first := make(chan struct{})
	var once sync.Once
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for k.ask(base, session.Token) == nil {
				once.Do(func() { close(first) })
			}
		})
	}
	select {
	case <-first:
	case <-time.After(30 * time.Second):
		t.Error("no answer")
	}
	timer := time.NewTimer(after)
	<-timer.C
	servicetest.Must(t, cmd.Process.Kill())
	wait.Wait()
	_ = cmd.Wait() // it was killed
}

func (k *killed) ask(base, token string) error {
	ask := job.Ask{Grant: k.city.Grant, SQL: question, Epsilon: 0.05 * (1 + 1e-5*float64(k.next.Add(1)))}
	var got struct {
		ID     string          `json:"id"`
		Result json.RawMessage `json:"result"`
		Audit  int64           `json:"audit"`
	}
	if err := post(base+"/query", token, ask, &got); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.answers = append(k.answers, received{ask, got.ID, got.Result, got.Audit})
	return nil
}

func post(url, token string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("status %d", resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(out)
}

// verify runs the independent checker over the files exactly as the dead process left them.
func (k *killed) verify(t *testing.T) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy")
	servicetest.Must(t, os.MkdirAll(copied, 0o700))
	files, err := filepath.Glob(filepath.Join(k.city.Config.Data, "carrel.db*"))
	servicetest.Must(t, err)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err := errors.Join(err, os.WriteFile(filepath.Join(copied, filepath.Base(f)), raw, 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	seen, err := verify.LoadCheckpoints(k.city.Config.Data + "-checkpoints")
	servicetest.Must(t, err)
	r, err := verify.Verify(t.Context(), verify.Options{DB: copied, Checkpoints: seen, Key: k.key})
	if err != nil || !r.Verified || len(seen) == 0 {
		t.Errorf("the log after the kill: %+v, %v, %d heads", r, err, len(seen))
	}
}

// logKey is the log's public key, the same in every copy of the city.
func logKey(t *testing.T) string {
	t.Helper()
	c := moulds.City(t)
	head, err := c.Service.Records.Checkpoint(t.Context())
	servicetest.Must(t, err)
	servicetest.Must(t, c.Close())
	return head.Key
}

// compare looks at the opened service: books, forfeits, and the answers that clients hold.
func (k *killed) compare(t *testing.T) int {
	t.Helper()
	k.city.Check(t)
	if n := len(k.city.Records(t, ledger.StateStarted)); n != 0 {
		t.Errorf("%d reservations are still started", n)
	}
	lost := k.city.Records(t, ledger.StateForfeited)
	for _, r := range lost {
		if r.Why != ledger.WhyCrash || len(r.Result) != 0 {
			t.Errorf("%s is forfeited for %q", r.ID, r.Why)
		}
	}
	if a := k.city.Account(t, "grant/"+k.city.Grant); a.Faults != 0 || a.Frozen {
		t.Error("a crash of the broker counts as a fault of the grant")
	}
	li := k.city.Who(t, "li")
	for _, have := range k.answers {
		again, err := k.city.Jobs.Query(t.Context(), li, have.ask)
		if err != nil {
			t.Errorf("%s: %v", have.id, err)
			continue
		}
		result, err := json.Marshal(again.Result)
		servicetest.Must(t, err)
		if !again.FromRecord || again.ID != have.id || again.Audit != have.index || !bytes.Equal(result, have.result) {
			t.Errorf("%s: from record %v, as %s, entry %d and %d, same bytes %v", have.id, again.FromRecord, again.ID, have.index, again.Audit, bytes.Equal(result, have.result))
		}
	}
	return len(lost)
}
