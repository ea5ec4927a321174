package register_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/anonymize/ledger"
	"carrel/broker/auth"
	"carrel/broker/catalogue/register"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/institution"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/problem"
	"carrel/broker/service"
	"carrel/broker/service/servicetest"
	"carrel/broker/store"
	"carrel/policy"
)

// heirs makes a second service, empty, of another name, with people of the unit that takes.
func heirs(t *testing.T, change ...func(*service.Config)) *servicetest.City {
	t.Helper()
	c := &servicetest.City{Config: service.Config{Data: filepath.Join(t.TempDir(), "data"), Sandbox: servicetest.Sandbox(t), Name: "carrel.example/heir", Logger: slog.New(slog.DiscardHandler)}}
	for _, f := range change {
		f(&c.Config)
	}
	_, err := service.Init(c.Config.Data)
	servicetest.Must(t, err)
	file := filepath.Join(c.Config.Data, "keys", "accounts.json")
	raw, err := os.ReadFile(file)
	servicetest.Must(t, err)
	var accounts []auth.Account
	servicetest.Must(t, json.Unmarshal(raw, &accounts))
	a, _ := auth.NewAccount(auth.Account{ID: "erbin", NameZH: "接收人", NameEN: "Heir", Roles: []string{"owner", "steward"}, Institution: "jinhe-successor", Region: "510000"})
	raw, err = json.Marshal(append(accounts, a))
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(file, raw, 0o600))
	enter(t, filepath.Join(c.Config.Data, "keys", "institutions.json"))
	c.Service, err = service.Open(context.Background(), c.Config)
	servicetest.Must(t, err)
	t.Cleanup(func() { servicetest.Must(t, c.Close()) })
	return c
}

// enter adds the unit that takes to what stood before the service did, with the training and the declaration of who signs for it.
func enter(t *testing.T, file string) {
	t.Helper()
	raw, err := os.ReadFile(file)
	servicetest.Must(t, err)
	var first struct {
		Institutions []institution.Institution `json:"institutions"`
		Duties       []conduct.First           `json:"duties"`
	}
	servicetest.Must(t, json.Unmarshal(raw, &first))
	first.Institutions = append(first.Institutions, institution.Institution{
		ID: "jinhe-successor", NameZH: "继受单位", NameEN: "Successor", Level: "city", Region: "519900", Supervisor: "jinhe-health-commission", Department: "信息科", Post: "数据管理岗",
	})
	for _, sort := range []string{"training", "declaration"} {
		first.Duties = append(first.Duties, conduct.First{Party: "person/erbin", Unit: "jinhe-successor", Sort: sort, Until: policy.DateOf(time.Now().AddDate(1, 0, 0))})
	}
	raw, err = json.Marshal(first)
	servicetest.Must(t, err)
	servicetest.Must(t, os.WriteFile(file, raw, 0o600))
}

// meet puts each service's keys on record of the other.
func meet(t *testing.T, a, b *servicetest.City) {
	t.Helper()
	learn(t, a, b)
	learn(t, b, a)
}

// learn puts a service's keys on record of another, fetched over HTTP.
func learn(t *testing.T, of, by *servicetest.City) {
	t.Helper()
	h, err := of.Handler()
	servicetest.Must(t, err)
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	var keys json.RawMessage
	get(t, server.URL+"/api/v1/keys", &keys)
	servicetest.Must(t, by.Holdings.Enrol(t.Context(), by.Who(t, "shi"), register.Peer{Name: of.Holdings.Name(), Keys: keys}))
}

func get(t *testing.T, url string, into any) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	servicetest.Must(t, err)
	resp, err := http.DefaultClient.Do(req)
	servicetest.Must(t, err)
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d", url, resp.StatusCode)
	}
	servicetest.Must(t, json.NewDecoder(resp.Body).Decode(into))
}

// size is how many entries the log has.
func size(t *testing.T, c *servicetest.City) int64 {
	t.Helper()
	var n int64
	servicetest.Must(t, c.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		var err error
		n, err = tx.LogSize(t.Context())
		return err
	}))
	return n
}

// municipal-8, state47-catalogue: one service takes the other's signed list, with its item codes; a changed, stale or strange one it does not.
func TestCatalogueGoesBetweenServices(t *testing.T) {
	t.Parallel()
	a, b := moulds.City(t), heirs(t)
	ctx := t.Context()
	paper, err := a.Holdings.Export(ctx, a.Who(t, "wu"))
	servicetest.Must(t, err)
	_, err = b.Holdings.Import(ctx, b.Who(t, "zhou"), *paper)
	refusedBy(t, err, "municipal-8/peer", "municipal-8/signature")
	meet(t, a, b)
	changed := *paper
	changed.Payload = strings.Replace(changed.Payload, `"level":3`, `"level":1`, 1)
	_, err = b.Holdings.Import(ctx, b.Who(t, "zhou"), changed)
	refusedBy(t, err, "municipal-8/signature", "municipal-8/whole")
	_, err = b.Holdings.Import(ctx, b.Who(t, "li"), *paper)
	refusedBy(t, err, "sichuan-17/post")
	for _, junk := range []string{"", "{}x", `{"origin":7}`, `{"unknown":1}`, strings.Repeat("[", 1<<16)} {
		if _, err := b.Holdings.Import(ctx, b.Who(t, "zhou"), register.Signed{Payload: junk}); !problem.Is(err, problem.Invalid) {
			t.Errorf("%.10q: %v", junk, err)
		}
	}
	if all, err := b.Holdings.Elsewheres(ctx); err != nil || len(all) != 0 {
		t.Errorf("after refusals: %v %v", all, err)
	}
	n, err := b.Holdings.Import(ctx, b.Who(t, "zhou"), *paper)
	servicetest.Must(t, err)
	all, err := b.Holdings.Elsewheres(ctx)
	servicetest.Must(t, err)
	if n.Datasets != 2 || len(all) != 2 || all[0].Origin != a.Holdings.Name() || n.Items < 8 {
		t.Errorf("taken %+v: %+v", n, all)
	}
	var l register.List
	servicetest.Must(t, json.Unmarshal([]byte(paper.Payload), &l))
	found := false
	for _, i := range l.Items {
		found = found || i.Standard == "WS 363-2011" && i.Code == "DE02.01.040.00" && i.Dataset == jinhe.Dataset && i.Field == "person.sex"
	}
	if !found {
		t.Errorf("the list lacks an item code: %+v", l.Items)
	}
	for _, private := range []string{entry(t, a, jinhe.Dataset).Current.ManifestID, `"manifest"`, `"quality"`, `"transferred":`} {
		if strings.Contains(paper.Payload, private) {
			t.Errorf("the list holds %s, which is not public", private)
		}
	}
	_, err = b.Holdings.Import(ctx, b.Who(t, "zhou"), *paper)
	refusedBy(t, err, "municipal-8/newer")
}

// sichuan-14: all that a unit holds goes over to another service by a list that both sign; counts and hashes agree; nothing is lost, nothing
// is spent twice, and every step out of turn leaves both sides as they were.
func TestTransferLosesNothing(t *testing.T) {
	t.Parallel()
	a, b := moulds.City(t), heirs(t)
	ctx := t.Context()
	ask := job.Ask{Grant: a.Grant, SQL: "SELECT sex, COUNT(*) AS n FROM person GROUP BY sex", Epsilon: 0.2}
	answer, err := a.Jobs.Query(ctx, a.Who(t, "li"), ask)
	servicetest.Must(t, err)
	meet(t, a, b)
	wu, erbin := a.Who(t, "wu"), b.Who(t, "erbin")

	in := register.CapacityInput{From: wu.Institution, Source: a.Holdings.Name(), Equipment: "Two servers of the same make in a locked room.", Staff: 2, MLPS: 3, Evidence: evidence}
	weak := in
	weak.MLPS = 2
	_, err = b.Holdings.Prepare(ctx, erbin, weak)
	refusedBy(t, err, "sichuan-14/capacity")
	statement, err := b.Holdings.Prepare(ctx, erbin, in)
	servicetest.Must(t, err)
	forged := *statement
	forged.Payload = strings.Replace(forged.Payload, `"staff":2`, `"staff":9`, 1)
	_, err = a.Holdings.Offer(ctx, wu, forged, "The commission is merged into its successor.")
	refusedBy(t, err, "sichuan-14/statement")
	_, err = a.Holdings.Offer(ctx, wu, *statement, "")
	refusedBy(t, err, "sichuan-14/reasoned")
	_, err = a.Holdings.Offer(ctx, a.Who(t, "li"), *statement, "The commission is merged into its successor.")
	refusedBy(t, err, "sichuan-14/giver", "sichuan-17/post")
	before := books(t, a)
	bundle, err := a.Holdings.Offer(ctx, wu, *statement, "The commission is merged into its successor.")
	servicetest.Must(t, err)

	// From the list on nothing is spent here any more.
	if _, err := a.Jobs.Query(ctx, a.Who(t, "li"), ask); err == nil {
		t.Error("a question is answered after the list was made")
	}
	if list, err := a.Service.Records.Datasets(ctx); err != nil || len(list) != 0 {
		t.Errorf("the catalogue shows what went over: %v %v", list, err)
	}

	// Operators carry the extracts; here by a copy.
	var list register.TransferList
	servicetest.Must(t, json.Unmarshal([]byte(bundle.List.Payload), &list))
	if _, err := b.Holdings.Receive(ctx, erbin, *bundle); !problem.Is(err, problem.Unverified) {
		t.Errorf("received without the extracts: %v", err)
	}
	servicetest.Must(t, servicetest.CopyDir(filepath.Join(a.Config.Data, "transfers", list.Transfer), filepath.Join(b.Config.Data, "transfers", list.Transfer)))
	changed := *bundle
	changed.Items = strings.Replace(changed.Items, `"state":"active"`, `"state":"ended"`, 1)
	_, err = b.Holdings.Receive(ctx, erbin, changed)
	refusedBy(t, err, "sichuan-14/whole")
	_, err = b.Holdings.Receive(ctx, b.Who(t, "wu"), *bundle)
	refusedBy(t, err, "sichuan-14/receiver")
	if got := books(t, b); len(got) != 0 {
		t.Errorf("after refusals %d accounts", len(got))
	}
	receipt, err := b.Holdings.Receive(ctx, erbin, *bundle)
	servicetest.Must(t, err)
	_, err = b.Holdings.Receive(ctx, erbin, *bundle)
	refusedBy(t, err, "sichuan-14/free", "sichuan-14/step")

	// Nothing lost: accounts and what they spent, grants, versions, owners.
	after := books(t, b)
	if len(after) != len(before) {
		t.Fatalf("%d accounts went over, %d came", len(before), len(after))
	}
	for id, x := range before {
		if y := after[id]; y.Spent != x.Spent || y.Limit != x.Limit || y.Frozen != x.Frozen || y.Closed != x.Closed {
			t.Errorf("%s: %+v came as %+v", id, x, y)
		}
	}
	e := entry(t, b, jinhe.Dataset)
	if e.Dataset.Owner != "jinhe-successor" || e.Current.Version != 1 || e.Current.Approved.By != "zhou" || e.Transferred != "" {
		t.Errorf("the entry came as %+v", e)
	}
	servicetest.Must(t, b.Desk.Store.View(ctx, func(tx *store.Tx) error {
		g, _, err := grant.Load(ctx, tx, a.Grant)
		if err == nil && (g.State != grant.StateActive || g.DataOwners[0] != "jinhe-successor") {
			t.Errorf("the grant came as %+v", g)
		}
		return err
	}))
	// The same question over there is the same answer, and free; a new one runs over the extract that came.
	again, err := b.Jobs.Query(ctx, b.Who(t, "li"), ask)
	servicetest.Must(t, err)
	if !again.FromRecord || len(again.Result.Rows) != len(answer.Result.Rows) {
		t.Errorf("asked again over there: from record %v", again.FromRecord)
	}
	ask.SQL = "SELECT COUNT(*) AS n FROM encounter"
	if _, err := b.Jobs.Query(ctx, b.Who(t, "li"), ask); err != nil {
		t.Errorf("a new question over there: %v", err)
	}

	// The giver closes by the receipt, and only by that.
	bad := *receipt
	bad.Payload = strings.Replace(bad.Payload, `"count":2`, `"count":1`, 1)
	err = a.Holdings.Complete(ctx, wu, bad)
	refusedBy(t, err, "sichuan-14/list", "sichuan-14/whole")
	err = a.Holdings.Complete(ctx, a.Who(t, "zhou"), *receipt)
	refusedBy(t, err, "sichuan-17/post")
	servicetest.Must(t, a.Holdings.Complete(ctx, wu, *receipt))
	n := size(t, a)
	err = a.Holdings.Complete(ctx, wu, *receipt)
	refusedBy(t, err, "sichuan-14/step")
	if got := size(t, a); got != n+1 {
		t.Errorf("a refused step leaves %d entries", got-n)
	}
	x, y := last(t, a, "transfer.completed"), last(t, b, "transfer.received")
	for _, section := range []string{"datasets", "extracts", "grants", "accounts", "records", "duties", "persons", "list"} {
		if x.Facts[section] == "" || x.Facts[section] != y.Facts[section] {
			t.Errorf("%s is on record as %q and %q", section, x.Facts[section], y.Facts[section])
		}
	}
}

// books are the accounts of a service.
func books(t *testing.T, c *servicetest.City) map[string]ledger.Account {
	t.Helper()
	out := map[string]ledger.Account{}
	servicetest.Must(t, c.Desk.Store.View(t.Context(), func(tx *store.Tx) error {
		roots, err := tx.LedgerAccounts(t.Context(), "")
		for _, r := range roots {
			out[r.ID] = r
			below, err := tx.LedgerAccounts(t.Context(), r.ID)
			if err != nil {
				return err
			}
			for _, x := range below {
				out[x.ID] = x
			}
		}
		return err
	}))
	return out
}
