package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
)

// rotated is what `admin rotate-keys` prints with --json.
type rotated struct {
	Keys   int      `json:"keys"`   // of extracts, the new one and those that open what was sealed before
	Sealed []string `json:"sealed"` // extracts that were sealed anew
}

func (a *app) adminRotateKeys() *cobra.Command {
	var reseal []string
	only := false
	cmd := &cobra.Command{
		Use: "rotate-keys KEYS [--reseal EXTRACT…]", Short: "Seal what is built from now on under a new key, and, if asked, extracts that are there",
		Long: `Make a new key of extracts in a key ring (of a service: DATA/keys). What is built from now on is sealed to it; extracts that
were sealed before stay readable, since the ring keeps their keys. --reseal seals the named extracts anew under the newest
key: only the seal changes, which is checked against every file's hash before the old copy goes. --only-reseal makes no
new key. Stop the service first: it reads its keys when it starts. Keys that number persons are never rotated: another
version of a recipe numbers persons anew.`,
		Example: "  carrel admin rotate-keys demo/data/keys --reseal demo/data/extracts/jinhe/ex-0123456789abcdef",
		Args:    a.exact(1, "the directory of a key ring"),
		RunE: func(cmd *cobra.Command, args []string) error {
			ring, err := deid.OpenKeyRing(args[0])
			if err != nil {
				return err
			}
			if !only {
				if err := ring.Rotate(); err != nil {
					return err
				}
			}
			secret, err := ring.Identity()
			if err != nil {
				return err
			}
			sealer, err := extract.NewAge(secret)
			if err != nil {
				return err
			}
			out := rotated{Keys: len(strings.Fields(secret)), Sealed: []string{}}
			for _, dir := range reseal {
				if err := sealAnew(cmd.Context(), dir, sealer); err != nil {
					return fmt.Errorf("%s: %w", dir, err)
				}
				out.Sealed = append(out.Sealed, dir)
			}
			return a.print(out, func(w io.Writer) {
				fmt.Fprintf(w, a.say("密钥环有 %d 把提取集密钥，新提取集用最新一把加密；重新加密 %d 个提取集\n", "the ring holds %d keys of extracts, new extracts are sealed to the newest; %d extracts sealed anew\n"), out.Keys, len(out.Sealed))
			})
		},
	}
	cmd.Flags().StringArrayVar(&reseal, "reseal", nil, "directory of an extract to seal anew; may be given several times")
	cmd.Flags().BoolVar(&only, "only-reseal", false, "make no new key")
	return cmd
}

// sealAnew puts a copy under the newest key in the place of an extract. Whenever it is interrupted a whole copy is left: in its place, or beside it
// under the ending .old until the new one is in its place.
func sealAnew(ctx context.Context, dir string, sealer *extract.Age) error {
	dir = filepath.Clean(dir)
	fresh, old := dir+".new", dir+".old"
	if _, err := os.Stat(old); err == nil {
		return errors.New("an earlier attempt left its copy beside it, under the ending .old: put the one that verifies in its place first")
	}
	if _, err := extract.Reseal(ctx, dir, sealer, fresh, sealer); err != nil {
		return err
	}
	if err := os.Rename(dir, old); err != nil {
		return errors.Join(err, os.RemoveAll(fresh))
	}
	if err := os.Rename(fresh, dir); err != nil {
		return errors.Join(err, os.Rename(old, dir))
	}
	return os.RemoveAll(old)
}
