// Package apptest sets up a small world for tests of the use cases: the real store, log, ledger and rules in a temporary
// directory, the demo accounts, and one dataset. It promises nothing to anybody but tests.
package apptest

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	_ "embed" // the dataset
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/ledger"
	"carrel/broker/abroad"
	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/catalogue"
	"carrel/broker/conduct"
	"carrel/broker/conduct/book"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/institution"
	"carrel/broker/notice"
	"carrel/broker/store"
	"carrel/broker/supervise"
	"carrel/policies"
	"carrel/policy"
	"carrel/policy/opa"
)

//go:embed jinhe.yaml
var dataset []byte

// Clock is a clock that tests set.
type Clock struct {
	mu sync.Mutex
	t  time.Time
}

// Now is the time.
func (c *Clock) Now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.t }

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// World is everything that a use case needs.
type World struct {
	T            testing.TB
	Dir          string
	Clock        *Clock
	Store        *store.Store
	Log          *audit.Log
	Desk         act.Desk
	Ledger       *ledger.Ledger
	Directory    *auth.Directory
	Keys         *auth.FileKeys
	Permits      *auth.Permits
	Catalogue    *catalogue.Catalogue
	Receivers    *handover.Receivers
	Grants       *grant.Service
	Applications *application.Service
	Abroad       *abroad.Service
	Papers       *application.Papers
	Conduct      *conduct.Service
	Receiver     *parcel.ReceiverKey
	Register     *institution.Register
	Files        *book.Book
	Supervision  *supervise.Service
	Institutions *institution.Service
	Notices      *notice.Service
	Mandates     *board.Register
	Boards       *board.Service
	// Mail is what notices go out through; a test that sets Send sees them.
	Mail *Postman
}

// Postman is a mailer that a test fills in.
type Postman struct {
	mu   sync.Mutex
	send func(ctx context.Context, m notice.Mail) error
}

// Do sets what happens to mail.
func (p *Postman) Do(send func(ctx context.Context, m notice.Mail) error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send = send
}

// Send implements notice.Mailer.
func (p *Postman) Send(ctx context.Context, m notice.Mail) error {
	p.mu.Lock()
	send := p.send
	p.mu.Unlock()
	if send == nil {
		return nil
	}
	return send(ctx, m)
}

var rules = sync.OnceValues(func() (*opa.Decider, error) { return opa.New(policies.FS()) })

// New makes a world on 21 November 2026, with the dataset registered, its universe opened and the centre's key enrolled.
func New(t testing.TB) *World {
	t.Helper()
	decider, err := rules()
	must(t, err)
	return With(t, decider)
}

// With is New under other rules.
func With(t testing.TB, decider policy.Decider) *World {
	t.Helper()
	ctx := context.Background()
	w := &World{T: t, Dir: t.TempDir(), Clock: &Clock{t: time.Date(2026, 11, 21, 2, 0, 0, 0, time.UTC)}}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	must(t, err)
	signer, err := audit.NewSigner("carrel.test/log", key)
	must(t, err)
	w.Log, err = audit.NewLog("carrel.test/log", signer)
	must(t, err)
	w.Store, err = store.Open(ctx, store.Options{Dir: filepath.Join(w.Dir, "data"), Log: w.Log, Now: w.Clock.Now})
	must(t, err)
	t.Cleanup(func() { _ = w.Store.Close() })
	files, err := book.Open(ctx, w.Store)
	must(t, err)
	w.Files = files
	w.Register, err = institution.Open(ctx, w.Store)
	must(t, err)
	w.Mandates, err = board.Open(ctx, w.Store, w.Clock.Now)
	must(t, err)
	w.Desk = act.Desk{Store: w.Store, Log: w.Log, Policy: w.Mandates.InSight(w.Register.Watch(files.Watch(decider), "jinhe-health-information-centre")), Now: w.Clock.Now, Operator: "jinhe-health-information-centre",
		Houses: w.Register}
	must(t, institution.Seed(ctx, w.Desk, w.Register, institutions(w.Clock.Now())))
	must(t, conduct.Seed(ctx, w.Desk, files, conduct.DemoDuties(accounts(), "2036-12-31", "2036-12-31")))
	w.Ledger, err = ledger.New(ledger.Config{MaxFaults: 3, Now: w.Clock.Now})
	must(t, err)
	w.Directory, err = auth.NewDirectory(accounts(), w.Mandates)
	must(t, err)
	w.Mail = new(Postman)
	w.Notices, err = notice.New(notice.Config{
		Desk: w.Desk, People: w.Directory, Mailer: w.Mail, Client: notice.HookClient(true), Secret: make([]byte, 32), BaseURL: "https://carrel.test",
		Logger: slog.New(slog.DiscardHandler), Finders: map[string]notice.Finder{
			"application": notice.Find[application.Application](application.DocKind), "grant": notice.Find[grant.Grant](grant.DocKind),
		},
	})
	must(t, err)
	w.Desk.Notices = w.Notices
	w.Keys, err = auth.OpenKeys(filepath.Join(w.Dir, "keys"))
	must(t, err)
	w.Permits, err = auth.NewPermits("https://carrel.test", "carrel-permit", w.Keys, w.Clock.Now)
	must(t, err)
	lists, err := catalogue.Embedded()
	must(t, err)
	w.Catalogue = catalogue.New(lists, w.Clock.Now)
	w.Receivers, err = handover.NewReceivers(w.Desk)
	must(t, err)
	w.Grants, err = grant.New(w.Desk, w.Ledger, w.Permits, w.Directory)
	must(t, err)
	w.Conduct, err = conduct.New(conduct.Config{Desk: w.Desk, Book: files, People: w.Directory, Grants: w.Grants, Signer: func() conduct.Signer { return w.Keys.Signer() }, Units: w.Register})
	must(t, err)
	w.Abroad, err = abroad.New(w.Desk)
	must(t, err)
	w.Applications, err = application.New(w.Desk, w.Catalogue, w.Directory, w.Grants, w.Receivers)
	must(t, err)
	w.Boards, err = board.New(board.Config{Desk: w.Desk, Register: w.Mandates, People: w.Directory, Applications: w.Applications, Notices: w.Notices,
		Logger: slog.New(slog.DiscardHandler)})
	must(t, err)
	w.Institutions, err = institution.New(w.Desk, w.Register)
	must(t, err)
	w.Supervision, err = supervise.New(w.Desk, w.Register, 36)
	must(t, err)
	w.Papers, err = application.NewPapers(w.Applications, w.vault())
	must(t, err)
	w.setUp(ctx)
	return w
}

// vault keeps what is attached beside the store.
func (w *World) vault() *attachment.Vault {
	w.T.Helper()
	ring, err := deid.InitKeyRing(filepath.Join(w.Dir, "ring"))
	must(w.T, err)
	secret, err := ring.Identity()
	must(w.T, err)
	sealer, err := extract.NewAge(secret)
	must(w.T, err)
	v, err := attachment.OpenVault(filepath.Join(w.Dir, "attachments"), sealer)
	must(w.T, err)
	w.T.Cleanup(func() { _ = v.Close() })
	return v
}

func (w *World) setUp(ctx context.Context) {
	system := auth.Identity{Account: "system", Institution: w.Desk.Operator}
	must(w.T, w.Store.Update(ctx, func(tx *store.Tx) error {
		if _, err := w.Catalogue.Put(ctx, act.CatalogueTx{Tx: tx}, 0, "system", "jinhe.yaml", dataset); err != nil {
			return err
		}
		return w.Grants.EnsureUniverse(ctx, tx, system, "jinhe", true)
	}))
	var err error
	w.Receiver, err = parcel.NewReceiverKey("jinhe-qc-centre")
	must(w.T, err)
	must(w.T, w.Receivers.Enrol(ctx, system, w.Receiver.Public()))
}

// institutions are the demo's, with the operator's commission for ten years, a university in another city, and the commission of another
// province.
func institutions(now time.Time) []institution.Institution {
	all := institution.Demo(now)
	for i := range all {
		if all[i].Commission != nil {
			all[i].Commission.Until = "2036-12-31"
		}
	}
	all = append(all, institution.Institution{ID: "hubei-health-commission", NameZH: "湖北省卫生健康委员会", NameEN: "Health Commission of Hubei", Level: "province", Region: "420000",
		Department: "规划信息处", Post: "数据管理岗"})
	return append(all, institution.Institution{ID: "other-university", NameZH: "外市大学", NameEN: "Other University", Level: "city", Region: "519800",
		Supervisor: "sichuan-health-commission", Department: "科研处", Post: "数据管理岗"})
}

// accounts are the demo accounts with a password that nobody has: hashing twelve real ones is slow.
func accounts() []auth.Account {
	out := auth.DemoAccounts()
	for i := range out {
		out[i].Salt, out[i].Hash = make([]byte, 16), make([]byte, 32)
	}
	out = append(out, auth.Account{ID: "ji", NameZH: "季", NameEN: "Ji", Roles: []string{"security-admin"}, Institution: "jinhe-health-information-centre",
		Salt: make([]byte, 16), Hash: make([]byte, 32)})
	return append(out, auth.Account{ID: "hu", NameZH: "胡", NameEN: "Hu", Roles: []string{"researcher"}, Institution: "other-university",
		Salt: make([]byte, 16), Hash: make([]byte, 32)})
}

// As is the identity of an account.
func (w *World) As(account string) auth.Identity {
	w.T.Helper()
	id, ok := w.Directory.Identity(account)
	if !ok {
		w.T.Fatalf("no account %s", account)
	}
	return id
}

// Entries returns all entries of the log.
func (w *World) Entries() []audit.Entry {
	w.T.Helper()
	var out []audit.Entry
	ctx := context.Background()
	must(w.T, w.Store.View(ctx, func(tx *store.Tx) error {
		n, err := tx.LogSize(ctx)
		if err != nil {
			return err
		}
		for i := range n {
			leaf, err := tx.LogLeaf(ctx, i)
			if err != nil {
				return err
			}
			e, err := audit.ParseLeaf(leaf)
			if err != nil {
				return err
			}
			out = append(out, e)
		}
		return nil
	}))
	return out
}

// Account reads a ledger account.
func (w *World) Account(id string) ledger.Account {
	w.T.Helper()
	var a ledger.Account
	ctx := context.Background()
	must(w.T, w.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		a, err = tx.LedgerAccount(ctx, id)
		return err
	}))
	return a
}

// Research is a complete draft of a query application.
func Research() application.Draft {
	return application.Draft{
		Facts: policy.Application{Kind: "query", Purpose: "research", Team: []string{"wang"}, From: "2026-11-21", To: "2027-11-20",
			Funding: "public", Conflicts: "none", Ethics: policy.Ethics{Document: digest()},
			Wishes: []policy.Wish{{Dataset: "jinhe", Columns: []string{"person.*", "cv_event.kind", "cv_event.door_min"}}}, Epsilon: 4},
		Texts: map[string]string{application.TextTitle: "卒中救治时间研究", application.TextReason: "研究不同地区的卒中救治时间及其影响因素，为改进提供依据。",
			application.TextMethods: "按地区和性别分组统计计数和均值，给出置信区间。"},
	}
}

// Quality is a complete draft of a handover application of the quality-control centre.
func Quality() application.Draft {
	return application.Draft{
		Facts: policy.Application{Kind: "handover", Purpose: "quality-control", Team: []string{"feng"}, Agreement: policy.Terms{Host: "jinhe-first-hospital"}, From: "2026-11-21", To: "2027-05-31",
			Funding: "none", Conflicts: "none", Ethics: policy.Ethics{Document: digest()},
			Wishes: []policy.Wish{{Dataset: "jinhe", Columns: []string{"person.person_id", "person.sex", "cv_event.person_id", "cv_event.event_id",
				"cv_event.hospital_id", "cv_event.kind", "cv_event.event_month", "cv_event.door_min"}}},
			Receiver: policy.Receiver{System: "qc-registry", MLPS: 3, Evidence: digest(), Expires: "2028-01-01", Officer: true},
			Remit:    policy.Remit{Hospitals: []string{"H01", "H02"}, Kinds: []string{"stroke"}, From: "2024-01", To: "2024-02"}},
		Texts: map[string]string{application.TextTitle: "卒中质控", application.TextReason: "对辖区医院卒中救治过程开展质量控制与反馈。",
			application.TextMethods: "计算入院到溶栓时间等质控指标，逐院反馈。"},
	}
}

// Document is the paper that the drafts name: a committee's approval, which serves as the receiver's certificate too.
func Document() []byte { return []byte("%PDF-1.7\n% an approval of the ethics committee\n%%EOF\n") }

func digest() string { return folder.HashOf(Document()) }

// Create files a draft and attaches the document that it names.
func (w *World) Create(ctx context.Context, id auth.Identity, d application.Draft) (*application.Application, error) {
	a, err := w.Applications.Create(ctx, id, d)
	if err != nil {
		return nil, err
	}
	if named := []string{d.Facts.Ethics.Document, d.Facts.Receiver.Evidence, d.Facts.Minors.Consent, d.Facts.Rules.Document}; slices.Contains(named, digest()) {
		_, err = w.Papers.Attach(ctx, id, a.ID, "approval.pdf", attachment.PDF, Document())
	}
	return a, err
}

// Lodge takes a document into the folders of accounts and gives its hash, by which a step names it.
func (w *World) Lodge(accounts ...string) string {
	w.T.Helper()
	for _, account := range accounts {
		_, err := w.Papers.Lodge(context.Background(), w.As(account), "report.pdf", attachment.PDF, Document())
		must(w.T, err)
	}
	return digest()
}

// Evidence attaches a file to a grant and gives its hash, by which a condition is met.
func (w *World) Evidence(account, grant, words string) string {
	w.T.Helper()
	x, err := w.Papers.AttachLater(context.Background(), w.As(account), grant, "report.txt", attachment.Text, []byte(words))
	must(w.T, err)
	return x.Hash
}

// Assessed puts a privacy-impact assessment of the dataset's owner on record and gives its number.
func (w *World) Assessed() string {
	w.T.Helper()
	m, err := w.Conduct.Pass(context.Background(), w.As("wu"), "", conduct.Entry{Party: "institution/" + w.As("wu").Institution, Sort: "privacy-impact",
		Reason: "影响评估认为风险可控，措施相称。", Article: "pipl-55", Evidence: w.Lodge("wu")})
	must(w.T, err)
	return m.ID
}

// Reviewers are who reviews what.
func Reviewers() map[string]string {
	return map[string]string{"ethics": "chen", "confidentiality": "zhao", "security-risk": "qian", "privacy-impact": "sun", "qc-scope": "qin",
		"conflict-of-interest": "lin", "scientific": "jiang", "genetic": "yu", "standing": "he", "authorisation": "bai"}
}

// Panel are who votes on a review of a kind: the ethics committee is two at least.
func Panel(kind string) []string {
	if kind == "ethics" {
		return []string{Reviewers()[kind], "mei"}
	}
	return []string{Reviewers()[kind]}
}

// Voted has everybody of a review's panel approve.
func (w *World) Voted(app, kind string) *application.Application {
	w.T.Helper()
	var a *application.Application
	for _, who := range Panel(kind) {
		var err error
		a, err = w.Applications.Review(context.Background(), w.As(who), app, 0, w.Opinion(kind, "approve"))
		must(w.T, err)
	}
	return a
}

// Opinion is a review of a kind with its sheet filled in so that nothing stands against an approval.
func (w *World) Opinion(kind, verdict string) application.ReviewInput {
	w.T.Helper()
	sheet, err := w.Applications.Sheet(context.Background(), kind)
	must(w.T, err)
	findings := "同意"
	if verdict == "reject" {
		findings = "审阅后认为不符合要求，不同意"
	}
	return application.ReviewInput{Kind: kind, Verdict: verdict, Findings: findings, Sheet: sheet.Version, Answers: sheet.Clear()}
}

// Reviewed takes a draft to where the authority decides.
func (w *World) Reviewed(lead string, d application.Draft) *application.Application {
	w.T.Helper()
	ctx := context.Background()
	a, err := w.Create(ctx, w.As(lead), d)
	must(w.T, err)
	a, err = w.Applications.Submit(ctx, w.As(lead), a.ID, 0)
	must(w.T, err)
	for _, kind := range a.Needed {
		a = w.Voted(a.ID, kind)
	}
	return a
}

// Approved takes a draft to where both sides sign.
func (w *World) Approved(lead string, d application.Draft) *application.Application {
	w.T.Helper()
	a := w.Reviewed(lead, d)
	a, err := w.Applications.Decide(context.Background(), w.As("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "符合规定", Conditions: []string{"每季度报告一次"}})
	must(w.T, err)
	return a
}

// Granted takes a draft to its grant.
func (w *World) Granted(lead string, d application.Draft) *application.Application {
	w.T.Helper()
	ctx := context.Background()
	a := w.Approved(lead, d)
	_, err := w.Applications.Sign(ctx, w.As(lead), a.ID, 0, "applicant", a.Agreement.Digest)
	must(w.T, err)
	if a.Facts.Agreement.Host != "" {
		_, err = w.Applications.Sign(ctx, w.As("liang"), a.ID, 0, "host", a.Agreement.Digest)
		must(w.T, err)
	}
	a, err = w.Applications.Sign(ctx, w.As("wu"), a.ID, 0, "owner", a.Agreement.Digest)
	must(w.T, err)
	if a.Grant == "" {
		w.T.Fatalf("no grant after both signatures; state %s", a.State)
	}
	return a
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
