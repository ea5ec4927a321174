package main

import (
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"carrel/anonymize/extract"
	"carrel/broker/catalogue/register"
	"carrel/broker/httpapi"
	"carrel/broker/service"
	"carrel/policy"
)

// maxEntry bounds the file of a catalogue entry: one with all of ICD-10 as a code list has a tenth of it.
const maxEntry = 32 << 20

func (a *app) catalogueRegister() *cobra.Command {
	return &cobra.Command{
		Use: "register FILE", Short: "Register a dataset by its catalogue entry, or replace the entry of one", Example: "  carrel catalogue register dataset.yaml", Args: a.exact(1, "the file of a catalogue entry"),
		Long: `Register a dataset by its catalogue entry, as a steward of a unit that the entry names as owner, provider or operator. With
the first dataset of a person universe its privacy budget is opened. Reasons of bounds and domains are yours: they are not to come from the data.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if st, err := os.Stat(args[0]); err == nil && st.Size() > maxEntry {
				return a.usage("目录条目文件超过 32 MB", "a catalogue entry has at most 32 MB")
			}
			src, err := os.ReadFile(args[0])
			if err != nil {
				return err
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var r httpapi.Registered
			if err := c.post(cmd.Context(), "/catalogue", map[string]string{"file": filepath.Base(args[0]), "source": string(src)}, &r); err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) {
				fmt.Fprintf(w, a.say("已登记 %s：%d 张表，%d 个字段\n", "registered %s: %d tables, %d fields\n"), r.Dataset, r.Tables, r.Fields)
			})
		},
	}
}

func (a *app) versionPropose() *cobra.Command {
	return &cobra.Command{
		Use: "propose DATASET EXTRACT", Short: "Put an extract forward as the next version; the service reads every value of it and grades it",
		Long: `Put an extract that "carrel extract build --data" made in the service's data directory forward as the next version of its
dataset. The service reads every value, measures the de-identification grade (GB/T 42460) at the thresholds of the rules,
and takes the quality report of the build that lies beside the extract. It counts once two people have signed: check, then approve.`,
		Example: "  carrel catalogue version propose mimic3-demo ex-0123456789abcdef", Args: a.exact(2, "a dataset and the number of an extract"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v register.Version
			if err := c.post(cmd.Context(), "/catalogue/"+url.PathEscape(args[0])+"/versions", map[string]string{"extract": args[1]}, &v); err != nil {
				return err
			}
			return a.print(v, func(w io.Writer) {
				fmt.Fprintf(w, a.say("版本 %d 待复核\n", "version %d waits to be checked\n"), v.Version)
				a.printGrade(w, v)
				fmt.Fprintf(w, a.say("下一步：carrel catalogue version report %s\n", "next: carrel catalogue version report %s\n"), args[0])
			})
		},
	}
}

// printGrade says what grade a version has, why, at which thresholds, and who stands behind it.
func (a *app) printGrade(w io.Writer, v register.Version) {
	g := v.Risk.Grade
	if g == nil {
		fmt.Fprintln(w, a.say("去标识化等级（GB/T 42460）：未评级，不得对外提供", "de-identification grade (GB/T 42460): not graded, nothing leaves from this version"))
		return
	}
	state := a.say("暂定，待主管部门确认", "provisional until the authority confirms it")
	if c := v.Confirmed; c != nil && !v.Provisional {
		state = fmt.Sprintf("%s (%s, %s)", c.Text.In(a.language()), c.Office, policy.DateOf(c.At))
	}
	fmt.Fprintf(w, a.say("去标识化等级（GB/T 42460）：%d，%s；%s\n", "de-identification grade (GB/T 42460): %d, %s; %s\n"), g.Grade, a.allowed(g.Outside), state)
	for _, r := range g.Reasons {
		fmt.Fprintln(w, "- "+r.In(a.language()))
	}
	fmt.Fprintf(w, a.say("阈值：个人风险 %g，总体唯一 %g；风险报告 %s\n", "thresholds: risk of a person %g, alone in the population %g; risk report %s\n"), g.Threshold, g.Uniques, g.Report)
}

// inService says where an extract of a dataset is built for a service: beside its others, under a new number, with its keys and its register.
func inService(data, dataset string) (out, keys, register string, err error) {
	keys = filepath.Join(data, "keys")
	if _, err := os.Stat(filepath.Join(keys, "accounts.json")); err != nil {
		return "", "", "", fmt.Errorf("%s is not a data directory of Carrel; make one with `carrel demo prepare`", data)
	}
	out, register = filepath.Join(data, "extracts", dataset, extract.NewID()), filepath.Join(data, "registers", dataset)
	for _, d := range []string{filepath.Dir(out), filepath.Dir(register)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return "", "", "", fmt.Errorf("make the directories of extracts: %w", err)
		}
	}
	extract.SweepIn(filepath.Dir(out)) // every build has a name of its own, so that none sweeps for another
	return out, keys, register, nil
}

// filed names an extract that was built for a service by its number, and puts the report of the build beside it.
func filed(out string, b built) (string, error) {
	place := filepath.Join(filepath.Dir(out), b.Manifest.ID)
	if err := os.Rename(out, place); err != nil {
		return "", fmt.Errorf("put the extract in its place: %w", err)
	}
	return place, service.WriteReport(place, b.Report)
}
