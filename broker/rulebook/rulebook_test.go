package rulebook_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"carrel/broker/application/apptest"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/problem"
	"carrel/broker/rulebook"
	"carrel/broker/store"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

// house is a world whose rules can be changed.
type house struct {
	*apptest.World
	t       *testing.T
	rules   *rulebook.Service
	live    *opa.Live
	private []byte
	record  *opa.Recorder
}

func open(t *testing.T) *house {
	t.Helper()
	h := &house{World: apptest.New(t), t: t}
	private, public := keyPair(t)
	h.private = private
	var err error
	if h.record, err = opa.OpenRecorder(t.TempDir(), 30, time.Now, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	d, err := opa.New(policies.FS(), opa.WithLog(h.record.Record))
	if err != nil {
		t.Fatal(err)
	}
	h.live = opa.NewLive(d)
	desk := h.Desk
	desk.Policy = h.live
	if h.rules, err = rulebook.New(rulebook.Config{
		Desk: desk, Live: h.live, BuiltIn: policies.FS(), Key: func() ([]byte, error) { return public, nil }, Decisions: h.record,
		Options: []opa.Option{opa.WithLog(h.record.Record)},
	}); err != nil {
		t.Fatal(err)
	}
	return h
}

func keyPair(t *testing.T) (private, public []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: pub})
}

func (h *house) who(account string) auth.Identity {
	h.t.Helper()
	id, ok := h.Directory.Identity(account)
	if !ok {
		h.t.Fatal("no account ", account)
	}
	return id
}

// bundle packs the built-in rules with changes of their files: old text, new text.
func (h *house) bundle(version, name, old, by string) []byte {
	h.t.Helper()
	dir := fstest.MapFS{}
	err := fs.WalkDir(policies.FS(), ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		body, err := fs.ReadFile(policies.FS(), path)
		dir[path] = &fstest.MapFile{Data: body}
		return err
	})
	if err != nil {
		h.t.Fatal(err)
	}
	body := ""
	if dir[name] != nil {
		body = string(dir[name].Data)
	}
	if !strings.Contains(body, old) {
		h.t.Fatalf("no %q in %s", old, name)
	}
	dir[name] = &fstest.MapFile{Data: []byte(strings.Replace(body, old, by, 1))}
	var out bytes.Buffer
	if _, err := opa.WriteBundle(&out, dir, version, h.private); err != nil {
		h.t.Fatal(err)
	}
	return out.Bytes()
}

// stricter lets no grant be read by its owner's steward any more: a route is closed.
func (h *house) stricter(version string) []byte {
	return h.bundle(version, "routes.json", `"GET /healthz": "health.read",`, `"GET /healthz": "nobody.`+version+`",`)
}

// knock asks for the health of the service, which everybody may until the stricter rules decide.
func (h *house) knock() bool {
	h.t.Helper()
	dec, err := h.live.Decide(h.t.Context(), policy.RouteQuestion{At: policy.At(h.Clock.Now()), Route: "GET /healthz"})
	if err != nil {
		h.t.Fatal(err)
	}
	return dec.Allow
}

func (h *house) denied(err error, rules ...string) {
	h.t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) || p.Decision == nil {
		h.t.Fatalf("no denial: %v", err)
	}
	var got []string
	for _, r := range p.Decision.Reasons {
		got = append(got, r.Rule)
	}
	if slices.Sort(got); !slices.Equal(got, rules) {
		h.t.Fatalf("denied by %v, want %v", got, rules)
	}
}

func (h *house) last(kind string) audit.Entry {
	h.t.Helper()
	for _, e := range slices.Backward(h.Entries()) {
		if e.Kind == kind {
			return e
		}
	}
	h.t.Fatalf("no entry of %s", kind)
	return audit.Entry{}
}

// TestTwoPeopleChangeTheRules: one proposes and sees what would differ, another one puts it into force at once, and the former rules
// come back the same way. The log names both sets.
func TestTwoPeopleChangeTheRules(t *testing.T) {
	t.Parallel()
	h := open(t)
	for range 3 {
		if !h.knock() {
			t.Fatal("the rules of today close the route")
		}
	}
	old := h.live.Bundle()
	raw := h.stricter("2027.1")
	_, err := h.rules.Propose(t.Context(), h.who("zhou"), raw)
	h.denied(err, "sichuan-17/post")
	p, err := h.rules.Propose(t.Context(), h.who("shi"), raw)
	if err != nil {
		t.Fatal(err)
	}
	if p.State != "proposed" || p.Report.Denied != 3 || p.Report.Failed+p.Report.Altered != 0 || p.Partial || !slices.ContainsFunc(p.Report.By, func(d opa.Difference) bool { return d.Rule == "state47-safe/named" && d.Denied == 3 }) {
		t.Errorf("proposed %+v", p)
	}
	if h.live.Bundle() != old || !h.knock() {
		t.Error("a proposal decides")
	}
	_, err = h.rules.Activate(t.Context(), h.who("shi"), p.ID)
	h.denied(err, "sichuan-17/post", "sichuan-27/other-hand", "sichuan-27/other-post")
	if _, err = h.rules.Activate(t.Context(), h.who("zhou"), "ru-nosuch"); !problem.Is(err, problem.NotFound) {
		t.Errorf("nothing was activated: %v", err)
	}
	if p, err = h.rules.Activate(t.Context(), h.who("zhou"), p.ID); err != nil || p.State != "active" {
		t.Fatal(p, err)
	}
	if h.live.Bundle() != p.Bundle || p.Bundle == old || h.knock() {
		t.Error("the new rules do not decide")
	}
	if e := h.last("rules.activated"); e.Facts["from"] != old || e.Facts["to"] != p.Bundle || e.Policy != old || e.Actor != "zhou" || e.Facts["denied"] != "3" {
		t.Errorf("entry %+v", e)
	}
	if kept, err := rulebook.Active(t.Context(), h.Store); err != nil || !bytes.Equal(kept, raw) {
		t.Errorf("the next start has %d bytes, %v", len(kept), err)
	}
	if _, err = h.rules.Activate(t.Context(), h.who("zhou"), p.ID); err == nil {
		t.Error("activated twice")
	}
	for _, first := range []string{"", "zhou"} { // alone he does not bring them back, whether or not he looked first
		if first != "" {
			if _, err := h.rules.Replay(t.Context(), h.who(first), rulebook.BuiltIn); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := h.rules.Activate(t.Context(), h.who("zhou"), rulebook.BuiltIn); !problem.Is(err, problem.Forbidden) || h.live.Bundle() != p.Bundle {
			t.Fatalf("former rules by one person: %v", err)
		}
	}
	recall := func(number string) {
		t.Helper()
		if r, err := h.rules.Replay(t.Context(), h.who("shi"), number); err != nil || r.Compared != h.live.Bundle() || r.State != "former" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	recall(rulebook.BuiltIn)
	if b, err := h.rules.Activate(t.Context(), h.who("zhou"), rulebook.BuiltIn); err != nil || b.Bundle != old || h.live.Bundle() != old || !h.knock() {
		t.Fatalf("the former rules: %+v, %v", b, err)
	}
	if kept, err := rulebook.Active(t.Context(), h.Store); err != nil || kept != nil {
		t.Errorf("the next start has %d bytes, %v", len(kept), err)
	}
	if _, err := h.rules.Activate(t.Context(), h.who("zhou"), p.ID); !problem.Is(err, problem.Forbidden) {
		t.Errorf("what was compared before it decided brings it back: %v", err)
	}
	recall(p.ID)
	if back, err := h.rules.Activate(t.Context(), h.who("zhou"), p.ID); err != nil || h.live.Bundle() != back.Bundle || h.knock() {
		t.Errorf("once more: %+v, %v", back, err)
	}
	list, err := h.rules.List(t.Context(), h.who("yan"), "")
	if err != nil || len(list) != 2 {
		t.Errorf("%+v, %v", list, err)
	}
	_, err = h.rules.List(t.Context(), h.who("li"), "")
	h.denied(err, "sichuan-17/post")
}

// TestWhatDiffersIsSeenBesideTheRulesOfToday: a comparison with rules that decide no more counts for nothing; withdrawn is withdrawn.
func TestWhatDiffersIsSeenBesideTheRulesOfToday(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.knock()
	first, err := h.rules.Propose(t.Context(), h.who("shi"), h.stricter("2027.1"))
	if err != nil {
		t.Fatal(err)
	}
	second, err := h.rules.Propose(t.Context(), h.who("shi"), h.stricter("2027.2"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = h.rules.Activate(t.Context(), h.who("zhou"), first.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.rules.Activate(t.Context(), h.who("zhou"), second.ID)
	h.denied(err, "sichuan-7/replayed")
	if second, err = h.rules.Replay(t.Context(), h.who("zhou"), second.ID); err != nil || second.Compared != first.Bundle || second.State != "proposed" {
		t.Fatal(second, err)
	}
	if _, err = h.rules.Withdraw(t.Context(), h.who("shi"), second.ID); err != nil {
		t.Fatal(err)
	}
	_, err = h.rules.Activate(t.Context(), h.who("zhou"), second.ID)
	h.denied(err, "sichuan-36/step")
	if h.live.Bundle() != first.Bundle {
		t.Error("other rules decide")
	}
}

// TestBadBundlesChangeNothing: one sentence each; the log, the store and the rules in force stay as they are.
func TestBadBundlesChangeNothing(t *testing.T) {
	t.Parallel()
	h := open(t)
	other, _ := keyPair(t)
	good := h.stricter("2027.1")
	private := h.private
	h.private = other
	stranger := h.stricter("2027.1")
	h.private = private
	var same bytes.Buffer
	if _, err := opa.WriteBundle(&same, policies.FS(), "2027.1", private); err != nil {
		t.Fatal(err)
	}
	entries, old := len(h.Entries()), h.live.Bundle()
	for name, c := range map[string]struct {
		raw  []byte
		code problem.Code
	}{
		"no archive":        {[]byte("rules"), problem.Unverified},
		"cut":               {good[:len(good)-100], problem.Unverified},
		"signed by another": {stranger, problem.Unverified},
		"too large":         {make([]byte, rulebook.MaxBundle+1), problem.TooLarge},
		"lacks a decision":  {h.bundle("2027.1", "query.rego", "package carrel.query", "package carrel.question"), problem.Unverified},
		"the same rules":    {same.Bytes(), problem.Conflict},
	} {
		var p *problem.Error
		if _, err := h.rules.Propose(t.Context(), h.who("shi"), c.raw); !errors.As(err, &p) || p.Code != c.code || p.Text.ZH == "" || p.Text.EN == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	list, err := h.rules.List(t.Context(), h.who("shi"), "")
	if err != nil || len(list) != 1 || len(h.Entries()) != entries+1 || h.live.Bundle() != old || !h.knock() {
		t.Errorf("%d sets of rules, %d entries more, %v", len(list), len(h.Entries())-entries, err)
	}
}

// TestAlteredInTheStore: rules that lie in the store are believed no more than those that come in.
func TestAlteredInTheStore(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, err := h.rules.Propose(t.Context(), h.who("shi"), h.stricter("2027.1"))
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Raw []byte `json:"raw"`
	}
	err = h.Store.Update(t.Context(), func(tx *store.Tx) error {
		rev, err := tx.Get(t.Context(), "rules-bundle", p.File, &doc)
		if err != nil {
			return err
		}
		doc.Raw = h.stricter("2027.9")
		return tx.Put(t.Context(), "rules-bundle", p.File, rev, store.Index{}, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	old := h.live.Bundle()
	if _, err := h.rules.Activate(t.Context(), h.who("zhou"), p.ID); !problem.Is(err, problem.Unverified) || h.live.Bundle() != old {
		t.Errorf("activated what was altered: %v", err)
	}
	// what was altered after it was activated does not decide at the next start
	next, err := h.rules.Propose(t.Context(), h.who("shi"), h.stricter("2027.2"))
	if err == nil {
		_, err = h.rules.Activate(t.Context(), h.who("zhou"), next.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	err = h.Store.Update(t.Context(), func(tx *store.Tx) error {
		rev, err := tx.Get(t.Context(), "rules-bundle", next.File, &doc)
		if err != nil {
			return err
		}
		doc.Raw = h.stricter("2027.9")
		return tx.Put(t.Context(), "rules-bundle", next.File, rev, store.Index{}, doc)
	})
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := rulebook.Active(t.Context(), h.Store); !problem.Is(err, problem.Unverified) || raw != nil {
		t.Errorf("what was altered is read at the start: %d bytes, %v", len(raw), err)
	}
}

// TestActivatedAtOnce: of many at once one does it, and questions go on being answered.
func TestActivatedAtOnce(t *testing.T) {
	t.Parallel()
	h := open(t)
	p, err := h.rules.Propose(t.Context(), h.who("shi"), h.stricter("2027.1"))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	done := 0
	for range 4 {
		wg.Go(func() {
			if _, err := h.rules.Activate(t.Context(), h.who("zhou"), p.ID); err == nil {
				mu.Lock()
				done++
				mu.Unlock()
			}
		})
		wg.Go(func() { h.knock() })
	}
	wg.Wait()
	if n := len(slices.DeleteFunc(h.Entries(), func(e audit.Entry) bool { return e.Kind != "rules.activated" })); done != 1 || n != 1 || h.live.Bundle() != p.Bundle {
		t.Errorf("%d activated, %d entries", done, n)
	}
	lines, err := h.record.Recent()
	if err != nil {
		t.Fatal(err)
	}
	if all, err := io.ReadAll(lines); err != nil || len(all) == 0 {
		t.Errorf("%d bytes of decisions, %v", len(all), err)
	}
}
