package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"carrel/broker/application"
	"carrel/broker/audit"
	"carrel/broker/auth"
	"carrel/broker/catalogue"
	"carrel/broker/grant/act"
	"carrel/broker/jinhe"
	"carrel/broker/service"
	"carrel/broker/store"
	"carrel/policy"
)

const (
	manyDatasets     = 1000 // of Jinhe's size, and a wide one beside them
	manyApplications = 3000
	manyEvents       = 20 // of each
	listAsks         = 30
	targetLists      = 50 // ms
	listsName        = "carrel.bench/lists"
)

// look is one way to look at a list; run says how many lines came.
type look struct {
	name  string
	lines int // that must come
	run   func(context.Context) (int, error)
}

// lists measures what people wait for who look through a large city: its catalogue, and its applications as the authority sees them.
func (b *bench) lists(ctx context.Context) error {
	s, err := b.largeCity(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = s.Close() }()
	authority, _ := s.Directory.Identity("zhou")
	return errors.Join(
		b.looks(ctx, "datasets", manyDatasets+1, datasetLooks(s)),
		b.looks(ctx, "fields", wideFields, fieldLooks(s)),
		b.looks(ctx, "applications", manyApplications, applicationLooks(s, authority)),
	)
}

func datasetLooks(s *service.Service) []look {
	all := func(ctx context.Context) (int, error) {
		found, err := s.Records.Datasets(ctx)
		return len(found), err
	}
	search := func(text string) func(context.Context) (int, error) { return searchOf(s, catalogue.Query{Text: text}) }
	return []look{
		{"list", manyDatasets + 1, all}, {"search/chinese", 50, search("检验")}, {"search/two-chinese", 50, search("检验 项目")}, {"search/english", 50, search("person")},
		{"search/letter", 50, search("a")}, {"search/chinese-letter", 50, search("日")}, {"search/one-dataset", 1, search("set517")},
		{"search/nothing", 0, search("nothing like it")}, {"search/chinese-nothing", 0, search("无此内容")},
	}
}

func searchOf(s *service.Service, q catalogue.Query) func(context.Context) (int, error) {
	return func(ctx context.Context) (int, error) {
		found, err := s.Records.Search(ctx, q)
		return len(found), err
	}
}

// fieldLooks look for fields of the wide dataset among all others, and at its entry, which is a page of seven thousand fields.
func fieldLooks(s *service.Service) []look {
	return []look{
		{"search/chinese", 50, searchOf(s, catalogue.Query{Text: "血压"})}, {"search/two-chinese", 45, searchOf(s, catalogue.Query{Text: "血压 肌酐"})}, {"search/one-field", 1, searchOf(s, catalogue.Query{Text: "第4711项数值"})},
		{"search/item", 10, searchOf(s, catalogue.Query{Item: "DE04.0471"})}, {"search/region", 50, searchOf(s, catalogue.Query{Region: "50", Text: "blood"})},
		{"entry", wideFields, func(ctx context.Context) (int, error) {
			v, err := s.Records.Dataset(ctx, wideName)
			fields := 0
			for _, t := range v.Tables {
				fields += len(t.Fields)
			}
			return fields - 2*wideTables, err // persons and row keys
		}},
	}
}

func applicationLooks(s *service.Service, as auth.Identity) []look {
	list := func(q application.Search) func(context.Context) (int, error) {
		return func(ctx context.Context) (int, error) {
			found, err := s.Applications.List(ctx, as, q)
			return len(found), err
		}
	}
	return []look{
		{"list", 50, list(application.Search{})}, {"search/one", 1, list(application.Search{Words: "ap-001717"})}, {"search/chinese-nothing", 0, list(application.Search{Words: "无此内容"})},
		{"search/words", 50, list(application.Search{Words: "title 17 person-17"})},
		{"search/state", 50, list(application.Search{State: "reviewed"})}, {"search/nothing", 0, list(application.Search{Words: "nothing like it"})},
	}
}

// looks times each look; the first ones read what later ones find in memory, as after the start of a service.
func (b *bench) looks(ctx context.Context, what string, n int64, all []look) error {
	for _, l := range all {
		var times []float64
		for i := range listAsks + 3 {
			start := time.Now()
			lines, err := l.run(ctx)
			if err != nil {
				return fmt.Errorf("%s/%s: %w", what, l.name, err)
			}
			if lines != l.lines {
				return fmt.Errorf("%s/%s: %d lines came, not %d", what, l.name, lines, l.lines)
			}
			if i >= 3 {
				times = append(times, ms(time.Since(start)))
			}
		}
		if err := b.print(line{Bench: "fixed", Case: what + "/" + l.name, Rows: n, Ours: median(times), Target: targetLists, Better: "lower"}); err != nil {
			return err
		}
	}
	return nil
}

// largeCity opens a service with the datasets and applications of many years. They are in its store when it starts, as in one that was
// brought up to a new release.
func (b *bench) largeCity(ctx context.Context) (*service.Service, error) {
	dir := filepath.Join(b.dir, "lists")
	for _, old := range []string{dir, dir + "-checkpoints"} {
		if err := os.RemoveAll(old); err != nil {
			return nil, err
		}
	}
	b.tell("making a city of %d datasets and %d applications in %s", manyDatasets, manyApplications, dir)
	if _, err := service.Init(dir); err != nil {
		return nil, err
	}
	if err := fill(ctx, dir); err != nil {
		return nil, err
	}
	return service.Open(ctx, service.Config{Name: listsName, Data: dir, Sandbox: b.sandbox, Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))})
}

// fill writes documents only: the log, whose key the service finds, stays empty.
func fill(ctx context.Context, dir string) (err error) {
	key, err := writeLogKey(filepath.Join(dir, "keys", "log.pem"))
	if err != nil {
		return err
	}
	signer, err := audit.NewSigner(listsName, key)
	if err != nil {
		return err
	}
	log, err := audit.NewLog(listsName, signer)
	if err != nil {
		return err
	}
	st, err := store.Open(ctx, store.Options{Dir: dir, Log: log})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.Close()) }()
	return st.Update(ctx, func(tx *store.Tx) error { return errors.Join(putDatasets(ctx, tx), putApplications(ctx, tx)) })
}

func writeLogKey(path string) (ed25519.PrivateKey, error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

func putDatasets(ctx context.Context, tx *store.Tx) error {
	lists, err := catalogue.Embedded()
	if err != nil {
		return err
	}
	c := catalogue.New(lists, time.Now)
	for i := range manyDatasets {
		id := fmt.Sprintf("set%d", i)
		src := bytes.Replace(jinhe.DatasetYAML(), []byte("\ndataset: jinhe\n"), []byte("\ndataset: "+id+"\n"), 1)
		if _, err := c.Put(ctx, act.CatalogueTx{Tx: tx}, 0, "wu", id, src); err != nil {
			return err
		}
	}
	_, err = c.Put(ctx, act.CatalogueTx{Tx: tx}, 0, "wu", wideName, wideYAML())
	return err
}

func putApplications(ctx context.Context, tx *store.Tx) error {
	for i := range manyApplications {
		title, err := tx.PutText(ctx, fmt.Sprintf("Title %d", i))
		if err != nil {
			return err
		}
		a := application.Application{
			ID: fmt.Sprintf("ap-%06d", i), State: []string{"submitted", "reviewed", "granted", "denied", "withdrawn"}[i%5], Institution: fmt.Sprintf("university-%d", i%40),
			Texts: map[string]store.TextRef{application.TextTitle: title}, DataOwners: []string{"jinhe-health-commission"}, Needed: []string{"ethics", "confidentiality", "security-risk", "privacy-impact"},
			Facts: policy.Application{Lead: fmt.Sprintf("person-%d", i%400), Wishes: policy.List[policy.Wish]{{Dataset: "jinhe", Columns: []string{"person.*", "encounter.*"}}}},
		}
		for e := range manyEvents {
			findings := store.TextRef{ID: strings.Repeat("x", 26), Commitment: strings.Repeat("y", 71)}
			a.Reviews = append(a.Reviews, application.Review{Kind: "ethics", Reviewer: fmt.Sprintf("reviewer-%d", e), Verdict: "approve", Findings: findings, At: time.Unix(0, 0)})
		}
		if err := tx.Put(ctx, application.DocKind, a.ID, 0, store.Index{Owner: a.Facts.Lead, State: a.State}, a); err != nil {
			return err
		}
	}
	return nil
}
