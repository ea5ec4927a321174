package web

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

const langCookie = "carrel-lang"

// language is "zh" or "en": ?lang= (which is kept), else what was kept, else what the browser prefers, else English.
func (c *call) language() string {
	if l := c.r.URL.Query().Get("lang"); l == "zh" || l == "en" {
		http.SetCookie(c.w, &http.Cookie{Name: langCookie, Value: l, Path: "/", MaxAge: int((365 * 24 * time.Hour).Seconds()), HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteStrictMode})
		return l
	}
	if k, err := c.r.Cookie(langCookie); err == nil && (k.Value == "zh" || k.Value == "en") {
		return k.Value
	}
	return preferred(c.r.Header.Get("Accept-Language"))
}

// preferred reads Accept-Language: the one of our two languages with the higher weight, the earlier one when they tie.
func preferred(accept string) string {
	best, weight := "en", 0.0
	for _, part := range strings.Split(accept, ",") {
		tag, params, _ := strings.Cut(strings.TrimSpace(strings.ToLower(part)), ";")
		lang, _, _ := strings.Cut(strings.TrimSpace(tag), "-")
		if lang != "zh" && lang != "en" {
			continue
		}
		q := 1.0
		if v, ok := strings.CutPrefix(strings.TrimSpace(params), "q="); ok {
			var err error
			if q, err = strconv.ParseFloat(v, 64); err != nil {
				continue
			}
		}
		if q > weight {
			best, weight = lang, q
		}
	}
	return best
}
