package servicetest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/attachment/folder"
	"carrel/broker/auth"
	"carrel/broker/handover/parcel"
	"carrel/broker/jinhe"
	"carrel/broker/service"
	"carrel/policy"
)

// CopyDir copies a directory of ordinary files, for its owner alone; links would let two services share a file.
func CopyDir(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), raw, 0o600)
	})
}

// cast makes the city that all others are copied from.
func (m *Moulds) cast() (*mould, error) {
	path, err := binary()
	if err != nil {
		return nil, err
	}
	root, err := m.root("carrel-city")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	c := &mould{root: root, passwords: map[string]string{}}
	if err := jinhe.Generate(ctx, jinhe.Options{Persons: Persons, Seed: 7, Dir: filepath.Join(root, "source")}); err != nil {
		return nil, err
	}
	keys, err := RecipeKeys(map[string][]byte{jinhe.QueryRecipeFile: jinhe.QueryRecipeYAML(), jinhe.HandoverRecipeFile: jinhe.HandoverRecipeYAML()})
	if err != nil {
		return nil, err
	}
	data := filepath.Join(root, "data")
	logins, err := service.Init(data, keys...)
	if err != nil {
		return nil, err
	}
	for _, l := range logins {
		c.passwords[l.Account] = l.Password.Reveal()
	}
	s, err := service.Open(ctx, service.Config{Data: data, Sandbox: path})
	if err != nil {
		return nil, err
	}
	return c, errors.Join(c.fill(ctx, s), s.Close())
}

// fill publishes both extracts and takes both applications to their grants.
func (c *mould) fill(ctx context.Context, s *service.Service) error {
	steward, _ := s.Directory.Identity("wu")
	source := filepath.Join(c.root, "source")
	if err := Publish(ctx, s, steward, source, Dataset{jinhe.DatasetFile, jinhe.DatasetYAML(), jinhe.QueryRecipeFile, jinhe.QueryRecipeYAML()}); err != nil {
		return err
	}
	if err := Publish(ctx, s, steward, source, Dataset{jinhe.RegistryFile, jinhe.RegistryYAML(), jinhe.HandoverRecipeFile, jinhe.HandoverRecipeYAML()}); err != nil {
		return err
	}
	centre, _ := s.Directory.Identity("zheng")
	operator, _ := s.Directory.Identity("shi")
	var err error
	if c.key, err = parcel.NewReceiverKey(centre.Institution); err != nil {
		return err
	}
	if err := s.Receivers.Enrol(ctx, operator, c.key.Public()); err != nil {
		return err
	}
	research, err := Granted(ctx, s, "li", "wu", ResearchDraft(jinhe.Dataset, "person.*", "encounter.*", "cv_event.*"))
	if err != nil {
		return err
	}
	registry, err := Granted(ctx, s, "zheng", "wu", RegistryDraft())
	if err != nil {
		return err
	}
	c.application, c.grant, c.registry = research.ID, research.Grant, registry.Grant
	return nil
}

// Dataset is a catalogue entry with the recipe of its extract.
type Dataset struct {
	EntryFile  string
	Entry      []byte
	RecipeFile string
	Recipe     []byte
}

// Publish registers a dataset, builds its extract from source tables and takes it through both signatures.
func Publish(ctx context.Context, s *service.Service, steward auth.Identity, source string, d Dataset) error {
	if _, err := s.Holdings.Register(ctx, steward, d.EntryFile, d.Entry); err != nil {
		return err
	}
	m, _, err := s.Build(ctx, steward, d.RecipeFile, d.Recipe, source, nil)
	if err != nil {
		return err
	}
	authority, _ := s.Directory.Identity("zhou")
	return s.Holdings.Signed(ctx, steward, authority, m.Dataset)
}

// Document is the paper that the drafts name: a committee's approval, which serves as the receiver's certificate too.
func Document() []byte {
	return []byte("%PDF-1.7\n% an approval of the ethics committee of an invented city\n%%EOF\n")
}

// DocumentHash is the name of Document.
func DocumentHash() string { return folder.HashOf(Document()) }

// ResearchDraft is an application to query these columns of a dataset.
func ResearchDraft(dataset string, columns ...string) application.Draft {
	now := time.Now()
	return application.Draft{
		Facts: policy.Application{
			Kind: "query", Purpose: "research", Team: []string{"wang"}, From: policy.DateOf(now), To: policy.DateOf(now.AddDate(1, 0, 0)), Funding: "public", Conflicts: "none",
			Ethics: policy.Ethics{Document: DocumentHash()},
			Wishes: policy.List[policy.Wish]{{Dataset: dataset, Columns: columns}},
		},
		Texts: map[string]string{
			application.TextTitle: "Readmission and care", application.TextReason: "Differences of care and outcome between groups of patients.",
			application.TextMethods: "Counts, means and ratios by group.",
		},
	}
}

// RegistryDraft is the QC centre's application to receive the registry.
func RegistryDraft() application.Draft {
	now := time.Now()
	var columns []string
	for _, c := range jinhe.HandoverColumns() {
		if c != "age_band" && c != "district" && c != "event_month" && c != "event_year" { // in a small city they would tell persons apart: k
			columns = append(columns, "cv_event."+c)
		}
	}
	d := ResearchDraft(jinhe.Registry, columns...)
	d.Facts.Kind, d.Facts.Purpose, d.Facts.Team, d.Facts.Funding = "handover", "quality-control", []string{"feng"}, "none"
	d.Facts.Agreement.Host = "jinhe-first-hospital"
	d.Facts.Receiver = policy.Receiver{System: "QC registry server", MLPS: 3, Evidence: DocumentHash(), Expires: policy.DateOf(now.AddDate(2, 0, 0)), Officer: true}
	d.Facts.Remit = policy.Remit{Hospitals: jinhe.HospitalIDs(), Kinds: []string{"stroke", "infarction"}, From: "2018-01", To: "2025-12"}
	return d
}

// Granted takes an application through the reviews that policy asks for, the decision and both signatures.
func Granted(ctx context.Context, s *service.Service, lead, owner string, d application.Draft) (*application.Application, error) {
	who := func(account string) auth.Identity {
		id, _ := s.Directory.Identity(account) // an unknown account is nobody, and policy says no to nobody
		return id
	}
	a, err := s.Applications.Create(ctx, who(lead), d)
	if err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	if _, err := s.Papers.Attach(ctx, who(lead), a.ID, "approval.pdf", attachment.PDF, Document()); err != nil {
		return nil, fmt.Errorf("attach: %w", err)
	}
	if a, err = s.Applications.Submit(ctx, who(lead), a.ID, 0); err != nil {
		return nil, fmt.Errorf("submit: %w", err)
	}
	if len(a.Needed) < 4 {
		return nil, fmt.Errorf("policy asks for %d reviews", len(a.Needed))
	}
	reviewers := map[string][]string{"ethics": {"chen", "mei"}, "confidentiality": {"zhao"}, "security-risk": {"qian"}, "privacy-impact": {"sun"}, "qc-scope": {"qin"}, "scientific": {"jiang"}}
	for _, kind := range a.Needed {
		sheet, err := s.Applications.Sheet(ctx, kind)
		if err != nil {
			return nil, fmt.Errorf("sheet of %s: %w", kind, err)
		}
		in := application.ReviewInput{Kind: kind, Verdict: "approve", Findings: "No objection after review.", Sheet: sheet.Version, Answers: sheet.Clear()}
		for _, account := range reviewers[kind] {
			reviewer := who(account)
			if kind != "ethics" { // the committee is the city's
				reviewer = ownPeople(s, reviewer, who(owner).Institution)
			}
			if _, err := s.Applications.Review(ctx, reviewer, a.ID, 0, in); err != nil {
				return nil, fmt.Errorf("review %s: %w", kind, err)
			}
		}
	}
	_, err = s.Applications.Decide(ctx, who("zhou"), a.ID, 0, application.DecisionInput{Choice: "approve", Grounds: "Lawful and useful.", Conditions: []string{"Report once a year."}})
	if err != nil {
		return nil, fmt.Errorf("decide: %w", err)
	}
	sides := []struct{ account, side string }{{lead, "applicant"}, {owner, "owner"}}
	if d.Facts.Agreement.Host != "" {
		sides = slices.Insert(sides, 1, struct{ account, side string }{"liang", "host"})
	}
	for _, side := range sides {
		agreement, err := s.Applications.Agreement(ctx, who(side.account), a.ID)
		if err != nil {
			return nil, fmt.Errorf("read the agreement: %w", err)
		}
		if a, err = s.Applications.Sign(ctx, who(side.account), a.ID, 0, side.side, agreement.Digest); err != nil {
			return nil, fmt.Errorf("sign for the %s: %w", side.side, err)
		}
	}
	if a.Grant == "" {
		return nil, errors.New("both sides signed and there is no grant")
	}
	return a, nil
}

// ownPeople is who does a reviewer's work in an owner's house, the reviewer himself when nobody there does: each owner's own people assess
// its data.
func ownPeople(s *service.Service, reviewer auth.Identity, house string) auth.Identity {
	if reviewer.Institution == house {
		return reviewer
	}
	for _, id := range s.Directory.Accounts() {
		if id.Institution == house && slices.ContainsFunc(reviewer.Roles, func(role string) bool { return slices.Contains(id.Roles, role) }) {
			return id
		}
	}
	return reviewer
}
