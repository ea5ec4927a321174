package opa

import (
	"context"
	"errors"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
)

const (
	// readTime bounds the parsing and compiling of a bundle, which takes less than a second: neither can be cancelled from within. It
	// also bounds working out what no question changes, which belongs to loading and not to a decision.
	readTime = 30 * time.Second
	// maxModule bounds a file of rules; the largest has some 15 kB.
	maxModule = 256 << 10
	// maxNesting bounds how deep brackets stand in one another: parser and compiler go down as deep, and a stack that is full ends
	// the service and not the bundle.
	maxNesting = 64
	// maxRules bounds the rules of all files; there are some 1,500.
	maxRules = 20_000
)

// errUnbounded is of rules that are beyond what anybody writes.
var errUnbounded = errors.New("a file is too long, nested too deep, or there are too many rules")

// bounded refuses a file of rules before anything goes down into it.
func bounded(body []byte) error {
	if len(body) > maxModule {
		return errUnbounded
	}
	depth := 0
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '(', '[', '{':
			if depth++; depth > maxNesting {
				return errUnbounded
			}
		case ')', ']', '}':
			depth--
		case '"', '`', '#':
			i = skip(body, i)
		}
	}
	return nil
}

// skip returns where a text or a comment ends, for brackets within do not count.
func skip(body []byte, i int) int {
	end := body[i]
	if end == '#' {
		end = '\n'
	}
	for i++; i < len(body) && body[i] != end; i++ {
		if end == '"' && body[i] == '\\' {
			i++
		}
		if end == '"' && i < len(body) && body[i] == '\n' {
			return i // never closed: the parser says so
		}
	}
	return i
}

// few refuses more rules than anybody writes.
func few(modules map[string]*ast.Module) error {
	n := 0
	for _, m := range modules {
		n += len(m.Rules)
	}
	if n > maxRules {
		return errUnbounded
	}
	return nil
}

// within waits so long for something that cannot be cancelled. What comes later is lost; being bounded, it ends.
func within[T any](ctx context.Context, limit time.Duration, do func() (T, error)) (T, error) {
	type outcome struct {
		value T
		err   error
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	done := make(chan outcome, 1)
	go func() {
		v, err := do()
		done <- outcome{v, err}
	}()
	select {
	case o := <-done:
		return o.value, o.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}
