package application

import (
	"context"
	"regexp"
	"slices"
	"time"

	"carrel/broker/auth"
	"carrel/broker/grant/act"
	"carrel/broker/problem"
	"carrel/broker/store"
	"carrel/policy"
)

// Sealed is the scan of the sealed original: its hash and what it is, not the scan itself.
type Sealed struct {
	Hash  string    `json:"hash"` // sha256:…
	Media string    `json:"media"`
	Size  int64     `json:"size"`
	By    string    `json:"by"`
	At    time.Time `json:"at"`
}

// maxScan bounds a scan, in bytes.
const maxScan = 64 << 20

var sha256Name = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)

// Seal puts on file that the agreement of this digest exists on paper with its seals. Where policy asks for it before the grant opens,
// and nothing else is missing, the grant opens now.
func (s *Service) Seal(ctx context.Context, id auth.Identity, app string, rev int64, digest string, in Sealed) (*Application, error) {
	if !sha256Name.MatchString(in.Hash) || in.Size <= 0 || in.Size > maxScan || !slices.Contains([]string{"application/pdf", "image/jpeg", "image/png", "image/tiff"}, in.Media) {
		return nil, problem.New(problem.Invalid, "扫描件须为 64 MB 以内的 PDF、JPEG、PNG 或 TIFF，并给出 sha256 摘要。",
			"A scan is a PDF, JPEG, PNG or TIFF of 64 MB at most, named by its sha256.")
	}
	return s.change(ctx, id, app, "agreement.sealed", rev, func(tx *store.Tx, a *Application, step *act.Step) (policy.Decision, error) {
		dec, err := s.access(ctx, id, "agreement.seal", a)
		if err != nil {
			return dec, err
		}
		if a.Agreement == nil || a.Agreement.Digest != digest {
			return dec, problem.New(problem.Conflict, "协议文本与您所见的不一致；请重新核对原件。", "This is not the text of the agreement; compare the original again.")
		}
		if a.Agreement.Sealed != nil {
			return dec, problem.New(problem.Conflict, "盖章原件已存档。", "A scan of the sealed original is on file already.")
		}
		in.By, in.At = id.Account, s.desk.Now().UTC()
		a.Agreement.Sealed = &in
		step.Facts = map[string]string{"scan": in.Hash, "media": in.Media, "agreement": digest}
		err = s.openIfDue(ctx, tx, id, a, step, &dec)
		return dec, err
	})
}
