package main

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/notice"
	"carrel/broker/service"
)

func (a *app) noticesCommand() *cobra.Command {
	return a.group("notices", "What the service tells you: inbox, e-mail, webhooks",
		a.noticesList(), a.noticesRead(), a.noticesMail(), a.noticesConfirm(), a.noticesQueues(), a.hooksCommand())
}

func (a *app) noticesList() *cobra.Command {
	var unread bool
	var after string
	cmd := &cobra.Command{
		Use: "list", Short: "Your notices, newest first", Example: "  carrel notices list --unread", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []notice.Notice
			q := url.Values{"unread": {fmt.Sprint(unread)}, "after": {after}}
			if err := c.get(cmd.Context(), "/notices?"+q.Encode(), &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, n := range all {
					seen := a.say("未读", "unread")
					if n.Read != nil {
						seen = ""
					}
					rows = append(rows, []string{n.ID, minute(n.At), n.Object, a.say(n.Text.ZH, n.Text.EN), string(n.Due), seen})
				}
				list(w, a.say("没有通知", "no notices"), []string{a.say("编号", "NUMBER"), a.say("时间", "AT"), a.say("事项", "ABOUT"), a.say("内容", "WHAT"), a.say("期限", "DUE"), ""}, rows)
			})
		},
	}
	cmd.Flags().BoolVar(&unread, "unread", false, "only those you have not read")
	cmd.Flags().StringVar(&after, "after", "", "number of the last notice of the page before")
	return cmd
}

func (a *app) noticesRead() *cobra.Command {
	return &cobra.Command{
		Use: "read NOTICE", Short: "Mark a notice as read", Example: "  carrel notices read no-…", Args: a.exact(1, "a notice's number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var n notice.Notice
			if err := c.post(cmd.Context(), "/notices/"+url.PathEscape(args[0])+"/read", nil, &n); err != nil {
				return err
			}
			return a.print(n, func(w io.Writer) { fmt.Fprintln(w, n.ID, a.say("已读", "read")) })
		},
	}
}

func (a *app) printChannel(v notice.ChannelView) error {
	return a.print(v, func(w io.Writer) {
		switch {
		case v.Address == "":
			fmt.Fprintln(w, a.say("未登记邮件地址；通知只在站内", "no address: notices are in the inbox only"))
		case v.Confirmed:
			fmt.Fprintln(w, v.Address, a.say("已确认", "confirmed"))
		default:
			fmt.Fprintln(w, v.Address, a.say("待确认：请输入收到的确认码（carrel notices confirm CODE）", "waits for the code that was sent to it (carrel notices confirm CODE)"))
		}
	})
}

func (a *app) noticesMail() *cobra.Command {
	var set string
	var none bool
	cmd := &cobra.Command{
		Use: "mail [--set ADDRESS | --none]", Short: "Show, set or take away the address that notices go to", Example: "  carrel notices mail --set chen@jinhe.example", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v notice.ChannelView
			switch {
			case set != "" && none:
				return a.usage("--set 与 --none 只能选一个。", "Give --set or --none, not both.")
			case set != "" || none:
				err = c.do(cmd.Context(), "PUT", "/notices/channel", map[string]string{"mail": set}, &v)
			default:
				err = c.get(cmd.Context(), "/notices/channel", &v)
			}
			if err != nil {
				return err
			}
			return a.printChannel(v)
		},
	}
	cmd.Flags().StringVar(&set, "set", "", "your address; a code is sent to it")
	cmd.Flags().BoolVar(&none, "none", false, "take the address away and erase it")
	return cmd
}

func (a *app) noticesConfirm() *cobra.Command {
	return &cobra.Command{
		Use: "confirm CODE", Short: "Show that mail to your address arrives, by the code that was sent to it", Example: "  carrel notices confirm 12345678", Args: a.exact(1, "the eight digits"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var v notice.ChannelView
			if err := c.post(cmd.Context(), "/notices/channel/confirm", map[string]string{"code": args[0]}, &v); err != nil {
				return err
			}
			return a.printChannel(v)
		},
	}
}

func (a *app) noticesQueues() *cobra.Command {
	return &cobra.Command{
		Use: "queues", Short: "What has not gone out, by destination (system administrator, auditor)", Example: "  carrel notices queues", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []notice.Queue
			if err := c.get(cmd.Context(), "/notices/queues", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, q := range all {
					rows = append(rows, []string{q.To, q.State, fmt.Sprint(q.Count), minute(q.Oldest), q.Trouble})
				}
				list(w, a.say("没有待发通知", "nothing waits"), []string{a.say("去向", "TO"), a.say("状态", "STATE"), a.say("数量", "COUNT"), a.say("最早", "OLDEST"), a.say("原因", "TROUBLE")}, rows)
			})
		},
	}
}

func (a *app) hooksCommand() *cobra.Command {
	return a.group("hook", "Webhooks of institutions (system administrator)", a.hookAdd(), a.hookList(), a.hookRemove())
}

func (a *app) hookAdd() *cobra.Command {
	var institution, where string
	cmd := &cobra.Command{
		Use: "add --institution ID --url URL", Short: "Register a webhook; its secret is shown this once", Args: a.exact(0, "no arguments; see --help"),
		Example: "  carrel notices hook add --institution jinhe-health-commission --url https://hooks.example.cn/carrel",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var h notice.Hook
			if err := c.post(cmd.Context(), "/notices/hooks", map[string]string{"institution": institution, "url": where}, &h); err != nil {
				return err
			}
			return a.print(h, func(w io.Writer) { fmt.Fprintln(w, h.ID, h.Institution, h.URL, h.Secret) })
		},
	}
	cmd.Flags().StringVar(&institution, "institution", "", "whose systems are told")
	cmd.Flags().StringVar(&where, "url", "", "https:// address that is called")
	return cmd
}

func (a *app) hookList() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "The webhooks, without secrets", Example: "  carrel notices hook list", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []notice.Hook
			if err := c.get(cmd.Context(), "/notices/hooks", &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				rows := [][]string{}
				for _, h := range all {
					rows = append(rows, []string{h.ID, h.Institution, h.URL})
				}
				list(w, a.say("没有回调", "no webhooks"), []string{a.say("编号", "NUMBER"), a.say("机构", "INSTITUTION"), "URL"}, rows)
			})
		},
	}
}

func (a *app) hookRemove() *cobra.Command {
	return &cobra.Command{
		Use: "remove HOOK", Short: "End a webhook; what waits for it is not sent", Example: "  carrel notices hook remove wh-…", Args: a.exact(1, "a webhook's number"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var h notice.Hook
			if err := c.post(cmd.Context(), "/notices/hooks/"+url.PathEscape(args[0])+"/remove", nil, &h); err != nil {
				return err
			}
			return a.print(h, func(w io.Writer) { fmt.Fprintln(w, h.ID, h.State) })
		},
	}
}

// mailFlags are the flags of serve about where notices go out.
type mailFlags struct{ server, from, login string }

func (m *mailFlags) add(cmd *cobra.Command, c *service.Config) {
	f := cmd.Flags()
	f.StringVar(&m.server, "smtp", "", "mail server for notices, smtp://host:port or smtps://host:port (default: inbox only)")
	f.StringVar(&m.from, "mail-from", "", "sender's address of notices")
	f.StringVar(&m.login, "mail-login", "", "file with user and password of the mail server, one a line, readable by its owner only")
	f.StringVar(&c.BaseURL, "url", "", "where people find the pages, for links in mail")
	f.BoolVar(&c.HooksInside, "hooks-inside", false, "let webhooks call this machine itself and private networks")
}

// mailer makes what the flags ask for; nil without a server.
func (m *mailFlags) mailer() (notice.Mailer, error) {
	if m.server == "" {
		return nil, nil //nolint:nilnil // no server is a choice
	}
	var user, password string
	if m.login != "" {
		info, err := os.Stat(m.login)
		if err != nil || info.Mode().Perm()&0o077 != 0 {
			return nil, errors.New("the file of --mail-login is missing, or others can read it; chmod 600 it")
		}
		raw, err := os.ReadFile(m.login)
		if err != nil {
			return nil, errors.New("the file of --mail-login cannot be read")
		}
		user, password, _ = strings.Cut(strings.TrimSpace(string(raw)), "\n")
	}
	return notice.NewSMTP(m.server, m.from, strings.TrimSpace(user), strings.TrimSpace(password))
}
