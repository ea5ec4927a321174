//go:build linux && cgo

package main

import (
	"io"

	"carrel/sandbox/worker"
)

// version is the product's; the engine's own is added by the worker.
const version = "0.1"

func run(args []string, stdout, stderr io.Writer) int {
	return worker.Main(args, version, stdout, stderr)
}
