package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"carrel/broker/problem"
	"carrel/policy"
)

// Document is an RFC 9457 problem document with the members that clients act on.
type Document struct {
	Type     string           `json:"type" doc:"urn:carrel:problem: and the code"`
	Title    string           `json:"title"`
	Status   int              `json:"status"`
	Detail   string           `json:"detail" doc:"one sentence that says what to do, in the language of Accept-Language"`
	Code     problem.Code     `json:"code" doc:"stable class of the error"`
	Text     policy.Text      `json:"text"`
	Decision *policy.Decision `json:"decision,omitempty"`
	Refusal  any              `json:"refusal,omitempty" doc:"the planner's refusal with position and advice"`
	Incident string           `json:"incident,omitempty"`
}

// Error implements error.
func (d *Document) Error() string { return string(d.Code) + ": " + d.Text.EN }

// GetStatus implements huma.StatusError.
func (d *Document) GetStatus() int { return d.Status }

// ContentType implements huma.ContentTypeFilter.
func (d *Document) ContentType(string) string { return "application/problem+json" }

// document makes the problem document of any error.
func document(ctx context.Context, log *slog.Logger, lang string, err error) *Document {
	var d *Document
	if errors.As(err, &d) {
		return d
	}
	p := problem.From(ctx, log, err)
	return &Document{
		Type: "urn:carrel:problem:" + string(p.Code), Title: strings.ReplaceAll(string(p.Code), "-", " "), Status: p.Status(),
		Detail: p.Text.In(lang), Code: p.Code, Text: p.Text, Decision: p.Decision, Refusal: p.Refusal, Incident: p.Incident,
	}
}

// fromStatus is the document of an error that the framework found (malformed JSON, unknown field, too large).
func fromStatus(ctx context.Context, log *slog.Logger, lang string, status int, detail string) *Document {
	code, text := problem.Failed, policy.Text{ZH: "服务未能处理请求；请稍后再试。", EN: "The service could not handle the request; try again later."}
	switch {
	case status == http.StatusRequestEntityTooLarge:
		code, text = problem.TooLarge, policy.Text{ZH: "请求过大；请缩短。", EN: "The request is too large; shorten it."}
	case status == http.StatusNotFound || status == http.StatusMethodNotAllowed:
		code, text = problem.NotFound, policy.Text{ZH: "没有这一地址；请查看 /openapi.json。", EN: "There is no such address; see /openapi.json."}
	case status == http.StatusRequestTimeout:
		code, text = problem.Unavailable, policy.Text{ZH: "请求传输过慢；请重试。", EN: "The request came too slowly; try again."}
	case status == http.StatusUnsupportedMediaType:
		code, text = problem.Invalid, policy.Text{ZH: "请求体的媒体类型不符；请以 Content-Type: application/json 发送（各地址所收类型见 /openapi.json）。",
			EN: "The body is of another media type than this address takes; send Content-Type: application/json (/openapi.json says what each takes)."}
	case status == http.StatusBadRequest && detail == "body": // it was not read: nothing in it can be pointed to
		code, text = problem.Invalid, policy.Text{ZH: "请求体不是完整的 JSON，或其成员的类型不符；请检查引号、逗号、括号，并对照 /openapi.json。",
			EN: "The body is not one whole JSON value of the right types; check quotes, commas and brackets, and compare it with /openapi.json."}
	case status >= 400 && status < 500:
		code = problem.Invalid
		text = policy.Text{ZH: "请求格式不正确；请对照 /openapi.json 检查“" + detail + "”。", EN: "The request is malformed; compare it with /openapi.json at “" + detail + "”."}
	}
	d := document(ctx, log, lang, problem.New(code, text.ZH, text.EN))
	d.Status = status
	return d
}

// transform turns the framework's own error shape into ours. Values of the request never reach it: only the locations of what is
// wrong are repeated.
func (s *server) transform(ctx huma.Context, _ string, v any) (any, error) {
	m, ok := v.(*huma.ErrorModel)
	if !ok {
		return v, nil
	}
	var where []string
	for _, e := range m.Errors {
		if e.Location != "" && !slices.Contains(where, e.Location) {
			where = append(where, e.Location)
		}
	}
	slices.Sort(where) // the framework finds them in no order
	return fromStatus(ctx.Context(), s.c.Logger, language(ctx.Header("Accept-Language")), m.Status, strings.Join(where, ", ")), nil
}

// language is "zh" or "en" by Accept-Language's first member.
func language(accept string) string {
	if strings.HasPrefix(strings.ToLower(strings.TrimSpace(accept)), "zh") {
		return "zh"
	}
	return "en"
}
