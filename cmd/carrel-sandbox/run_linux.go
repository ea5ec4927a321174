//go:build linux && cgo

package main

import (
	"cmp"
	"io"
	"os"

	"carrel/sandbox/breakout"
	"carrel/sandbox/worker"
)

// version is the product's; the engine's own is added by the worker.
const version = "0.1"

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "report" {
		locale := cmp.Or(os.Getenv("LC_ALL"), os.Getenv("LC_MESSAGES"), os.Getenv("LANG"))
		return breakout.Main(args[1:], locale, stdout, stderr)
	}
	return worker.Main(args, version, stdout, stderr)
}
