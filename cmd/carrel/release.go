package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"carrel/broker/conduct/matter"
)

// wishRelease takes back what a guardian wished for somebody who is of age.
func (a *app) wishRelease() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "release ACCOUNT", Short: "Take back what a guardian wished for who is of age by now; her own number and the guardian's are read from the input, a line each, and not kept",
		Example: "  carrel wish release fang < numbers.txt\n  carrel wish release fang --document-file numbers.txt", Args: a.exact(1, "an account"),
		RunE: func(cmd *cobra.Command, args []string) error {
			from := a.in
			if file != "" {
				f, err := os.Open(file)
				if err != nil {
					return err
				}
				defer func() { _ = f.Close() }() // only read
				from = f
			}
			in := bufio.NewReader(io.LimitReader(from, 1<<10))
			var numbers [2]string
			for i := range numbers {
				line, err := in.ReadString('\n')
				if err != nil && !errors.Is(err, io.EOF) {
					return fmt.Errorf("read the numbers: %w", err)
				}
				numbers[i] = strings.TrimSpace(line)
			}
			c, err := a.api()
			if err != nil {
				return err
			}
			var all []matter.Matter
			if err := c.post(cmd.Context(), "/conduct/wishes/release", map[string]string{"account": args[0], "document": numbers[0], "guardian": numbers[1]}, &all); err != nil {
				return err
			}
			return a.print(all, func(w io.Writer) {
				for _, m := range all {
					a.printMatter(w, m)
				}
			})
		},
	}
	cmd.Flags().StringVar(&file, "document-file", "", "file with the two numbers, a line each (default: the first lines of the input)")
	return cmd
}
