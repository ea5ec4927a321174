package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/audit/verify"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/jinhe"
	"carrel/broker/job"
	"carrel/broker/record"
	"carrel/broker/service"
	"carrel/policy"
)

// summary is the last line of the demo.
type summary struct {
	Application string         `json:"application"`
	Permit      string         `json:"permit"`
	Reviews     int            `json:"reviews"`
	Queries     []summaryQuery `json:"queries"`
	Ledger      struct {
		Spent float64 `json:"epsilon_spent"`
		Left  float64 `json:"epsilon_left"`
	} `json:"ledger"`
	Handover struct {
		Rows     int64 `json:"rows"`
		Columns  int   `json:"columns"`
		Signed   bool  `json:"signed"`
		Verified bool  `json:"verified"`
	} `json:"handover"`
	Audit struct {
		Entries  int64 `json:"entries"`
		Verified bool  `json:"verified"`
	} `json:"audit"`
	Extract struct {
		Rows    int64 `json:"rows"`
		Persons int64 `json:"persons"`
		K       int   `json:"k"`
	} `json:"extract"`
}

type summaryQuery struct {
	SQL     string  `json:"sql"`
	Epsilon float64 `json:"epsilon"`
	Rows    int     `json:"rows"`
	MS      int64   `json:"ms"`
}

// question is one of the demo's questions. The rows that one person may bring are chosen as a researcher would: few where most
// persons have few, since noise grows with them.
type question struct {
	sql     string
	epsilon float64
	rows    int64
}

func (q question) ask(grant string) job.Ask {
	return job.Ask{Grant: grant, SQL: q.sql, Epsilon: q.epsilon, RowsPerPerson: map[string]int64{"*": q.rows}}
}

// demoQuestions are what the demo's researcher asks.
var demoQuestions = [...]question{
	{"SELECT department, COUNT(*) AS stays, AVG(total_cost) AS cost FROM encounter GROUP BY department ORDER BY stays DESC", 1, 5},
	{"SELECT p.sex, COUNT(*) AS events FROM cv_event e JOIN person p ON e.person_id = p.person_id WHERE e.kind = 'infarction' GROUP BY p.sex", 0.5, 1},
	{"SELECT h.grade, COUNT(*) AS strokes, AVG(e.door_to_needle_min) AS minutes FROM cv_event e JOIN hospital h ON e.hospital_id = h.hospital_id WHERE e.kind = 'stroke' GROUP BY h.grade", 1, 1},
	{"SELECT icd10, COUNT(*) AS stays FROM encounter GROUP BY icd10 ORDER BY stays DESC LIMIT 10", 1, 5},
}

func (a *app) demoRun() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "run --dir DIR", Short: "Take one application to noised answers and one package to its receipt; last line is JSON",
		Example: "  carrel demo run --dir demo --persons 20000", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error { return a.runDemo(cmd.Context(), f) },
	}
	f.add(cmd, a)
	return cmd
}

func (a *app) runDemo(ctx context.Context, f demoFlags) error {
	d, err := a.prepareDemo(ctx, f, a.out)
	if err != nil {
		return err
	}
	s, err := service.Open(ctx, d.config)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return errors.Join(err, s.Close())
	}
	serving, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(serving, l) }()
	j := &journey{app: a, demo: d, base: "http://" + l.Addr().String(), apis: map[string]*api{}}
	err = j.travel(ctx)
	stop()
	if err = errors.Join(err, <-ended, s.Close()); err != nil {
		return err
	}
	if err := j.verifyCopy(ctx); err != nil {
		return err
	}
	j.sum.Extract.Rows, j.sum.Extract.Persons = d.rows, d.persons
	return json.NewEncoder(a.out).Encode(j.sum)
}

// journey is the demo's way through the service, each step as the person whose step it is, over HTTP.
type journey struct {
	*app
	demo *preparedDemo
	base string
	apis map[string]*api
	sum  summary
	key  string // the log's public key, noted down while the service ran
}

// as gives a logged-in client for an account.
func (j *journey) as(ctx context.Context, account string) (*api, error) {
	if c, ok := j.apis[account]; ok {
		return c, nil
	}
	var s session
	body := map[string]string{"account": account, "password": j.demo.password[account]}
	if err := newAPI(j.base, "").post(ctx, "/login", body, &s); err != nil {
		return nil, err
	}
	c := newAPI(j.base, s.Token)
	j.apis[account] = c
	return c, nil
}

func (j *journey) do(ctx context.Context, account, path string, in, out any) error {
	c, err := j.as(ctx, account)
	if err != nil {
		return err
	}
	if err := c.post(ctx, path, in, out); err != nil {
		return fmt.Errorf("%s: %w", account, err)
	}
	return nil
}

func (j *journey) see(ctx context.Context, account, path string, out any) error {
	c, err := j.as(ctx, account)
	if err != nil {
		return err
	}
	return c.get(ctx, path, out)
}

func (j *journey) tell(zh, en string, args ...any) {
	fmt.Fprintf(j.out, "• "+j.say(zh, en)+"\n", args...)
}

func (j *journey) travel(ctx context.Context) error {
	research, err := j.grantFor(ctx, "li", researchDraft())
	if err != nil {
		return err
	}
	j.sum.Application, j.sum.Reviews = research.ID, len(research.Needed) // a review may be of several votes
	if err := j.permit(ctx, research.Grant); err != nil {
		return err
	}
	if err := j.questions(ctx, research.Grant); err != nil {
		return err
	}
	registry, err := j.grantFor(ctx, "zheng", registryDraft())
	if err != nil {
		return err
	}
	if err := j.handover(ctx, registry.Grant); err != nil {
		return err
	}
	var cp record.Checkpoint
	if err := j.see(ctx, "yan", "/audit/checkpoint", &cp); err != nil {
		return err
	}
	j.key = cp.Key
	return os.WriteFile(filepath.Join(j.demo.site.root, "checkpoint-seen.txt"), []byte(cp.Checkpoint), 0o600)
}

// grantFor takes an application through the reviews that policy asks for, the decision and both signatures.
func (j *journey) grantFor(ctx context.Context, lead string, d application.Draft) (*application.Application, error) {
	var ap application.Application
	if err := j.do(ctx, lead, "/applications", d, &ap); err != nil {
		return nil, err
	}
	if err := j.attach(ctx, lead, ap.ID); err != nil {
		return nil, err
	}
	if err := j.do(ctx, lead, "/applications/"+ap.ID+"/submit", nil, &ap); err != nil {
		return nil, err
	}
	j.tell("%s 提交申请 %s；策略要求的审查：%s", "%s submits application %s; policy asks for the reviews %s", lead, ap.ID, strings.Join(ap.Needed, ", "))
	if err := j.reviewed(ctx, &ap); err != nil {
		return nil, err
	}
	decision := application.DecisionInput{Choice: "approve", Grounds: "合法、必要。Lawful and necessary.", Conditions: []string{"每年报告一次使用情况。Report use once a year."}}
	if err := j.do(ctx, "zhou", "/applications/"+ap.ID+"/decide", decision, &ap); err != nil {
		return nil, err
	}
	j.tell("%s 批准（附条件）", "%s approves, with a condition", "zhou")
	sides := []struct{ who, side string }{{lead, "applicant"}, {"wu", "owner"}}
	if d.Facts.Agreement.Host != "" {
		sides = slices.Insert(sides, 1, struct{ who, side string }{"liang", "host"})
	}
	for _, side := range sides {
		var text application.AgreementView
		if err := j.see(ctx, side.who, "/applications/"+ap.ID+"/agreement", &text); err != nil {
			return nil, err
		}
		if err := j.do(ctx, side.who, "/applications/"+ap.ID+"/agreement/sign", map[string]string{"side": side.side, "digest": text.Digest}, &ap); err != nil {
			return nil, err
		}
	}
	j.tell("双方签署协议；授权 %s 生效", "both sides sign; grant %s stands", ap.Grant)
	return &ap, nil
}

// reviewed takes a submitted application through the reviews that policy asks for. The ethics committee is two at least.
func (j *journey) reviewed(ctx context.Context, ap *application.Application) error {
	reviewers := map[string][]string{"ethics": {"chen", "mei"}, "confidentiality": {"zhao"}, "security-risk": {"qian"}, "privacy-impact": {"sun"}, "qc-scope": {"qin"}}
	for _, kind := range ap.Needed {
		if len(reviewers[kind]) == 0 {
			return fmt.Errorf("the demo has no reviewer for %s", kind)
		}
		for _, who := range reviewers[kind] {
			var sheet application.Sheet
			if err := j.see(ctx, who, "/reviews/"+kind+"/sheet", &sheet); err != nil {
				return err
			}
			in := application.ReviewInput{Kind: kind, Verdict: "approve", Findings: "审阅申请材料后无异议。No objection after reading the file.", Sheet: sheet.Version, Answers: sheet.Clear()}
			if err := j.do(ctx, who, "/applications/"+ap.ID+"/review", in, ap); err != nil {
				return err
			}
			j.tell("%s 完成审查 %s", "%s holds the review %s", who, kind)
		}
	}
	return nil
}

func (j *journey) permit(ctx context.Context, g string) error {
	var p struct {
		Permit struct {
			ID string `json:"id"`
			To string `json:"to"`
		} `json:"permit"`
	}
	if err := j.do(ctx, "li", "/grants/"+g+"/permit", map[string]any{}, &p); err != nil {
		return err
	}
	j.sum.Permit = p.Permit.ID
	j.tell("许可令牌 %s，有效至 %s", "permit %s, good until %s", p.Permit.ID, p.Permit.To)
	return nil
}

func (j *journey) questions(ctx context.Context, g string) error {
	for _, q := range demoQuestions {
		ask := q.ask(g)
		var x job.Explanation
		if err := j.do(ctx, "li", "/explain", ask, &x); err != nil {
			return err
		}
		start := time.Now()
		var ans job.Answer
		if err := j.do(ctx, "li", "/query", ask, &ans); err != nil {
			return err
		}
		took := time.Since(start)
		fmt.Fprintf(j.out, "\n%s\n", q.sql)
		j.printAnswer(j.out, ans)
		j.sum.Queries = append(j.sum.Queries, summaryQuery{SQL: q.sql, Epsilon: ans.Epsilon, Rows: len(ans.Result.Rows), MS: took.Milliseconds()})
	}
	fmt.Fprintln(j.out)
	if err := j.repeat(ctx, g); err != nil {
		return err
	}
	return j.books(ctx, g)
}

// books reads what the grant has spent, as the ledger shows it.
func (j *journey) books(ctx context.Context, g string) error {
	var all []record.Budget
	if err := j.see(ctx, "li", "/ledger", &all); err != nil {
		return err
	}
	for _, b := range all {
		if b.ID == "grant/"+g {
			j.sum.Ledger.Spent, j.sum.Ledger.Left = b.Spent, b.Left
			return nil
		}
	}
	return errors.New("the ledger does not show the grant")
}

// repeat asks the first question again in other words: answered from record, free.
func (j *journey) repeat(ctx context.Context, g string) error {
	var ans job.Answer
	again := demoQuestions[0]
	again.sql = "select Department, count(*), avg(total_cost) from encounter e group by 1"
	ask := again.ask(g)
	if err := j.do(ctx, "li", "/query", ask, &ans); err != nil {
		return err
	}
	if !ans.FromRecord {
		return errors.New("the same question in other words was charged again")
	}
	j.tell("换个写法再问同一问题：按记录作答，不再扣减", "the first question again in other words: answered from record, free")
	return nil
}

func (j *journey) handover(ctx context.Context, g string) error {
	var h handover.Handover
	if err := j.do(ctx, "feng", "/grants/"+g+"/handovers", map[string]string{}, &h); err != nil {
		return err
	}
	j.tell("质控数据包 %s：%d 行 %d 列，k = %d", "QC package %s: %d rows, %d columns, k = %d", h.ID, h.Package.Rows, h.Package.Columns, h.Package.K.Smallest)
	file := filepath.Join(j.demo.site.root, h.ID+".carrel")
	if err := j.pull(ctx, h.ID, file); err != nil {
		return err
	}
	o := offline{key: j.demo.site.key()}
	report, err := j.inspect(file, o, filepath.Join(j.demo.site.root, "qc-data"))
	if err != nil {
		return err
	}
	key, err := parcel.ReadReceiverKey(o.key)
	if err != nil {
		return err
	}
	receipt := map[string]string{"signature": key.Acknowledge(h.ID, report.Cover.Manifest)}
	if err := j.do(ctx, "zheng", "/handovers/"+h.ID+"/acknowledgement", receipt, &h); err != nil {
		return err
	}
	j.tell("离线验证并解密，签收回执已入账", "verified and opened offline; the countersigned receipt is on record")
	j.sum.Handover.Rows, j.sum.Handover.Columns, j.sum.Handover.Signed, j.sum.Handover.Verified = h.Package.Rows, h.Package.Columns, h.Receipt != nil, report.Opened
	j.sum.Extract.K = h.Package.K.Smallest
	return nil
}

func (j *journey) pull(ctx context.Context, id, file string) error {
	c, err := j.as(ctx, "feng")
	if err != nil {
		return err
	}
	var keys []byte
	if err := c.get(ctx, "/keys", &keys); err != nil {
		return err
	}
	if err := os.WriteFile(file+".keys.json", keys, 0o600); err != nil {
		return err
	}
	resp, err := c.send(ctx, "GET", "/handovers/"+id+"/package", nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	return save(file, resp.Body, resp.ContentLength, func(int64, int64) {})
}

// verifyCopy is the auditor's work on a copy of the stopped service's database, with the head seen while it ran.
func (j *journey) verifyCopy(ctx context.Context) error {
	copied := filepath.Join(j.demo.site.root, "auditor-copy.db")
	if err := copyFile(filepath.Join(j.demo.site.data(), "carrel.db"), copied); err != nil {
		return err
	}
	seen, err := verify.LoadCheckpoints(filepath.Join(j.demo.site.root, "checkpoint-seen.txt"))
	if err != nil {
		return err
	}
	r, err := verify.Verify(ctx, verify.Options{DB: copied, Checkpoints: seen, Key: j.key})
	if err != nil {
		return err
	}
	j.printVerified(j.out, r)
	j.sum.Audit.Entries, j.sum.Audit.Verified = r.Entries, r.Verified
	if !r.Verified {
		return errors.New("the log does not verify")
	}
	return nil
}

func copyFile(from, to string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	dst, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// demoDocument is the paper of the demo: the committee's approval, which serves as the receiver's certificate too.
func demoDocument() []byte {
	return []byte("金河市医学伦理委员会批准该项目；质控中心系统已通过三级等级保护备案。\nThe ethics committee of Jinhe approves the project; the centre's system holds a certificate of level 3.\n(演示用文件 A document for the demonstration)\n")
}

func demoDocumentHash() string {
	sum := sha256.Sum256(demoDocument())
	return "sha256:" + hex.EncodeToString(sum[:])
}

// attach puts the demo's document to an application.
func (j *journey) attach(ctx context.Context, lead, app string) error {
	c, err := j.as(ctx, lead)
	if err != nil {
		return err
	}
	var x application.Attached
	if err := c.upload(ctx, "/applications/"+app+"/attachments?name=approval.txt", attachment.Text, bytes.NewReader(demoDocument()), &x); err != nil {
		return fmt.Errorf("%s: %w", lead, err)
	}
	j.tell("%s 附上伦理批件（%s…）", "%s attaches the ethics approval (%s…)", lead, x.Hash[:19])
	return nil
}

func researchDraft() application.Draft {
	now := time.Now()
	return application.Draft{
		Facts: policy.Application{
			Kind: "query", Purpose: "research", Team: []string{"wang"}, From: policy.DateOf(now), To: policy.DateOf(now.AddDate(1, 0, 0)), Funding: "public", Conflicts: "none",
			Ethics: policy.Ethics{Document: demoDocumentHash()},
			Wishes: policy.List[policy.Wish]{{Dataset: jinhe.Dataset, Columns: []string{"person.*", "encounter.*", "cv_event.*"}}},
		},
		Texts: map[string]string{
			application.TextTitle: "医院等级与卒中救治 Hospital grade and stroke care", application.TextReason: "比较不同等级医院的急救时间与费用。Compare times and costs of care between hospital grades.",
			application.TextMethods: "分组计数与均值。Counts and means by group.",
		},
	}
}

func registryDraft() application.Draft {
	now := time.Now()
	var columns []string
	for _, c := range jinhe.HandoverColumns() {
		columns = append(columns, "cv_event."+c)
	}
	return application.Draft{
		Facts: policy.Application{
			Kind: "handover", Purpose: "quality-control", Team: []string{"feng"}, From: policy.DateOf(now), To: policy.DateOf(now.AddDate(1, 0, 0)), Funding: "none", Conflicts: "none",
			Ethics:    policy.Ethics{Document: demoDocumentHash()},
			Wishes:    policy.List[policy.Wish]{{Dataset: jinhe.Registry, Columns: columns}},
			Agreement: policy.Terms{Host: "jinhe-first-hospital"},
			Receiver:  policy.Receiver{System: "QC registry server", MLPS: 3, Evidence: demoDocumentHash(), Expires: policy.DateOf(now.AddDate(2, 0, 0)), Officer: true},
			Remit:     policy.Remit{Hospitals: jinhe.HospitalIDs(), Kinds: []string{"stroke", "infarction"}, From: "2018-01", To: "2025-12"},
		},
		Texts: map[string]string{
			application.TextTitle: "胸痛与卒中中心质控 Quality control of chest-pain and stroke centres", application.TextReason: "按职责核对急救时间指标。Check times of care within the centre's remit.",
			application.TextMethods: "逐例核对与指标计算。Case review and indicators.",
		},
	}
}
