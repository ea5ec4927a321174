package auth

import (
	"errors"
	"slices"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"carrel/broker/problem"
)

// Permit is what a grant allows, for an hour at most, for tools and services outside this one. The grant itself is checked at
// each use all the same: a permit never outlives its grant.
type Permit struct {
	ID       string    `json:"id"` // jti
	Subject  string    `json:"subject"`
	Grant    string    `json:"grant"`
	Project  string    `json:"project"` // the application
	Kind     string    `json:"kind"`    // query | handover
	Purpose  string    `json:"purpose"`
	Datasets []string  `json:"datasets"`
	Columns  []string  `json:"columns"` // table.column, sorted
	Epsilon  string    `json:"epsilon"` // the grant's ε, decimal; "0" for a handover
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	// ClientKey is the RFC 7638 thumbprint of the client's key (cnf.jkt); empty when the permit is not bound to one.
	ClientKey string `json:"client_key,omitempty"`
}

type permitClaims struct {
	jwt.RegisteredClaims
	Grant    string        `json:"grant"`
	Project  string        `json:"project"`
	Kind     string        `json:"kind"`
	Purpose  string        `json:"purpose"`
	Datasets []string      `json:"datasets"`
	Columns  []string      `json:"columns"`
	Budget   string        `json:"budget"`
	Cnf      *confirmation `json:"cnf,omitempty"`
}

type confirmation struct {
	JKT string `json:"jkt"`
}

func (c *permitClaims) registered() jwt.RegisteredClaims { return c.RegisteredClaims }

// Permits signs and verifies permits with the service's keys.
type Permits struct {
	name, audience string
	keys           KeySource
	now            func() time.Time
}

// NewPermits makes the signer of permits: iss = name, aud = audience.
func NewPermits(name, audience string, keys KeySource, now func() time.Time) (*Permits, error) {
	if name == "" || audience == "" || keys == nil || now == nil {
		return nil, errors.New("auth: permits need a name, an audience, keys and a clock")
	}
	return &Permits{name: name, audience: audience, keys: keys, now: now}, nil
}

// Sign fills in number and times and signs. ttl is cut to an hour; a permit that is bound to nothing is an error.
func (s *Permits) Sign(p Permit, ttl time.Duration) (Permit, Secret, error) {
	if p.Subject == "" || p.Grant == "" || p.Project == "" || p.Purpose == "" || p.Kind == "" || len(p.Datasets) == 0 || len(p.Columns) == 0 || p.Epsilon == "" {
		return Permit{}, "", errors.New("auth: a permit must be bound to subject, grant, project, kind, purpose, datasets, columns and budget")
	}
	if ttl <= 0 {
		return Permit{}, "", errors.New("auth: a permit needs a life above zero")
	}
	p.ID = newID("p-")
	p.From = s.now().UTC().Truncate(time.Second)
	p.To = p.From.Add(min(ttl, maxLife)).Truncate(time.Second)
	c := &permitClaims{
		RegisteredClaims: jwt.RegisteredClaims{
			ID: p.ID, Issuer: s.name, Subject: p.Subject, Audience: jwt.ClaimStrings{s.audience},
			IssuedAt: jwt.NewNumericDate(p.From), NotBefore: jwt.NewNumericDate(p.From), ExpiresAt: jwt.NewNumericDate(p.To),
		},
		Grant: p.Grant, Project: p.Project, Kind: p.Kind, Purpose: p.Purpose, Datasets: p.Datasets, Columns: p.Columns, Budget: p.Epsilon,
	}
	if p.ClientKey != "" {
		c.Cnf = &confirmation{JKT: p.ClientKey}
	}
	raw, err := s.keys.Signer().Sign(typePermit, c)
	if err != nil {
		return Permit{}, "", err
	}
	return p, Secret(raw), nil
}

// Verify checks a permit's signature, times and binding fields. Whether its grant still stands is the grant's to say.
func (s *Permits) Verify(token string) (Permit, error) {
	var c permitClaims
	if err := parse(token, &c, expect{typ: typePermit, issuer: s.name, audience: s.audience, now: s.now(), keys: s.keys}); err != nil {
		return Permit{}, err
	}
	if c.Grant == "" || c.Project == "" || c.Kind == "" || c.Purpose == "" || len(c.Datasets) == 0 || len(c.Columns) == 0 || c.Budget == "" {
		return Permit{}, denied(errors.New("a permit that is bound to nothing"))
	}
	p := Permit{ID: c.ID, Subject: c.Subject, Grant: c.Grant, Project: c.Project, Kind: c.Kind, Purpose: c.Purpose,
		Datasets: c.Datasets, Columns: c.Columns, Epsilon: c.Budget, From: c.NotBefore.UTC(), To: c.ExpiresAt.UTC()}
	if c.Cnf != nil {
		if c.Cnf.JKT == "" {
			return Permit{}, denied(errors.New("an empty client key"))
		}
		p.ClientKey = c.Cnf.JKT
	}
	return p, nil
}

// Use is what somebody wants to do with a permit.
type Use struct {
	Subject, Grant, Kind string
	Datasets, Columns    []string
	ClientKey            string // thumbprint of the key that the client proved (see Proofs)
}

// Covers says no when the permit was made for another subject, grant or kind, does not name a dataset or column, or is bound
// to another client's key.
func (p Permit) Covers(u Use) error {
	if p.Subject != u.Subject || p.Grant != u.Grant || p.Kind != u.Kind {
		return wrongPermit()
	}
	if p.ClientKey != "" && p.ClientKey != u.ClientKey {
		return wrongPermit()
	}
	for _, d := range u.Datasets {
		if !slices.Contains(p.Datasets, d) {
			return wrongPermit()
		}
	}
	for _, c := range u.Columns {
		if !slices.Contains(p.Columns, c) {
			return wrongPermit()
		}
	}
	return nil
}

func wrongPermit() error {
	return problem.New(problem.Unauthenticated, "此许可令牌不是为这一账号、授权或用途签发的；请用 carrel permit get 重新获取。",
		"This permit was not made for this account, grant or use; get a new one with carrel permit get.")
}
