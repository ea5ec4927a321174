package main

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"carrel/broker/auth"
	"carrel/broker/handover"
	"carrel/broker/handover/parcel"
	"carrel/broker/problem"
)

func (a *app) handoverCommand() *cobra.Command {
	return a.group("handover", "Extracts for QC centres: request, pull, verify, countersign",
		a.handoverKeygen(), a.handoverRequest(), a.handoverList(), a.handoverShow("show", "One handover"), a.handoverShow("trace", "Who requested, fetched and signed, and when"),
		a.handoverPull(), a.handoverVerify(), a.handoverOpen(), a.handoverSign())
}

func (a *app) handoverKeygen() *cobra.Command {
	var institution, out string
	cmd := &cobra.Command{
		Use: "keygen --institution ID --out FILE", Short: "Make a receiver's keys; the public half goes to the operator for enrolment",
		Example: "  carrel handover keygen --institution jinhe-qc-centre --out receiver.key > receiver.pub.json", Args: a.exact(0, "no arguments"),
		RunE: func(*cobra.Command, []string) error {
			k, err := parcel.NewReceiverKey(institution)
			if err != nil {
				return a.usage("请用 --institution 指明单位", "name the institution with --institution")
			}
			if err := k.WriteFile(out); err != nil {
				return err
			}
			a.json = true
			return a.print(k.Public(), nil)
		},
	}
	cmd.Flags().StringVar(&institution, "institution", "", "id of the receiving institution")
	cmd.Flags().StringVar(&out, "out", "receiver.key", "file of the secret keys, not overwritten")
	return cmd
}

func (a *app) handoverRequest() *cobra.Command {
	var dataset string
	cmd := &cobra.Command{
		Use: "request GRANT", Aliases: []string{"prepare"}, Short: "Ask for the package of a grant; it is cut, counted, sealed and signed at once",
		Example: "  carrel handover request g-…", Args: a.exact(1, "a grant"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var h handover.Handover
			if err := c.post(cmd.Context(), "/grants/"+url.PathEscape(args[0])+"/handovers", map[string]string{"dataset": dataset}, &h); err != nil {
				return err
			}
			return a.print(h, func(w io.Writer) { a.printHandover(w, h) })
		},
	}
	cmd.Flags().StringVar(&dataset, "dataset", "", "when the grant names several")
	return cmd
}

func (a *app) handoverList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Handovers that you may see", Example: "  carrel handover list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []handover.Handover
			if err := c.get(cmd.Context(), "/handovers", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, h := range all {
					size := ""
					if h.Package != nil {
						size = strconv.FormatInt(h.Package.Rows, 10)
					}
					rows = append(rows, []string{h.ID, a.ruleName("workflow/handover/states", h.State), h.Dataset, h.Institution, h.Grant, size})
				}
				list(w, a.say("没有移交", "no handovers"), []string{a.say("移交", "HANDOVER"), a.say("状态", "STATE"), a.say("数据集", "DATASET"), a.say("接收方", "RECEIVER"), a.say("授权", "GRANT"), a.say("行数", "ROWS")}, rows)
			})
		},
	}
}

func (a *app) handoverShow(use, short string) *cobra.Command {
	return &cobra.Command{
		Use: use + " HANDOVER", Short: short, Example: "  carrel handover " + use + " h-…", Args: a.exact(1, "a handover"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var h handover.Handover
			if err := c.get(cmd.Context(), "/handovers/"+url.PathEscape(args[0]), &h); err != nil {
				return err
			}
			return a.print(h, func(w io.Writer) { a.printHandover(w, h) })
		},
	}
}

func (a *app) printHandover(w io.Writer, h handover.Handover) {
	fmt.Fprintf(w, "%s  %s  %s → %s\n", h.ID, a.ruleName("workflow/handover/states", h.State), h.Dataset, h.Institution)
	fmt.Fprintf(w, "%s %s, %s\n", a.say("申请", "requested by"), h.Requester, second(h.Made))
	if p := h.Package; p != nil {
		fmt.Fprintf(w, "%s %d, %s %d, k = %d\n%s %s\n", a.say("行数", "rows"), p.Rows, a.say("列数", "columns"), p.Columns, p.K.Smallest, a.say("清单", "manifest"), p.Manifest)
	}
	for _, p := range h.Pulls {
		fmt.Fprintf(w, "%s %s, %s\n", a.say("领取", "fetched by"), p.By, second(p.At))
	}
	if h.Receipt != nil {
		fmt.Fprintf(w, "%s %s, %s\n", a.say("签收", "signed for by"), h.Receipt.By, second(h.Receipt.At))
	}
}

func (a *app) handoverPull() *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "pull HANDOVER", Short: "Fetch the encrypted package and the service's public keys beside it",
		Example: "  carrel handover pull h-… --out package.carrel", Args: a.exact(1, "a handover"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Base(args[0]) + ".carrel"
			}
			if _, err := os.Lstat(out); err == nil { // before asking: every fetch is on record
				return fmt.Errorf(a.say("%s 已存在，不会覆盖；请用 --out 另取名称", "%s exists already and is not overwritten; name another file with --out"), out)
			}
			var keys []byte
			if err := c.get(cmd.Context(), "/keys", &keys); err != nil {
				return err
			}
			resp, err := c.send(cmd.Context(), http.MethodGet, "/handovers/"+url.PathEscape(args[0])+"/package", nil)
			if err != nil {
				return err
			}
			defer func() { _ = resp.Body.Close() }()
			if err := save(out, resp.Body, resp.ContentLength, a.progress(a.say("下载", "fetching"))); err != nil {
				return err
			}
			if err := os.WriteFile(out+".keys.json", keys, 0o600); err != nil {
				return err
			}
			fmt.Fprintf(a.out, a.say("已保存 %s 与 %s.keys.json\n", "saved %s and %s.keys.json\n"), out, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, not overwritten (default HANDOVER.carrel)")
	return cmd
}

// save writes a stream to a new file and leaves nothing behind when it breaks.
func save(name string, r io.Reader, size int64, progress func(done, total int64)) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write %s (an existing file is not overwritten): %w", name, err)
	}
	n, err := io.Copy(io.MultiWriter(f, &counted{size: size, tell: progress}), r)
	if err == nil && size >= 0 && n != size {
		err = io.ErrUnexpectedEOF
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		_ = os.Remove(name)
		return fmt.Errorf("the package did not arrive whole; fetch it again: %w", err)
	}
	return nil
}

type counted struct {
	done, size int64
	tell       func(done, total int64)
}

func (c *counted) Write(p []byte) (int, error) {
	c.done += int64(len(p))
	c.tell(c.done, c.size)
	return len(p), nil
}

// offline are the flags of the commands that need no service.
type offline struct{ key, keys string }

func (o *offline) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.key, "key", "", "the receiver's secret key file")
	cmd.Flags().StringVar(&o.keys, "keys", "", "the service's public keys (default FILE.keys.json)")
}

func (o *offline) load(file string) (parcel.Keys, *parcel.ReceiverKey, error) {
	name := o.keys
	if name == "" {
		name = file + ".keys.json"
	}
	raw, err := os.ReadFile(name)
	if err != nil {
		return nil, nil, problem.Wrap(err, problem.Invalid, "数据包旁没有服务公钥文件；请用 --keys 指明。", "The service's public keys are not beside the package; name their file with --keys.")
	}
	find, err := auth.ParseKeySet(raw)
	if err != nil {
		return nil, nil, problem.Wrap(err, problem.Unverified, "服务公钥文件不可用。", "The file of the service's public keys is not usable.")
	}
	if o.key == "" {
		return find, nil, nil
	}
	k, err := parcel.ReadReceiverKey(o.key)
	return find, k, err
}

func (a *app) handoverVerify() *cobra.Command {
	var o offline
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Check a package offline: signatures, hashes, expiry; with --key its inside too",
		Example: "  carrel handover verify package.carrel --key receiver.key", Args: a.exact(1, "a package"),
		RunE: func(_ *cobra.Command, args []string) error {
			r, err := a.inspect(args[0], o, "")
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { a.printReport(w, r) })
		},
	}
	o.add(cmd)
	return cmd
}

func (a *app) handoverOpen() *cobra.Command {
	var o offline
	var out string
	cmd := &cobra.Command{
		Use: "open FILE --key receiver.key --out DIR", Short: "Verify a package offline and unpack it into a new folder",
		Example: "  carrel handover open package.carrel --key receiver.key --out data", Args: a.exact(1, "a package"),
		RunE: func(_ *cobra.Command, args []string) error {
			if out == "" {
				return a.usage("请用 --out 指明新目录", "name a new folder with --out")
			}
			r, err := a.inspect(args[0], o, out)
			if err != nil {
				return err
			}
			return a.print(r, func(w io.Writer) { a.printReport(w, r) })
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "new folder for the files")
	return cmd
}

func (a *app) inspect(file string, o offline, out string) (parcel.Report, error) {
	keys, key, err := o.load(file)
	if err != nil {
		return parcel.Report{}, err
	}
	f, err := os.Open(file)
	if err != nil {
		return parcel.Report{}, err
	}
	defer func() { _ = f.Close() }()
	if out == "" {
		return parcel.Verify(f, keys, key, time.Now())
	}
	return parcel.Open(f, keys, key, time.Now(), out)
}

func (a *app) printReport(w io.Writer, r parcel.Report) {
	fmt.Fprintf(w, "%s  %s → %s\n", r.Cover.ID, a.say("签名有效，内容完整", "signatures hold, content is whole"), r.Cover.Receiver)
	if r.Opened {
		for _, f := range r.Manifest.Files {
			fmt.Fprintf(w, "  %s  %s\n", f.Name, f.SHA256)
		}
	} else {
		fmt.Fprintln(w, a.say("未给出接收方密钥，未检查内部。", "without the receiver's key the inside was not checked"))
	}
}

func (a *app) handoverSign() *cobra.Command {
	var o offline
	var out string
	cmd := &cobra.Command{
		Use: "sign FILE --key receiver.key", Short: "Verify a pulled package whole, countersign its manifest and send the receipt, or write it to a file",
		Example: "  carrel handover sign package.carrel --key receiver.key\n  carrel handover sign package.carrel --key receiver.key --out package.receipt   # offline; give the file to the handover's page", Args: a.exact(1, "a package"),
		RunE: func(cmd *cobra.Command, args []string) error {
			_, key, err := o.load(args[0])
			if err != nil {
				return err
			}
			if key == nil {
				return a.usage("签收需要接收方密钥；请用 --key 指明", "countersigning needs the receiver's key; name it with --key")
			}
			r, err := a.inspect(args[0], o, "")
			if err != nil {
				return err
			}
			signature := key.Acknowledge(r.Cover.ID, r.Cover.Manifest)
			if out != "" {
				return save(out, strings.NewReader(signature+"\n"), -1, func(int64, int64) {})
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var h handover.Handover
			body := map[string]string{"signature": signature}
			if err := c.post(cmd.Context(), "/handovers/"+url.PathEscape(r.Cover.ID)+"/acknowledgement", body, &h); err != nil {
				return err
			}
			return a.print(h, func(w io.Writer) { a.printHandover(w, h) })
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&out, "out", "", "write the receipt to this file and send nothing: no service is needed")
	return cmd
}
