package risk

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
)

// Subject is what a report of these data is made of. It names them the same way wherever they are measured, so that reports of one extract
// under one configuration are the same bytes.
func (d *Data) Subject(m extract.Manifest) Subject {
	return Subject{Dataset: m.Dataset, Data: m.ID + " · " + m.Recipe, Contents: d.Contents, After: d.Tables}
}

// Assess reads an extract and measures all of it, with the roles that the schema gives.
func Assess(ctx context.Context, e *extract.Extract, s *plan.Schema, c Config) (*Report, error) {
	d, err := Load(ctx, e, s)
	if err != nil {
		return nil, err
	}
	return New(d.Subject(e.Manifest()), c)
}

// Hash is the SHA-256 of the report, as "sha256:" and hexadecimal digits: whoever measures the same extract again under the same thresholds comes
// to the same one.
func (r *Report) Hash() (string, error) {
	raw, err := json.Marshal(r)
	if err != nil {
		return "", fmt.Errorf("risk: encode the report: %w", err)
	}
	sum := sha256.Sum256(raw)
	return "sha256:" + hex.EncodeToString(sum[:]), nil
}
