package job

import (
	"context"
	"errors"

	"carrel/anonymize/plan"
	"carrel/anonymize/rewrite"
)

// A proposal may need several edits (a natural join in a subquery without link); each costs a parse in a child.
const (
	maxEdits  = 3
	maxTrials = 8
	maxEdited = 4 << 10 // bytes of a text that is worth editing
)

// proposed adds to a refusal the first edited text that has a plan, on the same path as the question itself. Only text and schema decide,
// so it tells nothing; it is never run unasked. What goes wrong on the way only means that there is no proposal.
func proposed(ctx context.Context, reader Reader, schema *plan.Schema, sql string, o plan.Options, r *plan.Refusal) *plan.Refusal {
	type draft struct {
		sql   string
		r     *plan.Refusal
		edits int
	}
	out := *r
	if len(sql) > maxEdited {
		return &out
	}
	seen, trials := map[string]bool{sql: true}, 0
	for queue := []draft{{sql, r, 0}}; len(queue) > 0; queue = queue[1:] {
		d := queue[0]
		for _, text := range rewrite.Candidates(schema, d.sql, d.r) {
			if seen[text] {
				continue
			}
			seen[text] = true
			if trials++; trials > maxTrials {
				return &out
			}
			_, err := understood(ctx, reader, schema, text, o)
			if err == nil {
				out.Rewrite = text
				return &out
			}
			var next *plan.Refusal
			if !errors.As(err, &next) {
				return &out
			}
			if d.edits+1 < maxEdits {
				queue = append(queue, draft{text, next, d.edits + 1})
			}
		}
	}
	return &out
}
