// Package web is the pages: server-rendered, in Chinese and English, over the same use cases as the API.
//
// It promises: no page repeats a rule (every route is put to policy before its form is read, and what a page offers is what policy
// says the person may do); no script runs at all and nothing is loaded from elsewhere (strict content security policy, no inline
// style); a form sent by another site is refused (origin check, and a session cookie that other sites cannot send); every text
// that people wrote is escaped; what is not for somebody looks like what is not there.
//
// It does not promise to work in browsers older than two years, nor that logging out ends a token that was stolen before: it ends
// with its hour. Because the cookie is SameSite=Strict, a link from another site arrives logged out.
package web

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/go-chi/chi/v5"

	"carrel/broker/abroad"
	"carrel/broker/agreement"
	"carrel/broker/application"
	"carrel/broker/auth"
	"carrel/broker/board"
	"carrel/broker/calendar"
	"carrel/broker/conduct"
	"carrel/broker/grant"
	"carrel/broker/grant/act"
	"carrel/broker/handover"
	"carrel/broker/institution"
	"carrel/broker/job"
	"carrel/broker/notice"
	"carrel/broker/paper"
	"carrel/broker/record"
	"carrel/broker/resident"
	"carrel/broker/supervise"
	"carrel/policy"
)

// Config is the use cases behind the pages. All members are required.
type Config struct {
	Desk         act.Desk
	Issuer       *auth.Issuer
	Directory    *auth.Directory
	Applications *application.Service
	Abroad       *abroad.Service
	Papers       *application.Papers
	Grants       *grant.Service
	Jobs         *job.Service
	Handovers    *handover.Service
	Notices      *notice.Service
	Conduct      *conduct.Service
	Records      *record.Service
	Supervision  *supervise.Service
	Residents    *resident.Registry
	Boards       *board.Service
	Institutions *institution.Service
	Logger       *slog.Logger
}

func (c Config) check() error {
	if err := c.Desk.Check(); err != nil {
		return err
	}
	if c.Issuer == nil || c.Directory == nil || c.Applications == nil || c.Abroad == nil || c.Papers == nil || c.Grants == nil || c.Jobs == nil || c.Handovers == nil || c.Notices == nil || c.Conduct == nil || c.Records == nil || c.Supervision == nil || c.Residents == nil || c.Boards == nil || c.Institutions == nil || c.Logger == nil {
		return errors.New("web: a part of the configuration is missing")
	}
	return nil
}

// complaints come in by the page at this pace, as by the API.
const (
	complaintBurst = 20
	complaintEvery = 3 * time.Second
)

// server is the pages of one service. It is safe for concurrent use: nothing of it changes after New.
type server struct {
	c        Config
	forgery  *http.CrossOriginProtection
	views    views
	labels   labels
	codes    codes // what forms offer by code
	defaults policy.Defaults
	days     *calendar.Calendar
	paper    *paper.Papers
	rounds   map[string]int  // of reviews, by kind
	turns    map[string]bool // states in which it is the applicant's turn
	optional []string        // commands that nobody waits for
	levels   []string        // of institutions
	offices  []string        // that clear what goes abroad
	brake    *conduct.Brake  // what comes in without an account is bounded as a whole
}

// New registers the pages on the router. It fails when a template, a text or the policy data behind the labels is damaged.
func New(r chi.Router, c Config) error {
	if err := c.check(); err != nil {
		return err
	}
	s := &server{c: c, forgery: http.NewCrossOriginProtection(), brake: conduct.NewBrake(complaintBurst, complaintEvery)}
	ctx := context.Background()
	var err error
	if s.defaults, err = policy.ReadDefaults(ctx, c.Desk.Policy); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	if s.labels, err = readLabels(ctx, c.Desk.Policy); err != nil {
		return err
	}
	if s.codes, err = readCodes(ctx, c.Desk.Policy, s.labels); err != nil {
		return fmt.Errorf("web: codes: %w", err)
	}
	if err = readBoards(ctx, c.Desk.Policy, s.labels); err != nil {
		return fmt.Errorf("web: boards: %w", err)
	}
	if err = s.readCases(ctx, c.Desk.Policy); err != nil {
		return fmt.Errorf("web: cases: %w", err)
	}
	if s.views, err = s.parse(); err != nil {
		return err
	}
	for _, x := range s.routes() {
		r.Method(x.method, x.path, s.handler(x))
	}
	r.NotFound(s.absent)
	return nil
}

// readCases reads what the pages of applications, of files that go abroad and of institutions know of policy's data.
func (s *server) readCases(ctx context.Context, d policy.Decider) error {
	var err error
	if s.days, err = calendar.New(d); err != nil {
		return err
	}
	if s.paper, err = paper.New(); err != nil {
		return err
	}
	if s.rounds, err = readRounds(ctx, d); err != nil {
		return err
	}
	if s.offices, err = readOffices(ctx, d, s.labels); err != nil {
		return err
	}
	book, err := agreement.ReadBook(ctx, d)
	if err != nil {
		return err
	}
	s.labels["side"] = book.Sides
	var owners map[string][]string
	if err = d.Data(ctx, "carrel/workflow/application/owners", &owners); err != nil {
		return err
	}
	s.turns = map[string]bool{}
	for state, who := range owners {
		s.turns[state] = slices.Contains(who, "applicant")
	}
	if err = d.Data(ctx, "carrel/workflow/application/optional", &s.optional); err != nil {
		return err
	}
	var digits map[string]int
	if err = d.Data(ctx, "carrel/institutions/levels", &digits); err != nil {
		return err
	}
	s.levels = slices.SortedFunc(maps.Keys(digits), func(a, b string) int { return digits[a] - digits[b] })
	return nil
}

// labels are the names that policy data give to states, roles, kinds of review, purposes and sources of law: group → code → text.
type labels map[string]map[string]policy.Text

func readLabels(ctx context.Context, d policy.Decider) (labels, error) {
	out := labels{}
	for _, machine := range []string{"application", "grant", "handover"} {
		var states map[string]policy.Text
		if err := d.Data(ctx, "carrel/workflow/"+machine+"/states", &states); err != nil {
			return nil, fmt.Errorf("web: labels of states: %w", err)
		}
		out[machine] = states
	}
	var roles map[string]policy.Text
	if err := d.Data(ctx, "carrel/roles", &roles); err != nil {
		return nil, fmt.Errorf("web: labels of roles: %w", err)
	}
	out["role"] = roles
	var conditions map[string]policy.Text
	if err := d.Data(ctx, "carrel/conditions", &conditions); err != nil {
		return nil, fmt.Errorf("web: labels of conditions: %w", err)
	}
	out["condition"] = conditions
	if err := readSorts(ctx, d, out); err != nil {
		return nil, err
	}
	for group, path := range map[string]string{"review": "carrel/reviews", "purpose": "carrel/purposes", "source": "carrel/sources"} {
		var docs map[string]struct {
			Label policy.Text `json:"label"`
			Title policy.Text `json:"title"`
		}
		if err := d.Data(ctx, path, &docs); err != nil {
			return nil, fmt.Errorf("web: labels of %s: %w", path, err)
		}
		out[group] = map[string]policy.Text{}
		for code, doc := range docs {
			if doc.Label.EN == "" {
				doc.Label = doc.Title
			}
			out[group][code] = doc.Label
		}
	}
	return out, nil
}

// readSorts adds the names of the sorts of each noun of conduct ("sort-credit" …), and of their states ("matter").
func readSorts(ctx context.Context, d policy.Decider, out labels) error {
	var sorts map[string]map[string]struct {
		Label policy.Text `json:"label"`
	}
	if err := d.Data(ctx, "carrel/matters/sorts", &sorts); err != nil {
		return fmt.Errorf("web: labels of sorts: %w", err)
	}
	for noun, all := range sorts {
		group := map[string]policy.Text{}
		for code, x := range all {
			group[code] = x.Label
		}
		out["sort-"+noun] = group
	}
	var acts map[string]struct {
		To    string      `json:"to"`
		Label policy.Text `json:"label"`
	}
	if err := d.Data(ctx, "carrel/matters/acts", &acts); err != nil {
		return fmt.Errorf("web: labels of states: %w", err)
	}
	states := map[string]policy.Text{"standing": {ZH: "有效", EN: "standing"}, "open": {ZH: "处理中", EN: "open"}, "due": {ZH: "待履行", EN: "due"}, "held": {ZH: "已履行", EN: "held"},
		"withdrawn": {ZH: "已撤回", EN: "withdrawn"}} // to which several acts lead
	for _, name := range slices.Sorted(maps.Keys(acts)) {
		act := acts[name]
		if _, named := states[act.To]; act.To != "" && !named {
			states[act.To] = act.Label
		}
	}
	out["matter"] = states
	return nil
}
