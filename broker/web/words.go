package web

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"carrel/policy"
)

// words are all sentences of the pages: key → text in both languages. What policy and catalogue say is not in here.
type words map[string]policy.Text

func readWords() (words, error) {
	raw, err := files.ReadFile("words.yaml")
	if err != nil {
		return nil, fmt.Errorf("web: words: %w", err)
	}
	var pairs map[string][2]string
	if err := yaml.Unmarshal(raw, &pairs); err != nil {
		return nil, fmt.Errorf("web: words: %w", err)
	}
	w := words{}
	for key, p := range pairs {
		if p[0] == "" || p[1] == "" {
			return nil, fmt.Errorf("web: words: %q lacks a language", key)
		}
		w[key] = policy.Text{ZH: p[0], EN: p[1]}
	}
	return w, nil
}

// in is the text of a key, with its places filled. An unknown key is an error: a page with a hole in it is not sent.
func (w words) in(lang, key string, args ...any) (string, error) {
	t, ok := w[key]
	if !ok {
		return "", fmt.Errorf("web: no text for %q", key)
	}
	if len(args) == 0 {
		return t.In(lang), nil
	}
	return fmt.Sprintf(t.In(lang), args...), nil
}
