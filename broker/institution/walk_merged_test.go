package institution_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"slices"
	"testing"

	"carrel/broker/application/apptest"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/institution"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// sichuan-14: what somebody with a post gains when his institution is merged into a greater one, tried one by one: the data, the grants,
// the register and the files of the other are no more his than before, and what was his own house's stays his.
func TestNobodyGainsByAMerger(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	theirs := w.Approved("li", apptest.Research()) // of the university, on data of the commission
	_, err := w.Applications.Sign(ctx, w.As("li"), theirs.ID, 0, "applicant", theirs.Agreement.Digest)
	ok(t, err)
	granted := w.Granted("li", apptest.Research()).Grant
	evidence := w.Lodge("ren", "zhou", "he")
	own := conduct.Entry{Party: "institution/" + hospital, Sort: "provider-check", Reason: "现场检查数据提供情况，按期完成。", Article: "sichuan-20", Evidence: evidence, Until: "2026-12-31"}
	_, err = w.Conduct.Impose(ctx, w.As("zhou"), own)
	ok(t, err)
	kinds(commission)["merged"](t, w, hospital)

	// what somebody may not read is not there
	if _, err := w.Applications.Sign(ctx, w.As("ren"), theirs.ID, 0, "owner", theirs.Agreement.Digest); !problem.Is(err, problem.NotFound) {
		t.Errorf("signs for the other's data: %v", err)
	}
	if err := w.Grants.Move(ctx, w.As("ren"), granted, grant.Command{Name: "suspend", Reason: "数据所有者要求暂停该授权。"}); !problem.Is(err, problem.NotFound) {
		t.Errorf("stops a grant on the other's data: %v", err)
	}
	_, err = w.Conduct.Read(ctx, w.As("ren"), "credit", "institution/"+commission, "查看合并后单位的信用档案。")
	denied(t, err, "sichuan-14/post")
	if list, err := w.Conduct.Read(ctx, w.As("ren"), "duty", "institution/"+hospital, "查看本单位原有义务的履行情况。"); err != nil || len(list) != 1 {
		t.Errorf("what was his own house's: %d, %v", len(list), err)
	}
	i, _ := w.Register.Get(commission)
	i.Post = "别的岗位"
	_, err = w.Institutions.Set(ctx, w.As("ren"), i)
	denied(t, err, "sichuan-5/territory")

	// who is of the other house does all of it
	_, err = w.Applications.Sign(ctx, w.As("wu"), theirs.ID, 0, "owner", theirs.Agreement.Digest)
	ok(t, err)
	ok(t, w.Grants.Move(ctx, w.As("wu"), granted, grant.Command{Name: "suspend", Reason: "数据所有者要求暂停该授权。"}))
}

// An authority that was merged into a higher one decides where it did, and not about itself.
func TestTerritoryDoesNotGrow(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	kinds(province)["merged"](t, w, commission)
	for id, change := range map[string]func(*institution.Institution){
		other:      func(i *institution.Institution) { i.Post = "岗位" },
		commission: func(i *institution.Institution) { i.Successor = "" },
	} {
		i, _ := w.Register.Get(id)
		change(&i)
		_, err := w.Institutions.Set(t.Context(), w.As("zhou"), i)
		denied(t, err, "sichuan-5/territory")
	}
	i, _ := w.Register.Get(university)
	i.Department += "处"
	_, err := w.Institutions.Set(t.Context(), w.As("zhou"), i)
	ok(t, err)
}

// What an institution owes and did is put on nobody whom the authority that enters it is not above.
func TestHeirsLieInTheTerritory(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	i, _ := w.Register.Get(hospital)
	i.Ended, i.Successor = "2026-11-21", other
	_, err := w.Institutions.Set(t.Context(), w.As("zhou"), i)
	denied(t, err, "sichuan-14/heir")
	changed(t, w, province, hospital, func(i *institution.Institution) { i.Ended, i.Successor = "2026-11-21", other })
}

// sichuan-16, municipal-5, sichuan-35: files and reports follow the institution: the successor's file has what the other's had, also when
// it goes to the credit platform; its people read it as their own; an incident goes to whom the successor is under.
func TestFilesFollowTheInstitution(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	ctx := context.Background()
	evidence := w.Lodge("zhou", "he")
	m, err := w.Conduct.Enter(ctx, w.As("he"), conduct.Entry{Party: "institution/" + hospital, Sort: "misuse", Reason: "未按授权范围使用数据，情况属实。", Article: "sichuan-16", Evidence: evidence})
	ok(t, err)
	d := apptest.Research()
	g := w.Granted("li", d).Grant
	kinds(other)["merged"](t, w, hospital)
	x, err := w.Conduct.Export(ctx, w.As("zhou"), "institution/"+other, "报送信用信息平台年度汇总。")
	ok(t, err)
	var sent conduct.Exported
	ok(t, json.Unmarshal([]byte(x.Payload), &sent))
	if !slices.ContainsFunc(sent.Entries, func(e conduct.ExportedEntry) bool { return e.ID == m.ID }) {
		t.Errorf("the successor is without fault: %+v", sent)
	}
	if _, err := w.Conduct.Read(ctx, w.As("hu"), "credit", "institution/"+hospital, ""); err != nil {
		t.Errorf("the file of one's own: %v", err)
	}
	if all := w.Entries(); all[len(all)-1].Actor != "hu" || all[len(all)-1].Facts["outside"] != "false" {
		t.Errorf("who reads the file of whom his house succeeded is on record as an outsider: %+v", all[len(all)-1])
	}
	_, err = w.Conduct.Report(ctx, w.As("ren"), conduct.Report{Sort: "actual", Found: w.Clock.Now(), Kinds: []string{"health"}, Texts: map[string]string{"what": "访问日志出现异常导出，正在核查。"}})
	ok(t, err)
	reports, err := w.Conduct.Reports(ctx, w.As("yan"))
	ok(t, err)
	if len(reports) != 1 || !slices.Equal(reports[0].Addressed, []string{province}) {
		t.Errorf("reported to %+v", reports)
	}
	// who has access, by institution, is asked for by the name of either
	kinds(other)["merged"](t, w, university)
	for _, id := range []string{university, other} {
		rows, err := w.Grants.Who(ctx, w.As("yan"), grant.AccessFilter{Institution: id})
		if err != nil || !slices.ContainsFunc(rows, func(a grant.Access) bool { return a.Grant == g }) {
			t.Errorf("%s has access to nothing: %v", id, err)
		}
	}
}

// state47-open: a use that is limited to an institution is open to whom it was merged into, to nobody else, and to nobody while it ended
// without a successor; where the owner enters another institution, that one uses it from its next question on.
func TestUseLimitedToAnInstitution(t *testing.T) {
	t.Parallel()
	limited := func(w *apptest.World, to string) {
		t.Helper()
		ctx := context.Background()
		src, err := os.ReadFile("../application/apptest/jinhe.yaml")
		ok(t, err)
		src = bytes.Replace(src, []byte("duo: [GRU]"), []byte("duo: [GRU, \"IS:"+to+"\"]"), 1)
		ok(t, w.Store.Update(ctx, func(tx *store.Tx) error {
			_, rev, err := w.Catalogue.Get(ctx, act.CatalogueTx{Tx: tx}, "jinhe")
			if err != nil {
				return err
			}
			_, err = w.Catalogue.Put(ctx, act.CatalogueTx{Tx: tx}, rev, "wu", "jinhe.yaml", src)
			return err
		}))
	}
	submit := func(w *apptest.World, who string) string {
		t.Helper()
		d := apptest.Research()
		d.Facts.Team = nil
		d.Facts.Use = policy.Use{Types: []string{"GRU"}, Diseases: []string{}, Flags: []string{}, Accepts: []string{}}
		a, err := w.Create(context.Background(), w.As(who), d)
		if err != nil {
			return ruled(t, err)
		}
		_, err = w.Applications.Submit(context.Background(), w.As(who), a.ID, 0)
		return ruled(t, err)
	}
	const rule, gone = "state47-open/data-use", "sichuan-14/ended"
	for name, x := range map[string]struct {
		change   func(t *testing.T, w *apptest.World)
		li, hu   string
		entered  string
		entry    string
		li2, hu2 string
	}{
		"as it is":             {func(*testing.T, *apptest.World) {}, "", rule, "", "", "", ""},
		"merged":               {func(t *testing.T, w *apptest.World) { t.Helper(); kinds(other)["merged"](t, w, university) }, "", "", "", "", "", ""},
		"the other way round":  {func(t *testing.T, w *apptest.World) { t.Helper(); kinds(university)["merged"](t, w, other) }, "", "", "", "", "", ""},
		"merged with somebody": {func(t *testing.T, w *apptest.World) { t.Helper(); kinds(province)["merged"](t, w, university) }, "", rule, "", "", "", ""},
		"ended":                {func(t *testing.T, w *apptest.World) { t.Helper(); kinds("")["ended"](t, w, university) }, gone, rule, "entered", other, gone, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := apptest.New(t)
			limited(w, university)
			x.change(t, w)
			for who, want := range map[string]string{"li": x.li, "hu": x.hu} {
				if got := submit(w, who); got != want {
					t.Errorf("%s: refused by %q, want %q", who, got, want)
				}
			}
			if x.entered == "" {
				return
			}
			limited(w, x.entry)
			for who, want := range map[string]string{"li": x.li2, "hu": x.hu2} {
				if got := submit(w, who); got != want {
					t.Errorf("entered anew, %s: refused by %q, want %q", who, got, want)
				}
			}
		})
	}
}
