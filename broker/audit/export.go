package audit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
)

// Export writes the committed entries as lines of JSON, each line the leaf byte for byte, in order, and as last line
// {"checkpoint":"…"} with the signed head over exactly these entries. The checker reads it without the database.
// It returns the number of entries written.
func (l *Log) Export(ctx context.Context, tx Reader, w io.Writer) (int64, error) {
	n, err := l.visible(ctx, tx)
	if err != nil {
		return 0, err
	}
	head, err := l.sign(ctx, tx, n)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	for i := range n {
		leaf, err := tx.LogLeaf(ctx, i)
		if err != nil {
			return i, fmt.Errorf("audit: leaf: %w", err)
		}
		if _, err := out.Write(append(leaf, '\n')); err != nil {
			return i, fmt.Errorf("audit: export: %w", err)
		}
	}
	last, err := json.Marshal(struct {
		Checkpoint string `json:"checkpoint"`
	}{string(head)})
	if err != nil {
		return n, fmt.Errorf("audit: export: %w", err)
	}
	if _, err := out.Write(append(last, '\n')); err != nil {
		return n, fmt.Errorf("audit: export: %w", err)
	}
	if err := out.Flush(); err != nil {
		return n, fmt.Errorf("audit: export: %w", err)
	}
	return n, nil
}
