package catalogue

import (
	"net/url"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// itemForm is how an item of a catalogue is written: the standard with its year, and the item's code in it.
var itemForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9/]{0,15} ?[0-9][0-9.]{0,15}(-[0-9]{4})? / [A-Za-z0-9][A-Za-z0-9.-]{0,63}$`)

// item reads "WS 363.3-2011 / DE02.01.040.00", or "local". A field without either is unmapped, which policy refuses when the dataset
// is registered: which standards count is not a matter of form.
func (p *parser) item(n *yaml.Node, path string) string {
	if n == nil {
		return ""
	}
	s := p.str(n, path)
	if s != "" && s != Local && !itemForm.MatchString(s) {
		p.fail(n, "%s must read STANDARD / CODE, as in WS 363.3-2011 / DE02.01.040.00, or local", path)
	}
	return s
}

// steps reads who answers for gathering, sending, storing and serving.
func (p *parser) steps(n *yaml.Node, d *Dataset) Steps {
	provider := ""
	if len(d.Provider) > 0 {
		provider = d.Provider[0]
	}
	s := Steps{Gathering: provider, Sending: provider, Storing: d.Operator, Serving: d.Operator}
	if n == nil {
		return s
	}
	m := p.mapping(n, "responsible")
	for key, unit := range map[string]*string{"gathering": &s.Gathering, "sending": &s.Sending, "storing": &s.Storing, "serving": &s.Serving} {
		if m.get(key) != nil {
			*unit = m.str(key)
		}
	}
	m.asked = []string{"gathering", "sending", "storing", "serving"} // in the order of the steps, for messages
	m.done()
	return s
}

// platform reads the address of the platform that shares a government-affairs resource.
func (p *parser) platform(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	s := p.str(n, "government_platform")
	if u, err := url.Parse(s); s != "" && (err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || strings.ContainsAny(s, " \"<>")) {
		p.fail(n, "government_platform must be an address that begins with https://")
	}
	return s
}

// facts reads numbers that were published elsewhere.
func (p *parser) facts(n *yaml.Node) []Fact {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		p.fail(n, "facts must be a list")
		return nil
	}
	var out []Fact
	for _, c := range n.Content {
		m := p.mapping(c, "facts")
		out = append(out, Fact{Label: m.text("label"), Value: m.str("value"), Source: m.str("source")})
		m.done()
	}
	return out
}

// Unmapped counts the fields that neither name an item nor are marked local, and names the first of them.
func (d *Dataset) Unmapped() (n int, first []string) {
	for i := range d.Tables {
		for _, f := range d.Tables[i].Fields {
			if f.Item != "" {
				continue
			}
			if n++; len(first) < 5 {
				first = append(first, d.Tables[i].Name+"."+f.Name)
			}
		}
	}
	return n, first
}

// Fields counts the fields of all tables.
func (d *Dataset) Fields() int {
	n := 0
	for i := range d.Tables {
		n += len(d.Tables[i].Fields)
	}
	return n
}
