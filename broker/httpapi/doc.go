// Package httpapi is the HTTP/JSON face of the service: OpenAPI 3.1 at /openapi.json, errors as RFC 9457 problems.
//
// It promises: a route exists only when policy names it (every request is put to policy before its body is looked at, an
// unnamed route is denied); bodies, headers and times are bounded; every error is a problem with a stable code, one sentence in the
// caller's language and no detail of the inside; handlers call the same use cases as the pages and repeat no rule; an operational log
// line holds method, route pattern, status and time, never a path parameter, body or name.
//
// It does not promise the grid of answer times by itself: that is package job's, which answers before it replies.
package httpapi
