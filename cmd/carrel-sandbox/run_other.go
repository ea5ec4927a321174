//go:build !linux || !cgo

package main

import (
	"fmt"
	"io"
)

func run(_ []string, _, stderr io.Writer) int {
	fmt.Fprintln(stderr, "carrel-sandbox: the jail needs Linux, and the engine a build with cgo")
	return 1
}
