package main

import (
	"context"
	"fmt"
)

// deid measures de-identification, part by part. -only chooses parts by their name.
func (b *bench) deid(ctx context.Context) error {
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{{"profile", b.profiling}, {"search", b.deidSearch}, {"local", b.deidLocal}, {"city", b.deidCity}, {"transform", b.transform}} {
		if !b.only.MatchString(part.name) {
			continue
		}
		b.tell("deid: %s", part.name)
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}
