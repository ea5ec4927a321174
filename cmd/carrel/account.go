package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"carrel/broker/auth"
)

// defaultServer is where `carrel serve` listens when nothing else is said.
const defaultServer = "http://127.0.0.1:8443"

func (a *app) loginCommand() *cobra.Command {
	var passwordFile string
	cmd := &cobra.Command{
		Use:     "login ACCOUNT",
		Short:   "Begin a session of an hour against a service",
		Example: "  carrel login li --server http://127.0.0.1:8443\n  echo \"$PASSWORD\" | carrel login li",
		Args:    a.exact(1, "an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			password, err := a.password(passwordFile)
			if err != nil {
				return err
			}
			server := orDefault(a.server, defaultServer)
			var s session
			body := map[string]string{"account": args[0], "password": password}
			if err := newAPI(server, "").post(cmd.Context(), "/login", body, &s); err != nil {
				return err
			}
			s.Server, s.Account = strings.TrimRight(server, "/"), args[0]
			all, err := a.loadSessions()
			if err != nil {
				return err
			}
			all.Current, all.By[s.Account] = s.Account, s
			if err := a.saveSessions(all); err != nil {
				return err
			}
			fmt.Fprintf(a.out, a.say("已登录为 %s，有效至 %s。\n", "logged in as %s until %s\n"), s.Account, written(s.Expires, "15:04:05 -07:00"))
			return nil
		},
	}
	cmd.Flags().StringVar(&passwordFile, "password-file", "", "file with the password (default: ask, or read standard input)")
	return cmd
}

// password is read from a file, a terminal without echo, or the first line of standard input.
func (a *app) password(file string) (string, error) {
	if file != "" {
		b, err := os.ReadFile(file)
		return strings.TrimSpace(string(b)), err
	}
	if f, ok := a.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(a.err, a.say("密码：", "password: "))
		b, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(a.err)
		return string(b), err
	}
	line, err := bufio.NewReader(a.in).ReadString('\n')
	if err != nil && line == "" {
		return "", a.usage("没有密码：请输入、经管道传入，或用 --password-file 指明文件", "no password: type it, pipe it in, or name a file with --password-file")
	}
	return strings.TrimSpace(line), nil
}

func (a *app) whoamiCommand() *cobra.Command {
	return &cobra.Command{
		Use: "whoami", Short: "Who the session says you are", Example: "  carrel whoami", Args: a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.api()
			if err != nil {
				return err
			}
			var id auth.Identity
			if err := c.get(cmd.Context(), "/whoami", &id); err != nil {
				return err
			}
			return a.print(id, func(w io.Writer) {
				fmt.Fprintf(w, "%s  %s  %s\n", id.Account, strings.Join(id.Roles, ","), id.Institution)
			})
		},
	}
}
