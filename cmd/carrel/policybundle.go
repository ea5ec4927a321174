package main

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"carrel/broker/problem"
	"carrel/policy/opa"
)

func (a *app) policyBundle() *cobra.Command {
	return a.group("bundle", "Signed bundles of rules", a.bundleKey(), a.bundleMake(), a.bundleVerify())
}

func (a *app) bundleKey() *cobra.Command {
	return &cobra.Command{
		Use: "keygen NAME", Short: "Make the key that signs bundles: NAME.pem to keep, NAME.pub.pem for the service",
		Example: `  carrel policy bundle keygen rules`,
		Args:    a.exact(1, "a name"),
		RunE: func(_ *cobra.Command, args []string) error {
			key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				return err
			}
			private, err := x509.MarshalPKCS8PrivateKey(key)
			if err != nil {
				return err
			}
			public, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
			if err != nil {
				return err
			}
			if err := newFile(args[0]+".pem", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600); err != nil {
				return err
			}
			return newFile(args[0]+".pub.pem", pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}), 0o644)
		},
	}
}

// newFile never writes over a key.
func newFile(name string, body []byte, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(body)
	return errors.Join(err, f.Close())
}

// made is what a bundle is, for machines.
type made struct {
	Version string `json:"version"`
	Bundle  string `json:"bundle"`
}

func (a *app) showBundle(m made) error {
	return a.print(m, func(w io.Writer) { fmt.Fprintln(w, m.Version, m.Bundle) })
}

func (a *app) bundleMake() *cobra.Command {
	var in struct{ key, version, out string }
	cmd := &cobra.Command{
		Use: "make [DIR]", Short: "Pack and sign the rules of a directory",
		Long: `Pack the rules of a directory, without their tests, as an OPA bundle with OPA's signature (ES256). The rules are checked as by
carrel policy check first. The hash that is printed is the one that decisions carry.`,
		Example: `  carrel policy bundle make policies --version 2026.2 --key rules.pem --out rules.tar.gz`,
		Args:    a.upTo(1, "a directory"),
		RunE: func(_ *cobra.Command, args []string) error {
			if in.version == "" || in.key == "" || in.out == "" {
				return a.usage("请用 --version 给出版本，用 --key 给出签名私钥文件，用 --out 给出要写的文件", "give the version with --version, the file of the signing key with --key and the file to write with --out")
			}
			if _, err := a.suite(args); err != nil {
				return err
			}
			key, err := os.ReadFile(in.key)
			if err != nil {
				return err
			}
			var body bytes.Buffer
			hash, err := opa.WriteBundle(&body, os.DirFS(append(args, "policies")[0]), in.version, key)
			if err != nil {
				return err
			}
			if err := os.WriteFile(in.out, body.Bytes(), 0o644); err != nil {
				return err
			}
			return a.showBundle(made{in.version, hash})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.key, "key", "", "private key (see keygen)")
	f.StringVar(&in.version, "version", "", "version of the rules, e.g. 2026.2")
	f.StringVar(&in.out, "out", "", "file to write")
	return cmd
}

func (a *app) bundleVerify() *cobra.Command {
	var key string
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Check a bundle's signature and try its decisions, as the service does before it activates one",
		Example: `  carrel policy bundle verify rules.tar.gz --key rules.pub.pem`,
		Args:    a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if key == "" {
				return a.usage("请用 --key 给出公钥文件，例如 keys/policy.pub.pem", "give the file of the public key with --key, for example keys/policy.pub.pem")
			}
			b, err := a.readBundle(cmd, args[0], key)
			if err != nil {
				return err
			}
			return a.showBundle(made{b.Version, b.Hash})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key of who signs bundles")
	return cmd
}

func (a *app) readBundle(cmd *cobra.Command, file, key string) (*opa.Bundle, error) {
	public, err := os.ReadFile(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := opa.ReadBundle(cmd.Context(), f, public)
	var refused *opa.Fault
	if errors.As(err, &refused) {
		return nil, problem.Wrap(err, problem.Unverified, refused.Text.ZH, refused.Text.EN)
	}
	return b, err
}
