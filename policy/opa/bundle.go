package opa

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"carrel/policy"

	"github.com/open-policy-agent/opa/v1/ast"
	opabundle "github.com/open-policy-agent/opa/v1/bundle"
)

const (
	bundleRoot = "carrel" // the only root that a bundle may own
	bundleAlg  = "ES256"
	bundleKey  = "carrel"
	// maxBundle bounds what is read of a bundle, packed and each file unpacked: thousands of rules fit.
	maxBundle = 8 << 20
	// probeTime is how long one decision of a new bundle may take when it is tried.
	probeTime = time.Second
)

// Fault says why a bundle is refused, in one sentence for people. Whatever ran before goes on running.
type Fault struct {
	Code  string // unreadable, too-large, hostile, unsigned, loosens, wrong-roots, does-not-compile, lacks-package, lacks-data, other-questions, never-ends, undefined
	Text  policy.Text
	cause error
}

// Error is the English sentence with its cause.
func (f *Fault) Error() string {
	if f.cause == nil {
		return "policy: " + f.Text.EN
	}
	return "policy: " + f.Text.EN + ": " + f.cause.Error()
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.cause }

func fault(code string, cause error, zh, en string) *Fault {
	return &Fault{Code: code, Text: policy.Text{ZH: zh, EN: en}, cause: cause}
}

// Bundle is a set of rules whose signature was verified and which was tried: every decision that the service asks for is
// there, is defined, and ends.
type Bundle struct {
	Version string
	Hash    string

	rules *source
}

// WriteBundle packs the rules of a directory (tests aside) as an OPA bundle of a version, signed with an ECDSA key on P-256
// (PEM), and returns its hash.
func WriteBundle(w io.Writer, dir fs.FS, version string, key []byte) (string, error) {
	src, err := load(dir)
	if err != nil {
		return "", err
	}
	if _, err := src.compile(); err != nil {
		return "", err
	}
	if err := src.checkTypes(); err != nil {
		return "", err
	}
	if version == "" {
		return "", errors.New("policy: a bundle needs a version")
	}
	// OPA takes what is no PEM for the name of a file.
	if block, _ := pem.Decode(key); block == nil || !bytes.HasPrefix(key, []byte("-----BEGIN")) {
		return "", errors.New("policy: the key is no PEM")
	}
	b := opabundle.Bundle{Data: src.data, Manifest: opabundle.Manifest{Revision: version, Roots: &[]string{bundleRoot}}}
	for _, name := range slices.Sorted(maps.Keys(src.modules)) {
		b.Modules = append(b.Modules, opabundle.ModuleFile{URL: "/" + name, Path: "/" + name, Raw: src.text[name], Parsed: src.modules[name]})
	}
	if err := b.GenerateSignature(opabundle.NewSigningConfig(string(key), bundleAlg, ""), bundleKey, false); err != nil {
		return "", fmt.Errorf("policy: sign the bundle: %w", err)
	}
	if err := opabundle.NewWriter(w).DisableFormat(true).Write(b); err != nil {
		return "", fmt.Errorf("policy: write the bundle: %w", err)
	}
	return src.hash, nil
}

// ReadBundle reads a signed bundle, verifies it with a public key (PEM), and tries it. Every refusal is a *Fault.
func ReadBundle(ctx context.Context, r io.Reader, public []byte) (*Bundle, error) {
	raw, err := io.ReadAll(io.LimitReader(r, maxBundle+1))
	if err != nil || len(raw) > maxBundle {
		return nil, fault("unreadable", err, "规则包不可读或过大。", "The bundle cannot be read or is too large.")
	}
	if err := checkKey(public); err != nil {
		return nil, fault("unsigned", err, "验签公钥不可用。", "The key to verify the bundle with is not usable.")
	}
	if err := checkArchive(raw); err != nil {
		return nil, err
	}
	return readWithin(ctx, raw, public, readTime)
}

// readWithin parses and compiles what is bounded, so long and no longer, and tries it.
func readWithin(ctx context.Context, raw, public []byte, limit time.Duration) (*Bundle, error) {
	out, err := within(ctx, limit, func() (*Bundle, error) { return unpack(raw, public) })
	switch {
	case err == nil:
		return out, out.try(ctx)
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fault("never-ends", err, "规则包未能及时编译完成。", "The bundle's rules do not compile in time.")
	default:
		return nil, err
	}
}

// unpack verifies, parses and compiles.
func unpack(raw, public []byte) (*Bundle, error) {
	keys := map[string]*opabundle.KeyConfig{bundleKey: {Key: string(public), Algorithm: bundleAlg}}
	b, err := opabundle.NewReader(bytes.NewReader(raw)).
		WithBundleVerificationConfig(opabundle.NewVerificationConfig(keys, bundleKey, "", nil)).
		WithCapabilities(capabilities()).WithRegoVersion(ast.RegoV1).WithSizeLimitBytes(maxBundle).Read()
	if err != nil {
		return nil, readFault(err)
	}
	src, err := fromBundle(b)
	if err != nil {
		return nil, err
	}
	if err := src.checkSchema(); err != nil {
		return nil, err
	}
	if _, err := src.compile(); err != nil {
		return nil, fault("does-not-compile", err, "规则包不能编译。", "The rules of the bundle do not compile.")
	}
	return &Bundle{Version: b.Manifest.Revision, Hash: src.hash, rules: src}, nil
}

// checkKey accepts one public key on P-256: with nothing else can ES256 be verified.
func checkKey(public []byte) error {
	block, _ := pem.Decode(public)
	if block == nil || block.Type != "PUBLIC KEY" {
		return errors.New("no PEM of a public key")
	}
	key, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return err
	}
	if k, ok := key.(*ecdsa.PublicKey); !ok || k.Curve != elliptic.P256() {
		return errors.New("no ECDSA key on P-256")
	}
	return nil
}

// readFault sorts OPA's errors by what a person does about them.
func readFault(err error) *Fault {
	var compile ast.Errors
	switch s := err.Error(); {
	case errors.As(err, &compile) || strings.Contains(s, "rego_parse_error"):
		return fault("does-not-compile", err, "规则包不能编译。", "The rules of the bundle do not compile.")
	case strings.Contains(s, "root"):
		return fault("wrong-roots", err, "规则包的根不是“carrel”。", "The bundle owns another root than carrel.")
	case strings.Contains(s, "ignatur") || strings.Contains(s, "verif") || strings.Contains(s, "digest") || strings.Contains(s, ".signatures.json") || strings.Contains(s, "JWT"):
		return fault("unsigned", err, "规则包未经签名, 或签名与内容不符。", "The bundle is not signed, or its signature does not hold.")
	default:
		return fault("unreadable", err, "规则包不可读。", "The bundle cannot be read.")
	}
}

// fromBundle reads the modules again with our own options, so that a bundle is held to the rules for the built-in one.
func fromBundle(b opabundle.Bundle) (*source, error) {
	if b.Manifest.Roots == nil || !slices.Equal(*b.Manifest.Roots, []string{bundleRoot}) || b.Manifest.Revision == "" {
		return nil, fault("wrong-roots", nil, "规则包的根须为“carrel”, 且须有版本。", "A bundle has the one root carrel, and a version.")
	}
	if len(b.WasmModules) > 0 || len(b.PlanModules) > 0 {
		return nil, fault("unreadable", nil, "规则包只能含规则和数据。", "A bundle holds rules and data, nothing compiled.")
	}
	s := &source{modules: map[string]*ast.Module{}, text: map[string][]byte{}, data: b.Data}
	for _, m := range b.Modules {
		name := strings.TrimPrefix(m.URL, "/")
		var f *Fault
		if err := s.add(name, m.Raw); errors.As(err, &f) {
			return nil, f // says itself what is wrong, such as a region that loosens
		} else if err != nil {
			return nil, fault("does-not-compile", err, "规则包不能编译。", "The rules of the bundle do not compile.")
		}
		if !strings.HasPrefix(s.modules[name].Package.Path.String(), "data."+bundleRoot+".") {
			return nil, fault("wrong-roots", nil, "规则包的根不是“carrel”。", "The bundle owns another root than carrel.")
		}
	}
	return s, s.seal()
}

// Decider compiles the bundle's rules. Options are those of New.
func (b *Bundle) Decider(options ...Option) (*Decider, error) { return newDecider(b.rules, options...) }

// try asks every decision once, with a question that is well formed and gives nobody anything: it must be answered, in
// time. A rule may still be slow on other questions; then the deadline of every decision denies.
func (b *Bundle) try(ctx context.Context) error {
	d, err := b.Decider(WithTimeout(probeTime))
	var f *Fault
	if errors.As(err, &f) {
		return f
	}
	if err != nil {
		return fault("does-not-compile", err, "规则包不能编译。", "The rules of the bundle do not compile.")
	}
	if _, err := policy.ReadDefaults(ctx, d); err != nil {
		return fault("lacks-data", err, "规则包缺少预算和限额。", "The bundle lacks budgets and limits.")
	}
	for _, q := range probes() {
		if err := d.try(ctx, q); err != nil {
			return err
		}
	}
	return nil
}

func (d *Decider) try(ctx context.Context, q policy.Question) error {
	_, err := d.Decide(ctx, q)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrUndefined) || errors.Is(err, ErrMalformed):
		return fault("undefined", err, "规则包对 "+q.Decision()+" 没有可用的答复。", "The bundle gives no usable answer to "+q.Decision()+".")
	default:
		return fault("never-ends", err, "规则包的 "+q.Decision()+" 未能及时得出答复。", "The bundle's "+q.Decision()+" comes to no answer in time.")
	}
}
