package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"carrel/anonymize/deid"
	"carrel/broker/auth"
	"carrel/broker/handover/parcel"
	"carrel/broker/jinhe"
	"carrel/broker/service"
)

func (a *app) demoCommand() *cobra.Command {
	return a.group("demo", "The synthetic city Jinhe", a.demoGenerate(), a.demoPrepare(), a.demoRun())
}

func (a *app) demoGenerate() *cobra.Command {
	o := jinhe.Options{}
	cmd := &cobra.Command{
		Use: "generate --persons N --seed S --out DIR", Short: "Write the source tables of the city, with identifiers on purpose",
		Example: "  carrel demo generate --persons 20000 --seed 1 --out tables", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.Dir == "" {
				return a.usage("请用 --out 指明目录", "name the directory with --out")
			}
			o.Progress = a.progress(a.say("生成城市", "making the city"))
			if err := jinhe.Generate(cmd.Context(), o); err != nil {
				return err
			}
			fmt.Fprintf(a.out, a.say("已在 %s 写入 %d 人的源表\n", "source tables in %s, %d inhabitants\n"), o.Dir, o.Persons)
			return nil
		},
	}
	f := cmd.Flags()
	f.Int64Var(&o.Persons, "persons", 200_000, "inhabitants")
	f.Uint64Var(&o.Seed, "seed", 1, "same seed, same bytes")
	f.StringVar(&o.Dir, "out", "", "directory, must hold no table yet")
	f.StringVar(&o.Format, "format", jinhe.CSV, "csv or parquet")
	return cmd
}

// site is where the demo lives: source tables, data directory, log-ins and the QC centre's key.
type site struct{ root string }

func (s site) source() string { return filepath.Join(s.root, "source") }
func (s site) data() string   { return filepath.Join(s.root, "data") }
func (s site) key() string    { return filepath.Join(s.root, "qc-centre.key") }

// loginsFile is the file of the demo's passwords, beside the data directory; a real service has none.
func loginsFile(data string) string {
	return filepath.Join(filepath.Dir(filepath.Clean(data)), "logins.txt")
}

// demoFlags are the flags of prepare and run.
type demoFlags struct {
	dir, sandbox, name string
	persons            int64
	seed               uint64
	empty              bool // no city: nothing is published
}

func (f *demoFlags) add(cmd *cobra.Command, a *app) {
	fl := cmd.Flags()
	fl.StringVar(&f.dir, "dir", "demo", "directory of the demo, must not exist")
	fl.StringVar(&f.sandbox, "sandbox", a.env["CARREL_SANDBOX"], "path of carrel-sandbox (default beside this program)")
	fl.StringVar(&f.name, "name", "", "name of its service, as serve has it: another one for each of two that exchange (default carrel.example/jinhe)")
	fl.Int64Var(&f.persons, "persons", 200_000, "inhabitants of the city")
	fl.Uint64Var(&f.seed, "seed", 1, "same seed, same city")
}

func (a *app) demoPrepare() *cobra.Command {
	var f demoFlags
	cmd := &cobra.Command{
		Use: "prepare --dir DIR", Short: "Make a data directory with the city's extracts, accounts and keys", Args: a.exact(0, "no arguments"),
		Example: "  carrel demo prepare --dir demo && carrel serve --data demo/data\n" +
			"  carrel demo prepare --empty --dir other --name carrel.example/other && carrel serve --data other/data --name carrel.example/other --listen 127.0.0.1:8444",
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := a.prepareDemo(cmd.Context(), f, a.err)
			return err
		},
	}
	f.add(cmd, a)
	cmd.Flags().BoolVar(&f.empty, "empty", false, "accounts, institutions and keys alone: a service that takes what another one hands over")
	return cmd
}

// prepared is what the demo goes on with.
type preparedDemo struct {
	site     site
	config   service.Config
	password map[string]string
	rows     int64
	persons  int64
}

// prepareDemo makes the demo's directory, or leaves none behind. Lines of what happens go to w.
func (a *app) prepareDemo(ctx context.Context, f demoFlags, w io.Writer) (*preparedDemo, error) {
	if _, err := os.Stat(f.dir); err == nil {
		return nil, a.usage("%s 已存在；请删除，或用 --dir 指明其他目录", "%s exists already; remove it or name another directory with --dir", f.dir)
	}
	d, err := a.foundDemo(ctx, f, w)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(f.dir))
	}
	return d, nil
}

// foundDemo generates the city, makes the data directory and publishes both extracts.
func (a *app) foundDemo(ctx context.Context, f demoFlags, w io.Writer) (*preparedDemo, error) {
	d := &preparedDemo{site: site{f.dir}, password: map[string]string{}}
	if err := a.sandboxThere(f.sandbox); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	if !f.empty {
		fmt.Fprintf(w, a.say("生成金河市 %d 人的源数据\n", "making Jinhe with %d inhabitants\n"), f.persons)
		if err := jinhe.Generate(ctx, jinhe.Options{Persons: f.persons, Seed: f.seed, Dir: d.site.source(), Progress: a.progress(a.say("生成城市", "making the city"))}); err != nil {
			return nil, err
		}
	}
	var keys []string // the keys that number persons come with their register
	if !f.empty {
		var err error
		if keys, err = demoKeys(); err != nil {
			return nil, err
		}
	}
	logins, err := service.Init(d.site.data(), keys...)
	if err != nil {
		return nil, err
	}
	if err := writeLogins(loginsFile(d.site.data()), logins, d.password); err != nil {
		return nil, err
	}
	d.config = service.Config{Data: d.site.data(), Name: f.name, Sandbox: f.sandbox, Logger: slog.New(slog.NewTextHandler(a.err, &slog.HandlerOptions{Level: slog.LevelWarn}))}
	s, err := service.Open(ctx, d.config)
	if err != nil {
		return nil, err
	}
	if f.empty {
		return d, s.Close()
	}
	return d, errors.Join(a.fillDemo(ctx, s, d, w), s.Close())
}

// sandboxThere looks for the sandbox before minutes are spent on a city that nobody could ask.
func (a *app) sandboxThere(binary string) error {
	if binary == "" {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		binary = filepath.Join(filepath.Dir(self), "carrel-sandbox")
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf(a.say("%s 处没有 carrel-sandbox；请运行 make build，或用 --sandbox 指明", "there is no carrel-sandbox at %s; run `make build` or name it with --sandbox"), binary)
	}
	return nil
}

// demoKeys are the keys that both recipes name.
func demoKeys() ([]string, error) {
	var keys []string
	for file, src := range map[string][]byte{jinhe.QueryRecipeFile: jinhe.QueryRecipeYAML(), jinhe.HandoverRecipeFile: jinhe.HandoverRecipeYAML()} {
		r, err := deid.ParseRecipe(file, src)
		if err != nil {
			return nil, err
		}
		keys = append(keys, r.Keys()...)
	}
	return keys, nil
}

func writeLogins(file string, logins []auth.Login, into map[string]string) error {
	var b strings.Builder
	for _, l := range logins {
		into[l.Account] = l.Password.Reveal()
		fmt.Fprintf(&b, "%-8s %-18s %s (%s)\n", l.Account, l.Password.Reveal(), strings.Join(l.Roles, ","), l.Institution)
	}
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// fillDemo registers both datasets, builds and publishes their extracts and enrols the QC centre's key.
func (a *app) fillDemo(ctx context.Context, s *service.Service, d *preparedDemo, w io.Writer) error {
	steward, ok := s.Directory.Identity("wu")
	if !ok {
		return errors.New("the demo has no steward")
	}
	authority, ok := s.Directory.Identity("zhou")
	if !ok {
		return errors.New("the demo has no authority")
	}
	for _, x := range []struct {
		entry, recipe string
		yaml, steps   []byte
	}{
		{jinhe.DatasetFile, jinhe.QueryRecipeFile, jinhe.DatasetYAML(), jinhe.QueryRecipeYAML()},
		{jinhe.RegistryFile, jinhe.HandoverRecipeFile, jinhe.RegistryYAML(), jinhe.HandoverRecipeYAML()},
	} {
		ds, err := s.Holdings.Register(ctx, steward, x.entry, x.yaml)
		if err != nil {
			return err
		}
		m, report, err := s.Build(ctx, steward, x.recipe, x.steps, d.site.source(), a.progress(a.say("构建提取集", "building the extract")))
		if err != nil {
			return err
		}
		if err := s.Holdings.Signed(ctx, steward, authority, ds.ID); err != nil {
			return err
		}
		var rows int64
		for _, t := range m.Tables {
			if !t.Public {
				rows += t.Rows
			}
		}
		if d.rows == 0 {
			d.rows, d.persons = rows, m.Persons
		}
		fmt.Fprintf(w, a.say("提取集 %s：%d 人，%d 行，dp_scope %s，%.1f 秒\n", "extract %s: %d persons, %d rows, dp_scope %s, %.1f s\n"), ds.ID, m.Persons, rows, m.DPScope, report.Seconds)
	}
	operator, ok := s.Directory.Identity("shi")
	if !ok {
		return errors.New("the demo has no operator")
	}
	centre, ok := s.Directory.Identity("zheng")
	if !ok {
		return errors.New("the demo has no QC centre")
	}
	key, err := parcel.NewReceiverKey(centre.Institution)
	if err != nil {
		return err
	}
	if err := key.WriteFile(d.site.key()); err != nil {
		return err
	}
	return s.Receivers.Enrol(ctx, operator, key.Public())
}
