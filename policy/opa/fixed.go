package opa

import (
	"context"
	"fmt"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage"
)

const (
	// fixedPackage says what follows from the data alone, whoever asks for what.
	fixedPackage = "data." + bundleRoot + ".fixed"
	// keptName is where it lies beside the data. No bundle may bring it along.
	keptName = "kept"
)

// keepFixed works out once, when rules are loaded, what no question changes. The rules answer the same without it; they only take
// longer, as with the answers of days. A package that reads more than data is not kept: it would be of the question asked first.
func keepFixed(ctx context.Context, src *source, compiler *ast.Compiler, store storage.Store) error {
	if !src.readsDataOnly(fixedPackage) {
		return nil
	}
	rs, err := rego.New(rego.Query("x = "+fixedPackage), rego.Compiler(compiler), rego.Store(store), rego.StrictBuiltinErrors(true)).Eval(ctx)
	if err != nil {
		return fmt.Errorf("policy: work out %s: %w", fixedPackage, err)
	}
	if len(rs) != 1 {
		return nil
	}
	err = storage.Txn(ctx, store, storage.WriteParams, func(tx storage.Transaction) error {
		return store.Write(ctx, tx, storage.AddOp, storage.Path{bundleRoot, keptName}, rs[0].Bindings["x"])
	})
	if err != nil {
		return fmt.Errorf("policy: keep what is fixed: %w", err)
	}
	return nil
}

// readsDataOnly reports whether the package is there and reads neither the question nor what other rules make of it.
func (s *source) readsDataOnly(pkg string) bool {
	found, only := false, true
	for _, m := range s.modules {
		if m.Package.Path.String() != pkg {
			continue
		}
		found = true
		ast.WalkRefs(m, func(r ast.Ref) bool {
			only = only && !r.HasPrefix(ast.InputRootRef)
			if r.HasPrefix(ast.DefaultRootRef) {
				for _, other := range s.modules {
					p := other.Package.Path.String()
					only = only && (p == pkg || !touches(r.ConstantPrefix().String(), p))
				}
			}
			return false
		})
		ast.WalkTerms(m, func(t *ast.Term) bool { // input as a whole
			only = only && t.Value.Compare(ast.InputRootDocument.Value) != 0
			return false
		})
	}
	return found && only
}
