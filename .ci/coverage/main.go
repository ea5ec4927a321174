// Command coverage reads opa's report of coverage and fails when a file of rules, tests aside, is covered less than asked.
package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "coverage:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: coverage PERCENT < report")
	}
	least, err := strconv.ParseFloat(args[0], 64)
	if err != nil {
		return err
	}
	var report struct {
		Files map[string]struct {
			Coverage float64 `json:"coverage"`
		} `json:"files"`
	}
	if err := json.NewDecoder(os.Stdin).Decode(&report); err != nil {
		return fmt.Errorf("opa gave no report, for a test failed: %w", err)
	}
	rules, low := 0, []string{}
	for _, name := range slices.Sorted(maps.Keys(report.Files)) {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		rules++
		if c := report.Files[name].Coverage; c < least {
			low = append(low, fmt.Sprintf("%s %.1f %%", name, c))
		}
	}
	if rules == 0 || len(low) > 0 {
		return fmt.Errorf("of %d files of rules, tests reach too little of: %s", rules, strings.Join(low, ", "))
	}
	return nil
}
