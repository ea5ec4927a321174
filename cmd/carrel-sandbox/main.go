// The Go runtime would keep control-group files open and name its memory with prctl: the jail wants neither.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
//go:debug decoratemappings=0

// Command carrel-sandbox is the jailed child of carrel: the only program that links DuckDB. carrel starts it; started by
// hand it says so and ends. It promises what package worker promises, and nothing to people.
package main

import (
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}
