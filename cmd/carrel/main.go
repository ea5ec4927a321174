// Command carrel is the service and its command line: `carrel serve` runs the service, every other command is a client of
// it or works offline on files (extract, handover verify, audit verify).
//
// It promises the exit statuses of the product (0 done, 1 failed, 2 wrong usage, 3 refused by policy, 4 refused by the
// privacy planner, 5 budget exhausted, 6 verification failed), errors of one sentence that say what to do, `--json` wherever
// a table is printed, and both languages. It does not link DuckDB and it decides nothing: rules are asked of the service.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}, os.Environ())
	stop()
	os.Exit(code)
}
