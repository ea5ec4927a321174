package main

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/debug"

	"github.com/spf13/cobra"

	"carrel/broker/service"
)

// serverMemory keeps the garbage collector of the server under the memory that an idle service may use; it is a soft limit.
const serverMemory = 512 << 20

// serverGarbage lets the heap of the server grow to five times what is live before it is collected: it is small, and a collection
// is what the slowest decisions of a hundred wait for. serverMemory bounds it, and GOGC of the environment is heeded.
const serverGarbage = 400

func (a *app) serveCommand() *cobra.Command {
	c := service.Config{}
	listen := "127.0.0.1:8443"
	verbose := false
	var post mailFlags
	cmd := &cobra.Command{
		Use:   "serve --data DIR",
		Short: "Run the service on one data directory",
		Long: `Run the service on one data directory until SIGTERM or Ctrl-C; requests that are under way are finished.

A second process on the same directory is refused. Signed heads of the audit log are kept in a second directory
(--checkpoints, by default beside the data directory): put it on another disk, since it is what shows that an
older database was put back.`,
		Example: "  carrel serve --data demo/data --listen 127.0.0.1:8443",
		Args:    a.exact(0, "no arguments"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			level := slog.LevelWarn
			if verbose {
				level = slog.LevelInfo
			}
			c.Logger = slog.New(slog.NewJSONHandler(a.err, &slog.HandlerOptions{Level: level}))
			var err error
			if c.Mail, err = post.mailer(); err != nil {
				return err
			}
			return a.serve(cmd.Context(), c, listen)
		},
	}
	f := cmd.Flags()
	f.StringVar(&c.Data, "data", "", "data directory (made by \"carrel demo prepare\")")
	f.StringVar(&c.Checkpoints, "checkpoints", "", "directory for signed heads of the log, outside the data directory (default DATA-checkpoints)")
	f.StringVar(&c.Sandbox, "sandbox", a.env["CARREL_SANDBOX"], "path of carrel-sandbox (default beside this program)")
	f.StringVar(&c.Name, "name", "", "name of this service in tokens and in the log (default carrel.example/jinhe)")
	f.StringVar(&c.CatalogueBase, "catalogue-base", "", "https address that ids of the open catalogue (/catalogue.jsonld) begin with; set it before others harvest, then leave it (default https:// and --name)")
	f.StringVar(&c.Operator, "operator", "", "responsible unit that operates the service")
	f.Int64Var(&c.Memory, "child-memory", 0, "bytes that one sandbox child may use (default 4 GiB)")
	f.IntVar(&c.KeepLog, "keep-log", 36, "months for which the audit log and its backups are kept; less than three years is refused")
	f.BoolVar(&c.AllowMissingCheckpoints, "allow-missing-checkpoints", false, "start once although the directory of signed heads is empty")
	f.BoolVar(&c.AllowEarlierClock, "allow-earlier-clock", false, "start once although the clock is a day or more behind the newest entry of the log")
	post.add(cmd, &c)
	f.StringVar(&listen, "listen", listen, "address to listen on; put a TLS proxy in front of any but loopback")
	f.BoolVar(&verbose, "verbose", false, "one log line a request")
	return cmd
}

func (a *app) serve(ctx context.Context, c service.Config, listen string) error {
	debug.SetMemoryLimit(serverMemory)
	if a.env["GOGC"] == "" {
		debug.SetGCPercent(serverGarbage)
	}
	s, err := service.Open(ctx, c)
	if err != nil {
		return err
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		_ = s.Close()
		return fmt.Errorf("cannot listen on %s; choose another address with --listen: %w", listen, err)
	}
	fmt.Fprintf(a.out, "%s http://%s\n", a.say("服务已启动：", "listening on"), l.Addr())
	if b, err := os.ReadFile(loginsFile(c.Data)); err == nil {
		fmt.Fprintf(a.out, "%s\n%s", a.say("演示账号：", "demo log-ins:"), b)
	}
	err = s.Serve(ctx, l)
	if cerr := s.Close(); err == nil {
		err = cerr
	}
	return err
}
