package opa

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"carrel/policy"
)

// Recorded is one decision as it is kept for replay: the question in canonical JSON (ids and features, no texts and no
// names), its hash, and what was said. The hash binds the line to every place that cites the decision.
type Recorded struct {
	Document string          `json:"document"`
	Bundle   string          `json:"bundle"`
	Input    string          `json:"input"`
	Allow    bool            `json:"allow"`
	Rules    []string        `json:"rules"`
	Question json.RawMessage `json:"question"`
	Salt     []byte          `json:"salt,omitempty"` // of the commitment in the audit log
}

// saltSize is that of the audit log's commitments.
const saltSize = 32

// commit makes fresh salt, and with it a commitment to a question: HMAC-SHA256 in hexadecimal digits, as the audit log has it.
func commit(question []byte) (salt []byte, commitment string) {
	salt = make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails: without randomness the process ends
	return salt, hex.EncodeToString(sealed(salt, question))
}

func sealed(salt, question []byte) []byte {
	h := hmac.New(sha256.New, salt)
	h.Write(question)
	return h.Sum(nil)
}

// Opens reports whether this is the question that an entry of the audit log is committed to.
func (r Recorded) Opens(commitment string) bool {
	want, err := hex.DecodeString(commitment)
	return err == nil && len(r.Salt) == saltSize && hmac.Equal(want, sealed(r.Salt, r.Question))
}

const (
	recordSuffix = ".ndjson"
	dayLayout    = "2006-01-02"
	// maxDay bounds what is kept of one day: half a million decisions.
	maxDay = 1 << 30
)

// Recorder keeps decisions for replay, a file a day, for a number of days. It is no audit log: a decision that could not
// be kept is reported to the logger and stands.
type Recorder struct {
	dir    string
	days   int
	now    func() time.Time
	logger *slog.Logger

	mu   sync.Mutex
	file *os.File
	day  string
	size int64
}

// OpenRecorder keeps decisions in dir for that many days.
func OpenRecorder(dir string, days int, now func() time.Time, logger *slog.Logger) (*Recorder, error) {
	if days < 1 || now == nil || logger == nil {
		return nil, errors.New("policy: a record of decisions needs days, a clock and a logger")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("policy: record of decisions: %w", err)
	}
	return &Recorder{dir: dir, days: days, now: now, logger: logger}, nil
}

// Record keeps one decision; it is a hook for WithLog.
func (r *Recorder) Record(ctx context.Context, e LogEntry) {
	if e.Err != nil || e.Decision.Input == "" {
		return
	}
	line := Recorded{Document: e.Document, Bundle: e.Decision.Bundle, Input: e.Decision.Input, Allow: e.Decision.Allow, Rules: rulesIn(e.Decision), Question: e.Question, Salt: e.Salt}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false) // the question stays what was hashed
	if err := enc.Encode(line); err != nil {
		r.logger.ErrorContext(ctx, "decision not kept for replay", slog.String("error", err.Error()))
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.write(body.Bytes()); err != nil {
		r.logger.ErrorContext(ctx, "decision not kept for replay", slog.String("error", err.Error()))
	}
}

func (r *Recorder) write(line []byte) error {
	if day := r.now().UTC().Format(dayLayout); day != r.day {
		if err := r.turn(day); err != nil {
			return err
		}
	}
	if r.size+int64(len(line)) > maxDay {
		return nil // the day is full
	}
	n, err := r.file.Write(line)
	r.size += int64(n)
	return err
}

// turn opens the file of a day and removes those that are over.
func (r *Recorder) turn(day string) error {
	if r.file != nil {
		_ = r.file.Close()
		r.file, r.day = nil, ""
	}
	f, err := os.OpenFile(filepath.Join(r.dir, day+recordSuffix), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err != nil {
		return errors.Join(err, f.Close())
	}
	r.file, r.day, r.size = f, day, info.Size()
	names, err := filepath.Glob(filepath.Join(r.dir, "*"+recordSuffix))
	if err != nil {
		return err
	}
	first := r.now().UTC().AddDate(0, 0, 1-r.days).Format(dayLayout)
	for _, name := range names {
		if strings.TrimSuffix(filepath.Base(name), recordSuffix) < first {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// Recent opens what is kept, the latest day first and each day from its beginning.
func (r *Recorder) Recent() (io.ReadCloser, error) {
	names, err := filepath.Glob(filepath.Join(r.dir, "*"+recordSuffix))
	if err != nil {
		return nil, fmt.Errorf("policy: record of decisions: %w", err)
	}
	slices.Sort(names)
	slices.Reverse(names)
	return &kept{names: names}, nil
}

// kept reads one file after another, with one open at a time.
type kept struct {
	names []string
	file  *os.File
}

func (k *kept) Read(p []byte) (int, error) {
	for {
		if k.file == nil {
			if len(k.names) == 0 {
				return 0, io.EOF
			}
			f, err := os.Open(k.names[0])
			if err != nil {
				return 0, err
			}
			k.file, k.names = f, k.names[1:]
		}
		n, err := k.file.Read(p)
		if n > 0 || !errors.Is(err, io.EOF) {
			return n, err
		}
		if err := k.Close(); err != nil {
			return 0, err
		}
	}
}

// Close closes the file that is open.
func (k *kept) Close() error {
	if k.file == nil {
		return nil
	}
	f := k.file
	k.file = nil
	return f.Close()
}

// Close ends the record.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	f := r.file
	r.file, r.day = nil, ""
	return f.Close()
}

func rulesIn(d policy.Decision) []string {
	out := []string{}
	for _, r := range d.Reasons {
		out = append(out, r.Rule)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// question reads a recorded question back, as strictly as it was asked: of a known kind, with its fields and no other, and asked of
// the document it is kept under. Whether it is well formed newInput says.
func (r Recorded) question() (policy.Question, error) {
	for _, known := range questions() {
		if !slices.Contains(documentsOf(known), r.Document) {
			continue
		}
		v := reflect.New(reflect.TypeOf(known))
		if err := strictJSON(r.Question, v.Interface()); err != nil {
			return nil, fmt.Errorf("%w: %w", policy.ErrQuestion, err)
		}
		q, ok := v.Elem().Interface().(policy.Question)
		if !ok || q.Decision() != r.Document {
			return nil, policy.ErrQuestion
		}
		return q, nil
	}
	return nil, fmt.Errorf("%w: nobody asks for %q", policy.ErrQuestion, r.Document)
}

// documentsOf names the documents that questions of one kind are asked of: a scope is of one for each view.
func documentsOf(q policy.Question) []string {
	if _, ok := q.(policy.ScopeQuestion); !ok {
		return []string{q.Decision()}
	}
	var out []string
	for _, v := range views() {
		out = append(out, v.columns)
	}
	return out
}
