package register_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"carrel/broker/catalogue/register"
	"carrel/broker/problem"
	"carrel/broker/service/servicetest"
)

// sealed signs a payload as a service does.
func sealed(t *testing.T, c *servicetest.City, typ string, payload any) register.Signed {
	t.Helper()
	raw, err := json.Marshal(payload)
	servicetest.Must(t, err)
	sig, err := c.Keys.Signer().SignDetached(typ, raw)
	servicetest.Must(t, err)
	return register.Signed{Payload: string(raw), Signature: sig}
}

// municipal-8: a list counts as its own service signed it, whole, and newer than the last: whatever else a service on record signs or
// somebody else passes on is refused by its rule, and what was taken before stays.
func TestHostileLists(t *testing.T) {
	t.Parallel()
	a, b := moulds.City(t), heirs(t)
	ctx := t.Context()
	learn(t, a, b)
	older, err := a.Holdings.Export(ctx, a.Who(t, "wu"))
	servicetest.Must(t, err)
	paper, err := a.Holdings.Export(ctx, a.Who(t, "wu"))
	servicetest.Must(t, err)
	n, err := b.Holdings.Import(ctx, b.Who(t, "zhou"), *paper)
	servicetest.Must(t, err)
	made := time.Now()
	list := func(change func(l *register.List)) register.List {
		var l register.List
		servicetest.Must(t, json.Unmarshal([]byte(paper.Payload), &l))
		l.Made = made.Add(time.Minute)
		change(&l)
		return l
	}
	for name, x := range map[string]struct {
		paper register.Signed
		rules []string
	}{
		"replayed":               {*paper, []string{"municipal-8/newer"}},
		"older":                  {*older, []string{"municipal-8/newer"}},
		"of tomorrow":            {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Made = made.AddDate(0, 0, 1) })), []string{"municipal-8/newer"}},
		"another signer's":       {sealed(t, b, register.TypeList, list(func(*register.List) {})), []string{"municipal-8/signature"}},
		"signed for another use": {sealed(t, a, register.TypeReceipt, list(func(*register.List) {})), []string{"municipal-8/signature"}},
		"of a third service":     {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Origin = "carrel.example/third" })), []string{"municipal-8/peer", "municipal-8/signature"}},
		"of no service":          {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Origin = "" })), []string{"municipal-8/peer", "municipal-8/signature"}},
		"a line changed":         {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Datasets[0].View.Level = 1 })), []string{"municipal-8/whole"}},
		"a line twice":           {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Datasets = append(l.Datasets, l.Datasets[0]) })), []string{"municipal-8/whole"}},
		"a line less":            {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Datasets = l.Datasets[1:] })), []string{"municipal-8/whole"}},
		"a wrong count":          {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Count.Items++ })), []string{"municipal-8/whole"}},
		"an item changed":        {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Items[0].Code = "../../etc/passwd" })), []string{"municipal-8/whole"}},
		"a wrong hash":           {sealed(t, a, register.TypeList, list(func(l *register.List) { l.Datasets[0].SHA256 = evidence })), []string{"municipal-8/whole"}},
		"without its signature":  {register.Signed{Payload: paper.Payload}, []string{"municipal-8/newer", "municipal-8/signature"}},
	} {
		before := size(t, b)
		_, err := b.Holdings.Import(ctx, b.Who(t, "zhou"), x.paper)
		if t.Run(name, func(t *testing.T) { refusedBy(t, err, x.rules...) }); err == nil {
			t.Fatalf("%s: taken", name)
		}
		if got := size(t, b) - before; got != 1 {
			t.Errorf("%s: the log has %d entries of it", name, got)
		}
	}
	big := *paper
	big.Payload = strings.Repeat(" ", register.MaxPayload) + big.Payload
	if _, err := b.Holdings.Import(ctx, b.Who(t, "zhou"), big); !problem.Is(err, problem.Invalid) {
		t.Errorf("a list that is too large: %v", err)
	}
	if all, err := b.Holdings.Elsewheres(ctx); err != nil || len(all) != n.Datasets || all[0].Brief.Level != 3 {
		t.Errorf("after refusals: %+v %v", all, err)
	}
	_, err = b.Holdings.Import(ctx, b.Who(t, "zhou"), sealed(t, a, register.TypeList, list(func(*register.List) {})))
	servicetest.Must(t, err)
}

// bring prepares a transfer and gives its bundle, with the folder that operators carry.
func bring(t *testing.T, a, b *servicetest.City) (*register.Signed, *register.Bundle, register.TransferList) {
	t.Helper()
	meet(t, a, b)
	wu := a.Who(t, "wu")
	statement, err := b.Holdings.Prepare(t.Context(), b.Who(t, "erbin"), register.CapacityInput{From: wu.Institution, Source: a.Holdings.Name(),
		Equipment: "Two servers of the same make in a locked room.", Staff: 2, MLPS: 3, Evidence: evidence})
	servicetest.Must(t, err)
	bundle, err := a.Holdings.Offer(t.Context(), wu, *statement, "The commission is merged into its successor.")
	servicetest.Must(t, err)
	var list register.TransferList
	servicetest.Must(t, json.Unmarshal([]byte(bundle.List.Payload), &list))
	servicetest.Must(t, servicetest.CopyDir(filepath.Join(a.Config.Data, "transfers", list.Transfer), filepath.Join(b.Config.Data, "transfers", list.Transfer)))
	return statement, bundle, list
}

// resign makes a bundle of changed items whose list agrees with them, signed by the giver: a giver who is hostile.
func resign(t *testing.T, a *servicetest.City, list register.TransferList, items map[string]any) register.Bundle {
	t.Helper()
	raw, err := json.Marshal(items)
	servicetest.Must(t, err)
	typed, sections, err := register.Recount(raw)
	servicetest.Must(t, err)
	list.Sections = sections
	return register.Bundle{List: sealed(t, a, register.TypeTransfer, list), Items: string(typed)}
}

// sichuan-14: a giver who signs whatever it likes brings nothing in but what the receiver can read, count and place: no path leads out of
// the folder, no other unit's dataset comes along, no extract stands for another. Each refusal leaves the receiver as it was.
func TestHostileHoldings(t *testing.T) {
	t.Parallel()
	a, b := moulds.City(t), heirs(t)
	ctx := t.Context()
	statement, bundle, list := bring(t, a, b)
	erbin := b.Who(t, "erbin")
	fresh := func() map[string]any {
		var m map[string]any
		servicetest.Must(t, json.Unmarshal([]byte(bundle.Items), &m))
		return m
	}
	at := func(m map[string]any, section string, i int) map[string]any {
		return m[section].([]any)[i].(map[string]any)
	}
	refuses := func(name string, x register.Bundle) {
		t.Helper()
		if _, err := b.Holdings.Receive(ctx, erbin, x); err == nil || !problem.Is(err, problem.Unverified) && !problem.Is(err, problem.Forbidden) && !problem.Is(err, problem.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
		if got := books(t, b); len(got) != 0 {
			t.Fatalf("%s: %d accounts came in", name, len(got))
		}
		if all, err := b.Service.Records.Datasets(ctx); err != nil || len(all) != 0 {
			t.Fatalf("%s: datasets came in: %v %v", name, all, err)
		}
	}
	for name, change := range map[string]func(m map[string]any){
		"an extract with a path":  func(m map[string]any) { at(m, "extracts", 0)["manifest"] = "../../keys" },
		"an extract at the root":  func(m map[string]any) { at(m, "extracts", 0)["manifest"] = "/etc" },
		"a dataset with a path":   func(m map[string]any) { at(m, "extracts", 0)["dataset"] = "../jinhe" },
		"persons with a path":     func(m map[string]any) { at(m, "persons", 0)["dataset"] = "../../data/keys" },
		"one extract for another": func(m map[string]any) { at(m, "extracts", 0)["manifest"] = at(m, "extracts", 1)["manifest"] },
		"a wrong fingerprint":     func(m map[string]any) { at(m, "extracts", 0)["fingerprint"] = evidence },
		"an extract less":         func(m map[string]any) { m["extracts"] = m["extracts"].([]any)[1:] },
		"no persons":              func(m map[string]any) { m["persons"] = []any{} },
		"persons of a wrong hash": func(m map[string]any) { at(m, "persons", 0)["sha256"] = evidence },
		"another unit's dataset": func(m map[string]any) {
			d := at(m, "datasets", 0)
			d["source"] = strings.Replace(d["source"].(string), "owner: jinhe-health-commission", "owner: jinhe-first-hospital", 1)
		},
		"a dataset under another name": func(m map[string]any) { at(m, "datasets", 0)["id"] = "other" },
		"an entry that is none": func(m map[string]any) {
			at(m, "datasets", 0)["source"] = "owner: jinhe-health-commission\nx: &a [*a, *a]\n"
		},
		"a grant under another number":  func(m map[string]any) { at(m, "grants", 0)["id"] = "g-00000000000000000000" },
		"a budget that was spent again": func(m map[string]any) { at(m, "accounts", 0)["spent"] = map[string]any{"units": 1} },
		"a budget without its root":     func(m map[string]any) { m["accounts"] = m["accounts"].([]any)[1:] },
		"no budget":                     func(m map[string]any) { m["accounts"], m["records"] = []any{}, []any{} },
	} {
		m := fresh()
		change(m)
		refuses(name, resign(t, a, list, m))
	}
	for name, change := range map[string]func(l *register.TransferList){
		"a transfer that nobody prepared": func(l *register.TransferList) { l.Transfer = "tr-00000000000000000000" },
		"a transfer with a path":          func(l *register.TransferList) { l.Transfer = "../" + l.Transfer },
		"to another service":              func(l *register.TransferList) { l.To = "carrel.example/third" },
		"of another unit":                 func(l *register.TransferList) { l.From = "jinhe-first-hospital" },
		"to another unit":                 func(l *register.TransferList) { l.Heir = "jinhe-first-hospital" },
		"from another service":            func(l *register.TransferList) { l.Origin = "carrel.example/third" },
	} {
		l := list
		change(&l)
		refuses(name, resign(t, a, l, fresh()))
	}
	refuses("signed by the receiver itself", register.Bundle{List: sealed(t, b, register.TypeTransfer, list), Items: bundle.Items})
	refuses("signed as a receipt", register.Bundle{List: sealed(t, a, register.TypeReceipt, list), Items: bundle.Items})
	damaged(t, b, list, func() { refuses("an extract with a byte changed", *bundle) })
	if _, err := os.Stat(filepath.Join(b.Config.Data, "keys", "accounts.json")); err != nil {
		t.Error(err)
	}
	_, err := b.Holdings.Receive(ctx, erbin, *bundle)
	servicetest.Must(t, err)

	// A statement offers once.
	_, err = a.Holdings.Offer(ctx, a.Who(t, "wu"), *statement, "The commission is merged into its successor.")
	refusedBy(t, err, "sichuan-14/step")
	var c register.Capacity
	servicetest.Must(t, json.Unmarshal([]byte(statement.Payload), &c))
	c.Transfer = "../../keys"
	if _, err := a.Holdings.Offer(ctx, a.Who(t, "wu"), sealed(t, b, register.TypeCapacity, c), "The commission is merged into its successor."); err == nil {
		if _, err := os.Stat(filepath.Join(a.Config.Data, "keys", "jinhe.persons")); err == nil {
			t.Error("a statement's number led out of the folder of transfers")
		}
	}
}

// damaged changes one byte of a file that a transfer brought while something is done.
func damaged(t *testing.T, b *servicetest.City, list register.TransferList, do func()) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(b.Config.Data, "transfers", list.Transfer, "*", "*"))
	servicetest.Must(t, err)
	for _, f := range files {
		if strings.HasSuffix(f, ".json") {
			continue
		}
		raw, err := os.ReadFile(f)
		servicetest.Must(t, err)
		raw[len(raw)/2] ^= 1
		servicetest.Must(t, os.WriteFile(f, raw, 0o600))
		do()
		raw[len(raw)/2] ^= 1
		servicetest.Must(t, os.WriteFile(f, raw, 0o600))
		return
	}
	t.Fatal("the transfer brought no file")
}
