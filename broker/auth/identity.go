// Package auth says who is asking, and signs the short-lived permits that say what a grant allows.
//
// It promises: an Identity comes only from a token that this service's own keys signed with ES256, for this service, now;
// the key is looked up by its number in our own set and nothing in a token's header (alg, jku, jwk, x5u, crit) can choose
// another; a session token is never a permit nor the other way round; roles come from the directory at each request, so
// taking a role away works at once; secrets print as "[redacted]".
//
// It does not promise that the right person holds the password, and it decides nothing: what an identity may do is policy.
// The embedded issuer and its directory are for the demonstration; a deployment puts its own Verifier in their place.
package auth

import (
	"context"
	"log/slog"
	"slices"

	"carrel/policy"
)

// Identity is who asks. It holds no name: names live in the directory only.
type Identity struct {
	Account     string   `json:"account"`
	Roles       []string `json:"roles"`
	Institution string   `json:"institution"`
	Region      string   `json:"region,omitempty"`
	// Mandate is what the account holds for a time, and what binds it. Its posts are among Roles while it lasts.
	Mandate policy.Mandate `json:"mandate,omitzero"`
}

// Subject is the identity as policy sees it.
func (i Identity) Subject() policy.Subject {
	return policy.Subject{Account: i.Account, Roles: slices.Clone(i.Roles), Institution: i.Institution, Region: i.Region, Mandate: i.Mandate}
}

// LogValue shows the account id only.
func (i Identity) LogValue() slog.Value { return slog.StringValue(i.Account) }

// Verifier turns a bearer token into an identity. Errors are *problem.Error with code unauthenticated.
type Verifier interface {
	Verify(ctx context.Context, token string) (Identity, error)
}

// Secret is a password or a token. Printing, logging and JSON show "[redacted]"; only Reveal gives it out.
type Secret string

const redacted = "[redacted]"

// Reveal is the secret itself.
func (s Secret) Reveal() string { return string(s) }

// String hides the secret.
func (s Secret) String() string { return redacted }

// GoString hides the secret from %#v.
func (s Secret) GoString() string { return redacted }

// LogValue hides the secret from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText hides the secret from JSON, YAML and the like.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
