package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"carrel/anonymize/deid"
	"carrel/anonymize/extract"
	"carrel/anonymize/plan"
	"carrel/broker/catalogue"
	"carrel/broker/jinhe"
	"carrel/broker/problem"
)

func (a *app) extractCommand() *cobra.Command {
	return a.group("extract", "Extracts: de-identified tables made by a recipe", a.extractProfile(), a.extractBuild(), a.extractVerify(), a.extractSearch(), a.extractRisk(), a.extractGrade())
}

// built is what `extract build` prints with --json.
type built struct {
	Manifest *extract.Manifest `json:"manifest"`
	Report   *deid.Report      `json:"report"`
}

func (a *app) extractBuild() *cobra.Command {
	var in struct{ recipe, source, out, data, catalogue, keys, register string }
	cmd := &cobra.Command{
		Use: "build --recipe R.yaml --source DIR (--out DIR | --data DIR)", Short: "Make an extract from source tables",
		Long: `Make an extract from source tables by a recipe. Keys of pseudonyms and the key that seals the extract are read
from --keys (made there when missing); the register of persons is frozen at the first build (--register). Source
values never appear in messages. On any error nothing is left at --out.

With --data, the data directory of a service, the extract is built in its place there, with the service's keys and its
register of the dataset, and the report of the build is kept beside it for "carrel catalogue version propose".`,
		Example: "  carrel extract build --recipe query.recipe.yaml --source tables --out extract-1 --keys keys --register persons.register",
		Args:    a.exact(0, "no arguments; see --help"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if in.recipe == "" || in.source == "" || (in.out == "") == (in.data == "") {
				return a.usage("请用 --recipe、--source 指明配方、来源，用 --out 或 --data 指明输出", "name recipe and source with --recipe and --source, and the output with --out or --data")
			}
			if in.data != "" && in.keys+in.register != "" {
				return a.usage("--data 使用服务的密钥和登记册，不与 --keys、--register 同用", "--data takes the service's keys and register: leave out --keys and --register")
			}
			r, err := deid.ReadRecipe(in.recipe)
			if err != nil {
				return err
			}
			d, err := entryFor(in.catalogue, r.Dataset)
			if err != nil {
				return err
			}
			if in.data != "" {
				if in.out, in.keys, in.register, err = inService(in.data, r.Dataset); err != nil {
					return err
				}
			}
			b, err := a.build(cmd.Context(), r, d, in.source, in.out, orDefault(in.keys, filepath.Join(filepath.Dir(filepath.Clean(in.out)), "keys")), orDefault(in.register, filepath.Join(filepath.Dir(filepath.Clean(in.out)), r.Dataset+".register")))
			if err != nil {
				return err
			}
			if in.data != "" {
				if in.out, err = filed(in.out, b); err != nil {
					return err
				}
			}
			return a.print(b, func(w io.Writer) {
				a.printBuilt(w, b)
				if in.data != "" {
					fmt.Fprintf(w, a.say("下一步：carrel catalogue version propose %s %s\n", "next: carrel catalogue version propose %s %s\n"), r.Dataset, filepath.Base(in.out))
				}
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&in.recipe, "recipe", "", "recipe file")
	f.StringVar(&in.source, "source", "", "directory of the source tables")
	f.StringVar(&in.out, "out", "", "directory of the extract, must not exist")
	f.StringVar(&in.data, "data", "", "data directory of a service, in place of --out")
	f.StringVar(&in.catalogue, "catalogue", "", "catalogue entry of the dataset (default: Jinhe's)")
	f.StringVar(&in.keys, "keys", "", "key ring directory (default: keys beside the output)")
	f.StringVar(&in.register, "register", "", "register of persons (default: DATASET.register beside the output)")
	return cmd
}

func orDefault(s, d string) string {
	if s == "" {
		return d
	}
	return s
}

// entryFor reads a catalogue entry from a file, or takes one of the demo city's.
func entryFor(file, dataset string) (*catalogue.Dataset, error) {
	if file == "" {
		if dataset != jinhe.Dataset && dataset != jinhe.Registry {
			return nil, problem.New(problem.Invalid, "数据集为 "+dataset+"；请用 --catalogue 指明其目录条目。", "The dataset is "+dataset+"; name its catalogue entry with --catalogue.")
		}
		return jinhe.Entry(dataset)
	}
	src, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	lists, err := catalogue.Embedded()
	if err != nil {
		return nil, err
	}
	return catalogue.Parse(file, src, lists)
}

func (a *app) build(ctx context.Context, r *deid.Recipe, d *catalogue.Dataset, source, out, keys, register string) (built, error) {
	ring, err := deid.InitKeyRing(keys, r.Keys()...)
	if err != nil {
		return built{}, err
	}
	secret, err := ring.Identity()
	if err != nil {
		return built{}, err
	}
	sealer, err := extract.NewAge(secret)
	if err != nil {
		return built{}, err
	}
	var schema *plan.Schema
	if schema, err = d.Schema(1); err != nil { // the register decides how many persons there are
		return built{}, err
	}
	m, report, err := deid.Build(ctx, deid.BuildInput{Recipe: r, Schema: schema, Universe: d.Universe, SourceDir: source, OutDir: out, Keys: ring, Register: register, Sealer: sealer,
		Progress: a.progress(a.say("构建提取集", "building the extract"))})
	return built{m, report}, err
}

func (a *app) printBuilt(w io.Writer, b built) {
	rows := [][]string{}
	for _, t := range b.Manifest.Tables {
		rows = append(rows, []string{t.Name, strconv.FormatInt(t.Rows, 10), strconv.Itoa(len(t.Columns)), strconv.FormatInt(t.Bytes>>10, 10)})
	}
	table(w, []string{a.say("表", "TABLE"), a.say("行数", "ROWS"), a.say("列数", "COLUMNS"), "KiB"}, rows)
	for _, g := range b.Report.Global {
		fmt.Fprintf(w, a.say("配方第 %d 行（%s.%s）：%s 是全局步骤，其结果取决于其他人；保证仅就提取集而言\n", "line %d of the recipe (%s.%s): %s is a global step, its outcome depends on other persons; the guarantee is about the extract only\n"), g.Line, g.Table, g.Column, g.Step)
	}
	fmt.Fprintf(w, a.say("提取集 %s，%d 人，dp_scope %s，%.1f 秒\n", "extract %s, %d persons, dp_scope %s, %.1f s\n"), b.Manifest.ID, b.Manifest.Persons, b.Manifest.DPScope, b.Report.Seconds)
}

func (a *app) extractVerify() *cobra.Command {
	var keys string
	cmd := &cobra.Command{
		Use: "verify DIR", Short: "Check every byte and every rule of an extract against its manifest", Example: "  carrel extract verify extract-1 --keys keys", Args: a.exact(1, "the directory of an extract"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sealer, err := sealerOf(args[0], keys)
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(args[0], "manifest.json")); errors.Is(err, os.ErrNotExist) {
				return noExtract(args[0], err)
			}
			m, err := extract.Verify(cmd.Context(), args[0], sealer)
			var ve *extract.VerifyError
			if errors.As(err, &ve) {
				for _, f := range ve.Findings {
					fmt.Fprintln(a.out, "✗ "+a.say(inChinese(f), f))
				}
				return problem.Wrap(err, problem.Unverified, "提取集与其清单不符；请勿使用，并重新构建。", "The extract is not what its manifest says; do not use it and build it again.")
			}
			if err != nil {
				return err
			}
			return a.print(m, func(w io.Writer) { fmt.Fprintf(w, "✓ %s  %s  dp_scope %s\n", m.ID, m.Dataset, m.DPScope) })
		},
	}
	cmd.Flags().StringVar(&keys, "keys", "", "key ring directory (default: keys beside the extract)")
	return cmd
}
