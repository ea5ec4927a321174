package main

import (
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"

	"carrel/broker/application"
	"carrel/broker/attachment"
	"carrel/broker/form"
	"carrel/broker/problem"
)

func (a *app) applicationForm() *cobra.Command {
	var version int
	cmd := &cobra.Command{
		Use: "form [FORM]", Short: "Forms of applications; of one, its fields", Example: "  carrel application form query\n  carrel application form query --json > query.schema.json", Args: a.upTo(1, "a form"),
		RunE: func(_ *cobra.Command, args []string) error {
			forms, err := form.Embedded()
			if err != nil {
				return err
			}
			if len(args) == 0 {
				return a.print(forms.List(), func(w io.Writer) {
					rows := [][]string{}
					for _, f := range forms.List() {
						rows = append(rows, []string{f.ID, strconv.Itoa(f.Version), f.Title.In(a.language()), f.Help.In(a.language())})
					}
					list(w, "", []string{a.say("申请表", "FORM"), a.say("版本", "VERSION"), a.say("名称", "TITLE"), a.say("说明", "HELP")}, rows)
				})
			}
			f, err := forms.Get(args[0], version)
			if err != nil {
				return err
			}
			return a.print(f, func(w io.Writer) {
				rows := [][]string{}
				for _, x := range f.Fields() {
					rows = append(rows, []string{x.Pointer, x.Label.In(a.language()), strings.Join(x.Values, ", "), x.Help.In(a.language())})
				}
				list(w, "", []string{a.say("位置", "FIELD"), a.say("名称", "LABEL"), a.say("取值", "VALUES"), a.say("说明", "HELP")}, rows)
			})
		},
	}
	cmd.Flags().IntVar(&version, "version", 0, "an older version; 0 is the newest")
	return cmd
}

// applicationCheck says of a file, without a service, where it does not follow its form.
func (a *app) applicationCheck() *cobra.Command {
	var file string
	var service bool
	cmd := &cobra.Command{
		Use: "check FILE", Short: "Where a draft does not follow its form; needs no service unless asked to",
		Example: "  carrel application check study.yaml\n  carrel application check study.yaml --service\n  carrel application check study.yaml --form query.json", Args: a.exact(1, "a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			doc, err := a.readDocument(args[0])
			if err != nil {
				return err
			}
			f, err := a.formFor(cmd, doc, file, service)
			if err != nil {
				return err
			}
			faults := f.Check(doc)
			if err := a.print(listedFaults(faults), func(w io.Writer) {
				for _, x := range faults {
					fmt.Fprintln(w, x.Text.In(a.language()))
				}
				if len(faults) == 0 {
					fmt.Fprintf(w, a.say("符合申请表 %s 第 %d 版；是否合规由策略判断。\n", "follows form %s, version %d; whether it is lawful is for policy to say\n"), f.ID, f.Version)
				}
			}); err != nil {
				return err
			}
			if len(faults) > 0 {
				return problem.New(problem.Invalid, fmt.Sprintf("有 %d 处需要补正；请修改后再提交。", len(faults)), fmt.Sprintf("%d fields need attention; change them and submit.", len(faults)))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&file, "form", "", "a form of your own, as carrel application form prints it with --json")
	cmd.Flags().BoolVar(&service, "service", false, "the form that the service has now, not the one that came with this program")
	return cmd
}

// formFor is the form that a draft is held to: that of a file, the service's newest, or the one that came with the program.
func (a *app) formFor(cmd *cobra.Command, doc map[string]any, file string, service bool) (*form.Form, error) {
	ref := formOf(doc)
	if file != "" && service {
		return nil, a.usage("--form 与 --service 只能用一个", "give --form or --service, not both")
	}
	if file == "" && !service {
		forms, err := form.Embedded()
		if err != nil {
			return nil, err
		}
		return forms.Carry(ref, doc)
	}
	raw, err := a.formText(cmd, ref.ID, file)
	if err != nil {
		return nil, err
	}
	f, err := form.Parse(raw)
	if err != nil {
		return nil, a.usage("不是可用的申请表：%v", "no form that can be used: %v", err)
	}
	if f.ID != ref.ID {
		return nil, a.usage("草稿用的是申请表 %s，给出的是 %s", "the draft is of form %s, and this is %s", ref.ID, f.ID)
	}
	return f, nil
}

func (a *app) formText(cmd *cobra.Command, id, file string) ([]byte, error) {
	if file != "" {
		return os.ReadFile(file)
	}
	c, err := a.api()
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	err = c.get(cmd.Context(), "/forms/"+url.PathEscape(id), &raw)
	return raw, err
}

func listedFaults(faults []form.Fault) []form.Fault {
	if faults == nil {
		return []form.Fault{}
	}
	return faults
}

// readDocument reads YAML or JSON as the form reads it: names are not looked at yet.
func (a *app) readDocument(file string) (map[string]any, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc map[string]any
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, a.usage("%s 既不是 YAML 也不是 JSON：%v", "%s is neither YAML nor JSON: %v", file, err)
	}
	b, err := json.Marshal(doc)
	if err != nil {
		return nil, a.usage("%s 含有 JSON 无法表示的内容", "%s holds something that JSON cannot", file)
	}
	return form.Decode(b)
}

// formOf is the form that a draft names, or that of its kind.
func formOf(doc map[string]any) form.Ref {
	named, _ := doc["form"].(map[string]any)
	facts, _ := doc["facts"].(map[string]any)
	ref := form.Ref{}
	ref.ID, _ = named["id"].(string)
	if n, ok := named["version"].(json.Number); ok {
		ref.Version, _ = strconv.Atoi(n.String())
	}
	if kind, _ := facts["kind"].(string); ref.ID == "" {
		ref.ID = kind
	}
	if ref.ID == "" {
		ref.ID = "query"
	}
	return ref
}

func (a *app) applicationCopy() *cobra.Command {
	return &cobra.Command{
		Use: "copy APPLICATION", Short: "Begin a draft with what an application says, without reviews and signatures", Example: "  carrel application copy ap-…", Args: a.exact(1, "an application"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var made application.Application
			if err := c.post(cmd.Context(), "/applications/"+url.PathEscape(args[0])+"/copy", nil, &made); err != nil {
				return err
			}
			return a.print(made, func(w io.Writer) {
				fmt.Fprintf(w, a.say("已建立申请 %s（%s）；更改：carrel application edit %s\n", "application %s (%s); change it with: carrel application edit %s\n"), made.ID, a.ruleName(appStates, made.State), made.ID)
			})
		},
	}
}

func (a *app) applicationDiff() *cobra.Command {
	return &cobra.Command{
		Use: "diff APPLICATION [FROM [TO]]", Short: "What differs between two submitted versions, field by field; without TO, against the application as it stands; without both, of an amendment or a renewal, what it changes of what was granted",
		Example: "  carrel application diff ap-…\n  carrel application diff ap-… 1 2",
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.exact(1, "an application")(c, args)
			}
			return a.upTo(3, "an application and two versions")(c, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			span := [2]int{}
			for i, arg := range args[1:] {
				n, err := strconv.Atoi(arg)
				if err != nil || n < 1 {
					return a.usage("%q 不是版本号；版本从 1 开始", "%q is no version; versions count from 1", arg)
				}
				span[i] = n
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var got application.Changes
			if len(args) == 1 {
				if err := c.get(cmd.Context(), "/applications/"+url.PathEscape(args[0])+"/amended", &got); err != nil {
					return err
				}
				if got.Of != "" {
					return a.print(got, func(w io.Writer) { a.printChanges(w, got) })
				}
			}
			if err := c.get(cmd.Context(), fmt.Sprintf("/applications/%s/changes?from=%d&to=%d", url.PathEscape(args[0]), span[0], span[1]), &got); err != nil {
				return err
			}
			return a.print(got, func(w io.Writer) { a.printChanges(w, got) })
		},
	}
}

func (a *app) printChanges(w io.Writer, got application.Changes) {
	if got.Of != "" {
		fmt.Fprintf(w, "%s %s\n", a.say("与所批准的内容相比：", "against what was granted by"), got.Of)
	}
	if len(got.Changes) == 0 {
		fmt.Fprintln(w, a.say("没有变化", "nothing changed"))
	}
	for _, c := range got.Changes {
		fmt.Fprintf(w, "%s (%s)\n", c.Label.In(a.language()), c.Pointer)
		lines := c.Lines
		if lines == nil {
			lines = []string{"-" + c.Old, "+" + c.New}
		}
		for _, l := range lines {
			if l != "-" && l != "+" {
				fmt.Fprintf(w, "  %s\n", l)
			}
		}
	}
}

// mediaOf is the media type of a file's name, of those that can be attached.
func mediaOf(name string) string {
	switch ext := strings.ToLower(filepath.Ext(name)); ext {
	case ".pdf":
		return attachment.PDF
	case ".png":
		return attachment.PNG
	case ".jpg", ".jpeg":
		return attachment.JPEG
	case ".docx":
		return attachment.DOCX
	case ".xlsx":
		return attachment.XLSX
	case ".txt":
		return attachment.Text
	default:
		return "application/octet-stream"
	}
}

// folder is where files lie: with an application, a grant, or a cross-border file.
type folder struct {
	noun, what, route, sample string
}

func (a *app) ofApplication() folder {
	return folder{"APPLICATION", "an application", "/applications/", "carrel application %s ap-…"}
}

func (a *app) ofGrant() folder {
	return folder{"GRANT", "a grant", "/grants/", "carrel grant %s g-…"}
}

func (a *app) ofAbroad() folder {
	return folder{"FILE", "a cross-border file", "/abroad/", "carrel abroad %s cb-…"}
}

// attachments is the route of what lies with this one.
func (f folder) attachments(id string) string { return f.route + url.PathEscape(id) + "/attachments" }

func (f folder) example(command, rest string) string {
	return "  " + fmt.Sprintf(f.sample, command) + rest
}

func (a *app) attach(f folder, short string) *cobra.Command {
	var media string
	cmd := &cobra.Command{
		Use: "attach " + f.noun + " FILE", Short: short, Example: f.example("attach", " report.pdf"), Args: a.exact(2, f.what+" and a file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			x, err := a.upload(cmd, f.attachments(args[0]), args[1], media)
			if err != nil {
				return err
			}
			return a.print(x, func(w io.Writer) { fmt.Fprintf(w, "%s  %s\n", x.Hash, x.Name) })
		},
	}
	cmd.Flags().StringVar(&media, "type", "", "the file's media type, where its name does not say it")
	return cmd
}

func (a *app) attachments(f folder, short string) *cobra.Command {
	return &cobra.Command{
		Use: "attachments " + f.noun, Short: short, Example: f.example("attachments", ""), Args: a.exact(1, f.what),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []application.Attached
			if err := c.get(cmd.Context(), f.attachments(args[0]), &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) { a.printAttached(w, all) })
		},
	}
}

func (a *app) printAttached(w io.Writer, all []application.Attached) {
	rows := [][]string{}
	for _, x := range all {
		rows = append(rows, []string{x.Hash, x.Name, x.Type, strconv.Itoa(x.Size), x.By})
	}
	list(w, a.say("没有附件", "nothing is attached"), []string{"SHA-256", a.say("名称", "NAME"), a.say("类型", "TYPE"), a.say("字节", "BYTES"), a.say("上传人", "BY")}, rows)
}

func (a *app) fetch(f folder) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "fetch " + f.noun + " HASH --out FILE", Short: "Fetch what is attached", Example: f.example("fetch", " sha256:… --out report.pdf"), Args: a.exact(2, f.what+" and a hash"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.save(cmd, f.attachments(args[0])+"/"+url.PathEscape(args[1]), out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "where to write it; its own name if not given")
	return cmd
}

// save fetches a file and writes it where nothing is yet.
func (a *app) save(cmd *cobra.Command, from, out string) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	resp, err := c.send(cmd.Context(), http.MethodGet, from, nil)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	if out == "" {
		_, params, _ := mime.ParseMediaType(resp.Header.Get("Content-Disposition"))
		if out, err = attachment.Name(params["filename"]); err != nil {
			return err
		}
	}
	saved, err := os.OpenFile(out, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	if _, err := io.Copy(saved, io.LimitReader(resp.Body, attachment.MaxSize)); err != nil {
		_ = saved.Close()
		return err
	}
	return saved.Close()
}

func (a *app) applicationDetach() *cobra.Command {
	return &cobra.Command{
		Use: "detach APPLICATION HASH", Short: "Take an attachment off a draft for good", Example: "  carrel application detach ap-… sha256:…", Args: a.exact(2, "an application and a hash"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var left []application.Attached
			if err := c.do(cmd.Context(), http.MethodDelete, "/applications/"+url.PathEscape(args[0])+"/attachments/"+url.PathEscape(args[1]), nil, &left); err != nil {
				return err
			}
			return a.print(left, func(w io.Writer) { a.printAttached(w, left) })
		},
	}
}
