package main

import (
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"carrel/broker/application"
)

// TestSheetLeftAsPrinted: what a reviewer leaves as the sheet was printed is no answer, so that she may leave out what the sheet says she may.
func TestSheetLeftAsPrinted(t *testing.T) {
	t.Parallel()
	a := &app{env: map[string]string{}, lang: "en", streams: streams{out: io.Discard, err: io.Discard}}
	var page strings.Builder
	question := func(id string, must bool) application.SheetQuestion {
		return application.SheetQuestion{ID: id, Mandatory: must, Choices: []application.SheetChoice{{Value: "met"}, {Value: "unmet"}}}
	}
	a.printSheet(&page, application.Sheet{Kind: "ethics", Version: "1", Questions: []application.SheetQuestion{question("benefit", true), question("remark", false)}})
	file := filepath.Join(t.TempDir(), "ethics.yaml")
	if err := os.WriteFile(file, []byte(strings.Replace(page.String(), `benefit: ""`, "benefit: met", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	var in application.ReviewInput
	if err := a.opinion(nil, &in, file, nil); err != nil || !maps.Equal(in.Answers, map[string]string{"benefit": "met"}) || in.Kind != "ethics" {
		t.Errorf("%+v %v", in, err)
	}
}
