package handover

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"carrel/anonymize/extract"
	"carrel/anonymize/risk"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/catalogue/register"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover/parcel"
	"carrel/broker/problem"
	"carrel/broker/resident"
	"carrel/broker/store"
	"carrel/policy"
)

// Extracts opens the published handover extract of a dataset.
type Extracts interface {
	Handover(ctx context.Context, dataset string) (*extract.Extract, error)
}

// Config is what the use cases need besides a desk.
type Config struct {
	Dir       string // packages, ciphertext only
	Rekey     []byte // secret of at least 32 bytes: persons' numbers in packages
	Signer    func() parcel.Signer
	Catalogue *catalogue.Catalogue
	Extracts  Extracts
	Receivers *Receivers
	Persons   Persons
	Members   *Members // of the same folder
	// Thresholds are those that grades are measured at.
	Thresholds func(ctx context.Context) (risk.Config, error)
}

// Service is the use cases. It is safe for concurrent use.
type Service struct {
	desk act.Desk
	c    Config
}

// New makes the use cases; the folder of packages is made if it is not there.
func New(desk act.Desk, c Config) (*Service, error) {
	if err := desk.Check(); err != nil {
		return nil, err
	}
	if c.Dir == "" || len(c.Rekey) < minKey || c.Signer == nil || c.Catalogue == nil || c.Extracts == nil || c.Receivers == nil || c.Persons == nil || c.Members == nil || c.Thresholds == nil {
		return nil, errors.New("handover: the use cases need a folder, a re-keying secret, a signer, a catalogue, extracts, receivers, residents' wishes, who is in packages and thresholds")
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("handover: make folder: %w", err)
	}
	return &Service{desk: desk, c: c}, nil
}

func what() policy.Text { return policy.Text{ZH: "移交", EN: "handover"} }

func load(ctx context.Context, tx *store.Tx, id string) (*Handover, int64, error) {
	h := new(Handover)
	rev, err := tx.Get(ctx, DocKind, id, h)
	if err != nil {
		return nil, 0, fmt.Errorf("handover: load: %w", err)
	}
	return h, rev, nil
}

func (s *Service) access(ctx context.Context, id auth.Identity, action string, o policy.Object) (policy.Decision, error) {
	return s.desk.Ask(ctx, policy.AccessQuestion{At: s.desk.Moment(), Subject: id.Subject(), Action: action, Object: o})
}

// may asks whether the person may take a step on something. To others it is not there; who is of the receiver and may read it is told why not.
func (s *Service) may(ctx context.Context, id auth.Identity, noun, step string, o policy.Object, what policy.Text) error {
	_, err := s.access(ctx, id, "handover."+step, o)
	if err == nil || !problem.Is(err, problem.Forbidden) {
		return err
	}
	if _, unread := s.access(ctx, id, noun+".read", o); unread != nil || !s.desk.Same(o.Institution, id.Institution) {
		return act.Conceal(err, what)
	}
	return err
}

// Request files a handover under a grant, cuts, counts, seals, and leaves the package ready to be pulled. dataset may be empty
// when the grant names one only.
func (s *Service) Request(ctx context.Context, id auth.Identity, grantID, dataset string) (*Handover, error) {
	h, g, rev, required, err := s.request(ctx, id, grantID, dataset)
	if err != nil {
		return nil, err
	}
	tables, k, err := s.cut(ctx, id, h, g)
	if err != nil {
		return nil, err
	}
	k.Required = required
	return s.release(ctx, id, h, g, rev, tables, k)
}

// request is the first step: on record before anything is read.
func (s *Service) request(ctx context.Context, id auth.Identity, grantID, dataset string) (h *Handover, g *grant.Grant, rev int64, k int, err error) {
	h = &Handover{ID: act.NewID("ho"), Requester: id.Account, Made: s.desk.Now().UTC()}
	step := act.Step{Kind: "handover.requested", Object: "handover/" + h.ID, Grant: grantID}
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		var err error
		if g, rev, err = grant.Load(ctx, tx, grantID); err != nil {
			return act.Conceal(err, policy.Text{ZH: "授权", EN: "grant"})
		}
		if err := s.may(ctx, id, "grant", "request", g.Object(), policy.Text{ZH: "授权", EN: "grant"}); err != nil {
			return err
		}
		if h.Dataset, err = pick(g.Datasets, dataset); err != nil {
			return err
		}
		q, err := s.question(ctx, tx, id, "request", h, g)
		if err != nil {
			return err
		}
		dec, state, err := s.ask(ctx, q)
		if err != nil {
			return err
		}
		if k, err = limit(dec, "k"); err != nil {
			return err
		}
		key, ok, err := s.c.Receivers.key(ctx, tx, s.desk.Heir(g.Institution))
		if err != nil {
			return err
		}
		if !ok {
			return problem.New(problem.Conflict, "接收单位尚未登记密钥；请先到运营单位登记。", "The receiver has registered no key; enrol one with the operator first.")
		}
		h.State, h.Receiver, h.Grant, h.Application = state, key, g.ID, g.Application
		h.Lead, h.Team, h.Institution, h.DataOwners = g.Lead, g.Team, g.Institution, g.DataOwners
		if err := tx.Put(ctx, DocKind, h.ID, 0, h.index(), h); err != nil {
			return err
		}
		step.Facts = map[string]string{"dataset": h.Dataset, "receiver": h.Institution, "key": key.Fingerprint()}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	return h, g, rev, k, err
}

func pick(datasets []string, wanted string) (string, error) {
	if wanted == "" && len(datasets) == 1 {
		return datasets[0], nil
	}
	for _, d := range datasets {
		if d == wanted {
			return d, nil
		}
	}
	return "", problem.New(problem.Invalid, "请指明授权中的一个数据集。", "Name one dataset of the grant.")
}

// limit reads a limit ("name=number") that policy put on the step. Without it nothing is done.
func limit(dec policy.Decision, name string) (int, error) {
	for _, v := range dec.Oblige(policy.ObligeLimit) {
		if n, ok := strings.CutPrefix(v, name+"="); ok {
			k, err := strconv.Atoi(n)
			if err != nil || k < 2 {
				return 0, errors.New("handover: policy's limit is not a number of persons")
			}
			return k, nil
		}
	}
	return 0, errors.New("handover: policy named no limit")
}

// cut asks policy for the scope and reads what may leave, then counts and renumbers it.
func (s *Service) cut(ctx context.Context, id auth.Identity, h *Handover, g *grant.Grant) (*cutResult, parcel.K, error) {
	x, err := s.c.Extracts.Handover(ctx, h.Dataset)
	if err != nil {
		return nil, parcel.K{}, fmt.Errorf("handover: extract: %w", err)
	}
	m := x.Manifest()
	if m.Kind != extract.KindHandover || m.Dataset != h.Dataset {
		return nil, parcel.K{}, errors.New("handover: not the dataset's extract for handover")
	}
	var entry *catalogue.Entry
	err = s.desk.Store.View(ctx, func(tx *store.Tx) error {
		var err error
		entry, _, err = s.c.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, h.Dataset)
		return err
	})
	if err != nil {
		return nil, parcel.K{}, fmt.Errorf("handover: catalogue: %w", err)
	}
	who, err := s.persons(ctx, id, h, resident.Use{Entry: entry, Manifest: m, Kind: policy.UseHandover, Purpose: g.Purpose, Identifiable: g.Identifiable})
	if err != nil {
		return nil, parcel.K{}, err
	}
	c := cutting{policy: s.desk.Policy, extract: x, dataset: entry.Dataset, who: who,
		ask: policy.ScopeQuestion{At: s.desk.Moment(), Subject: id.Subject(), Grant: g.Question(), Remit: g.Remit}}
	tables, err := c.cut(ctx)
	var denied deniedTable
	switch {
	case errors.As(err, &denied):
		return nil, parcel.K{}, s.refuse(ctx, id, h, decision(denied.scope))
	case errors.Is(err, errTooMany):
		return nil, parcel.K{}, problem.Wrap(err, problem.TooLarge, "数据包行数超过上限；请缩小月份或医院范围。", "The package has more rows than one may hold; narrow months or hospitals.")
	case err != nil:
		return nil, parcel.K{}, err
	}
	k, err := smallest(tables)
	if err != nil {
		return nil, k, err
	}
	grade, err := s.graded(ctx, h, tables) // before persons are numbered anew: their rows still follow one another
	if err != nil {
		return nil, k, err
	}
	if err := rekey(tables, s.c.Rekey, g.ID, h.Receiver.Fingerprint()); err != nil {
		return nil, k, err
	}
	return &cutResult{grade: grade, tables: tables, dataset: entry.Dataset, entry: entry, extract: m.ID, source: m, list: who.Version}, k, nil
}

type cutResult struct {
	tables  []*cutTable
	dataset *catalogue.Dataset
	entry   *catalogue.Entry
	extract string
	source  extract.Manifest
	list    string // version of the wishes
	grade   *catalogue.Grade
}

// decision is a scope's refusal in the shape of every decision.
func decision(s policy.Scope) policy.Decision {
	return policy.Decision{Reasons: s.Reasons, WouldChange: s.WouldChange, Bundle: s.Bundle, Input: s.Input}
}

// refuse puts a refusal by the scope on record.
func (s *Service) refuse(ctx context.Context, id auth.Identity, h *Handover, dec policy.Decision) error {
	step := act.Step{Kind: "handover.prepared", Object: "handover/" + h.ID, Grant: h.Grant}
	return s.desk.Do(ctx, id, step, func(*store.Tx) error { return problem.Denied(dec) })
}

// release asks policy with the count, seals the package and makes it ready. The grant is looked at again inside the
// transaction: a revocation while the package was made leaves a file that nobody can pull.
func (s *Service) release(ctx context.Context, id auth.Identity, h *Handover, g *grant.Grant, rev int64, cut *cutResult, k parcel.K) (*Handover, error) {
	var dec policy.Decision
	var state string
	step := act.Step{Kind: "handover.prepared", Object: "handover/" + h.ID, Grant: h.Grant, Facts: map[string]string{"k": strconv.Itoa(k.Required)}}
	err := s.desk.Browse(ctx, id, act.Step{Kind: "handover.counted", Object: step.Object, Grant: h.Grant, Facts: step.Facts}, func(tx *store.Tx) (policy.Decision, error) {
		q, err := s.question(ctx, tx, id, "release", h, g)
		if err != nil {
			return policy.Decision{}, err
		}
		q.Smallest, q.Package, q.Version = int64(k.Smallest), cut.grade.Facts(), policy.Graded{}
		if v := cut.entry.Current; v != nil && v.ManifestID == cut.extract { // of the version that was read, whatever was published since
			q.Version = v.GradeFacts()
		}
		for _, t := range cut.tables {
			q.Rows += int64(t.rows())
		}
		dec, state, err = s.ask(ctx, q)
		return dec, err
	})
	if err != nil {
		return nil, err
	}
	if k.Smallest < k.Required { // policy has said so already; the count is too important to hang on one line
		return nil, problem.New(problem.Forbidden, "最小组人数低于下限；请扩大月份或医院范围，或减少字段。", "The smallest class is below the limit; widen months or hospitals, or ask for fewer columns.")
	}
	label, err := register.LabelOf(ctx, s.desk, id, cut.entry, catalogue.ArtefactPackage, false)
	if err != nil {
		return nil, err
	}
	sealed, err := s.seal(h, g, cut, k)
	if err != nil {
		return nil, err
	}
	if err := s.c.Members.keep(h.ID, cut.source, cut.tables); err != nil {
		return nil, errors.Join(err, os.Remove(s.file(h.ID)))
	}
	rows, columns := int64(0), 0
	for _, sc := range sealed.Manifest.Scope {
		rows, columns = rows+sc.Rows, columns+len(sc.Columns)
	}
	out := *h
	out.State, out.Prepared, out.Expires = state, sealed.Cover.Prepared, sealed.Cover.Expires
	out.Package = &Package{Manifest: sealed.Cover.Manifest, SHA256: sealed.SHA256, Size: sealed.Size, Rows: rows, Columns: columns, K: k,
		Scope: sealed.Manifest.Scope, Extract: cut.extract, Exclusions: cut.list, Label: label, Version: versionOf(cut.entry)}
	out.Package.Grade, out.Package.Standing = cut.grade, standing(dec)
	step.Unit, step.Facts["label"], step.Facts["grade"] = cut.dataset.Steps.Sending, label.Name, strconv.Itoa(cut.grade.Grade)
	step.Facts[resident.FactList] = cut.list
	step.Facts["manifest"], step.Facts["package"], step.Facts["columns"] = sealed.Cover.Manifest, sealed.SHA256, strconv.Itoa(columns)
	err = s.desk.Do(ctx, id, step, func(tx *store.Tx) error {
		if err := grant.Unchanged(ctx, tx, g, rev); err != nil {
			return err
		}
		if err := s.current(ctx, tx, h.Dataset, cut.list); err != nil {
			return err
		}
		_, hrev, err := load(ctx, tx, h.ID)
		if err != nil {
			return err
		}
		if err := tx.Put(ctx, DocKind, h.ID, hrev, out.index(), &out); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
	if err != nil {
		return nil, errors.Join(err, os.Remove(s.file(h.ID)), os.Remove(s.c.Members.file(h.ID)))
	}
	return &out, nil
}

func (s *Service) file(id string) string { return filepath.Join(s.c.Dir, id+".carrel") }

// seal writes the package.
func (s *Service) seal(h *Handover, g *grant.Grant, cut *cutResult, k parcel.K) (parcel.Sealed, error) {
	now := s.desk.Now().UTC().Truncate(time.Second)
	end, err := lastMoment(g.To)
	if err != nil {
		return parcel.Sealed{}, err
	}
	m := parcel.Manifest{ID: h.ID, Grant: g.ID, Application: g.Application, Purpose: g.Purpose, Dataset: h.Dataset, Extract: cut.extract,
		Citation: policy.Text{ZH: "数据来源：" + cut.dataset.Title.ZH + "（" + cut.dataset.Owner + "）", EN: "Source of data: " + cut.dataset.Title.EN + " (" + cut.dataset.Owner + ")"},
		Artefact: "de-identified", K: k, Prepared: now, Expires: end}
	schema, err := schemaSource(cut.tables)
	if err != nil {
		return parcel.Sealed{}, err
	}
	files := []parcel.Source{schema}
	for _, t := range cut.tables {
		m.Scope = append(m.Scope, t.manifest())
		files = append(files, t.source())
	}
	sealed, err := parcel.Seal(s.file(h.ID), m, files, h.Receiver, s.c.Signer())
	if err != nil {
		return sealed, fmt.Errorf("handover: seal: %w", err)
	}
	return sealed, nil
}

// lastMoment is the end of a grant's last day in China.
func lastMoment(d policy.Date) (time.Time, error) {
	t, err := time.ParseInLocation(time.DateOnly, string(d), time.FixedZone("CST", 8*3600))
	if err != nil {
		return time.Time{}, errors.New("handover: the grant has no last day")
	}
	return t.AddDate(0, 0, 1).UTC(), nil
}

// Get shows a handover, with who pulled it, to who may see it.
func (s *Service) Get(ctx context.Context, id auth.Identity, handover string) (*Handover, error) {
	var out *Handover
	step := act.Step{Kind: "handover.viewed", Object: "handover/" + handover}
	err := s.desk.Look(ctx, id, step, what(), func(tx *store.Tx) (policy.Decision, error) {
		h, _, err := load(ctx, tx, handover)
		if err != nil {
			return policy.Decision{}, err
		}
		dec, err := s.access(ctx, id, "handover.read", h.Object())
		if err == nil {
			out = h
		}
		return dec, err
	})
	return out, err
}

// List shows the handovers that the person may see, newest first, at most limit (1 to 200).
func (s *Service) List(ctx context.Context, id auth.Identity, limit int) ([]Handover, error) {
	return act.Shelf[Handover]{Kind: DocKind, Name: "handover", Object: (*Handover).Object}.List(ctx, s.desk, id, max(1, min(limit, 200)))
}

// Pull gives the package's ciphertext to who may fetch it. The fetch is on record before the first byte; a file that is not
// the one that was sealed is not given out.
func (s *Service) Pull(ctx context.Context, id auth.Identity, handover string) (io.ReadCloser, *Handover, error) {
	var out *Handover
	err := s.step(ctx, id, handover, "pull", "handover.pulled", func(tx *store.Tx, h *Handover, step *act.Step) error {
		if err := s.current(ctx, tx, h.Dataset, h.Package.Exclusions); err != nil {
			return err
		}
		h.Pulls = append(h.Pulls, Pull{By: id.Account, At: s.desk.Now().UTC()})
		step.Facts = map[string]string{"package": h.Package.SHA256, resident.FactList: h.Package.Exclusions}
		out = h
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	f, err := os.Open(s.file(out.ID))
	if err != nil {
		return nil, nil, fmt.Errorf("handover: open package: %w", err)
	}
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil || "sha256:"+hex.EncodeToString(sum.Sum(nil)) != out.Package.SHA256 {
		return nil, nil, errors.Join(errors.New("handover: the package on disk is not the one that was sealed"), err, f.Close())
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("handover: open package: %w", err), f.Close())
	}
	return f, out, nil
}

// Acknowledge takes the receiver's countersignature over the manifest, by the key for which the package was made.
func (s *Service) Acknowledge(ctx context.Context, id auth.Identity, handover, signature string) (*Handover, error) {
	var out *Handover
	err := s.step(ctx, id, handover, "acknowledge", "handover.acknowledged", func(_ *store.Tx, h *Handover, step *act.Step) error {
		if err := h.Receiver.CheckAcknowledgement(h.ID, h.Package.Manifest, signature); err != nil {
			return problem.Wrap(err, problem.Unverified, "回签不是用登记的密钥对本数据包清单作出的；请用登记的密钥重新签署。",
				"The countersignature is not by the registered key over this package's manifest; sign again with that key.")
		}
		h.Receipt = &Receipt{By: id.Account, At: s.desk.Now().UTC(), Signature: signature}
		step.Facts = map[string]string{"manifest": h.Package.Manifest, "signature": signature}
		out = h
		return nil
	})
	return out, err
}

// step takes a step on a prepared handover, in one transaction with its entry: may this person see it, does the grant still
// stand, does policy allow the step now.
func (s *Service) step(ctx context.Context, id auth.Identity, handover, name, kind string, fn func(*store.Tx, *Handover, *act.Step) error) error {
	return s.desk.Do(ctx, id, act.Step{Kind: kind, Object: "handover/" + handover}, func(tx *store.Tx) error {
		h, rev, err := load(ctx, tx, handover)
		if err != nil {
			return act.Conceal(err, what())
		}
		if err := s.may(ctx, id, "handover", name, h.Object(), what()); err != nil {
			return err
		}
		g, _, err := grant.Load(ctx, tx, h.Grant)
		if err != nil {
			return err
		}
		q, err := s.question(ctx, tx, id, name, h, g)
		if err != nil {
			return err
		}
		dec, state, err := s.ask(ctx, q)
		if err != nil {
			return err
		}
		if h.Package == nil {
			return errors.New("handover: policy allowed a step on what was not prepared")
		}
		step := act.Step{Kind: kind, Object: "handover/" + h.ID, Grant: h.Grant}
		if err := fn(tx, h, &step); err != nil {
			return err
		}
		h.State = state
		if err := tx.Put(ctx, DocKind, h.ID, rev, h.index(), h); err != nil {
			return err
		}
		_, err = s.desk.Record(ctx, tx, id, dec, step)
		return err
	})
}
