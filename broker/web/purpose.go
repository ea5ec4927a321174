package web

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"carrel/policy"
)

// codes are what a form offers where policy data name the codes.
type codes struct {
	Types, Flags, Accepts, Agreements []string
}

// readCodes adds the names of coded purposes ("use-type", "use-flag", "use-term") and of kinds of agreements ("agreement-kind").
func readCodes(ctx context.Context, d policy.Decider, out labels) (codes, error) {
	var use struct {
		Types, Flags map[string]struct {
			Label policy.Text `json:"label"`
		}
		Terms map[string]struct {
			Label policy.Text `json:"label"`
			Role  string      `json:"role"`
		}
	}
	if err := d.Data(ctx, "carrel/datause", &use); err != nil {
		return codes{}, err
	}
	var kinds map[string]policy.Text
	if err := d.Data(ctx, "carrel/agreements/kinds", &kinds); err != nil {
		return codes{}, err
	}
	out["use-type"], out["use-flag"], out["use-term"], out["agreement-kind"] = map[string]policy.Text{}, map[string]policy.Text{}, map[string]policy.Text{}, kinds
	for code, x := range use.Types {
		out["use-type"][code] = x.Label
	}
	for code, x := range use.Flags {
		out["use-flag"][code] = x.Label
	}
	for code, x := range use.Terms {
		if x.Role == "accepted" { // a dataset's condition that an applicant can accept
			out["use-term"][code] = x.Label
		}
	}
	named := func(group string) []string { return slices.Sorted(maps.Keys(out[group])) }
	return codes{named("use-type"), named("use-flag"), named("use-term"), named("agreement-kind")}, nil
}

// coded reads the purpose in codes, the agreement that is wished for, and what is asked for by name.
func (c *call) coded(f *policy.Application) {
	f.Use = policy.Use{Types: c.form["use_type"], Diseases: accounts(strings.ToUpper(c.value("diseases"))), Flags: c.form["use_flag"], Accepts: c.form["use_accept"], Commercial: c.value("commercial") != ""}
	f.Agreement.Kind, f.Agreement.Host, f.Agreement.Processor = c.value("agreement_kind"), c.value("host"), c.value("processor")
	f.Abroad = policy.Abroad{Institution: c.value("abroad_institution"), Country: c.value("abroad_country")}
	f.Codes, f.Clearance = accounts(c.value("codes")), c.value("clearance")
	f.Minors = policy.Minors{Included: c.value("minors") != "", Consent: c.value("minors_consent"), Law: c.value("minors_law")}
	f.Rules = policy.Rules{Document: c.value("rules_document"), Version: c.value("rules_version"), Date: policy.Date(c.value("rules_date"))}
}

// fillCoded is the opposite of coded.
func fillCoded(out url.Values, f policy.Application) {
	out["use_type"], out["use_flag"], out["use_accept"] = f.Use.Types, f.Use.Flags, f.Use.Accepts
	for name, value := range map[string]string{
		"diseases": strings.Join(f.Use.Diseases, " "), "agreement_kind": f.Agreement.Kind, "host": f.Agreement.Host, "processor": f.Agreement.Processor,
		"abroad_institution": f.Abroad.Institution, "abroad_country": f.Abroad.Country, "codes": strings.Join(f.Codes, " "), "clearance": f.Clearance, "minors_consent": f.Minors.Consent, "minors_law": f.Minors.Law,
		"rules_document": f.Rules.Document, "rules_version": f.Rules.Version, "rules_date": string(f.Rules.Date),
	} {
		if value != "" {
			out.Set(name, value)
		}
	}
	for name, on := range map[string]bool{"commercial": f.Use.Commercial, "minors": f.Minors.Included} {
		if on {
			out.Set(name, "yes")
		}
	}
}
