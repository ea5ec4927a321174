// Package problem is the one shape in which the service says no.
//
// It promises: every error that leaves a use case has a stable code, one sentence in Chinese and English that says what to
// do, an HTTP status and an exit status; an error nobody classified leaves as "failed" with an incident number and no
// detail, so an internal message (a path, a statement, a value) never reaches a client.
//
// It does not promise that a sentence is free of what the caller typed: callers write fixed sentences and put identifiers,
// never texts, values or names, into them.
package problem

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"log/slog"

	"carrel/policy"
)

// Code is a stable, machine-readable class of error. The zero value is treated as Failed.
type Code string

// The codes.
const (
	Invalid         Code = "invalid"         // the request is malformed; change it
	Unauthenticated Code = "unauthenticated" // no valid session; log in
	Forbidden       Code = "forbidden"       // policy says no, with reasons
	NotFound        Code = "not-found"       // no such thing, or not for you: one answer for both
	Conflict        Code = "conflict"        // somebody was faster, or the step was already taken
	Refused         Code = "refused"         // the privacy planner says no, with position and advice
	Exhausted       Code = "exhausted"       // the privacy budget does not cover it
	TooLarge        Code = "too-large"       // the request is above a stated size
	Unavailable     Code = "unavailable"     // try again later
	Unverified      Code = "unverified"      // a signature, a hash or a key does not hold
	Failed          Code = "failed"          // the service's fault; the incident number finds it in the log
)

// Status is the HTTP status of the code.
func (c Code) Status() int {
	switch c {
	case Invalid, Refused, Unverified:
		return 422
	case Unauthenticated:
		return 401
	case Forbidden:
		return 403
	case NotFound:
		return 404
	case Conflict, Exhausted:
		return 409
	case TooLarge:
		return 413
	case Unavailable:
		return 503
	default:
		return 500
	}
}

// The exit statuses of the command line.
const (
	ExitFailed       = 1
	ExitUsage        = 2
	ExitPolicy       = 3
	ExitPlanner      = 4
	ExitExhausted    = 5
	ExitVerification = 6
)

// Exit is the exit status of the command line for the code (1 failed, 2 usage, 3 policy, 4 planner, 5 budget, 6 verification).
func (c Code) Exit() int {
	switch c {
	case Invalid, TooLarge:
		return ExitUsage
	case Forbidden:
		return ExitPolicy
	case Refused:
		return ExitPlanner
	case Exhausted:
		return ExitExhausted
	case Unverified:
		return ExitVerification
	default:
		return ExitFailed
	}
}

// Known says whether c is one of this package's codes.
func (c Code) Known() bool {
	switch c {
	case Invalid, Unauthenticated, Forbidden, NotFound, Conflict, Refused, Exhausted, TooLarge, Unavailable, Unverified, Failed:
		return true
	}
	return false
}

// Error is an error that may be shown to the person who asked. Cause stays inside: it is for errors.Is and the log only.
type Error struct {
	Code Code        `json:"code"`
	Text policy.Text `json:"text"`
	// Decision is policy's answer when the code is Forbidden.
	Decision *policy.Decision `json:"decision,omitempty"`
	// Refusal is the planner's answer when the code is Refused (a *plan.Refusal; typed any so that this package stays a leaf).
	Refusal any `json:"refusal,omitempty"`
	// Incident finds the cause in the service's log when the code is Failed.
	Incident string `json:"incident,omitempty"`
	Cause    error  `json:"-"`
}

// Error is the English sentence.
func (e *Error) Error() string { return string(e.code()) + ": " + e.Text.EN }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Status is the HTTP status.
func (e *Error) Status() int { return e.code().Status() }

// Exit is the exit status.
func (e *Error) Exit() int { return e.code().Exit() }

func (e *Error) code() Code {
	if e == nil || !e.Code.Known() {
		return Failed
	}
	return e.Code
}

// New makes an error of one sentence.
func New(code Code, zh, en string) *Error {
	return &Error{Code: code, Text: policy.Text{ZH: zh, EN: en}}
}

// Wrap is New with a cause that errors.Is can see and nobody is shown.
func Wrap(cause error, code Code, zh, en string) *Error {
	e := New(code, zh, en)
	e.Cause = cause
	return e
}

// Denied carries policy's denial. The sentence is the first reason, so that a person who reads one line reads the ground.
func Denied(d policy.Decision) *Error {
	e := New(Forbidden, "策略不允许此操作；请查看所列依据。", "Policy does not allow this; see the reasons given.")
	if len(d.Reasons) > 0 && d.Reasons[0].Text.EN != "" {
		e.Text = d.Reasons[0].Text
	}
	e.Decision = &d
	return e
}

// Planner carries a refusal of the privacy planner with its sentence.
func Planner(refusal error, zh, en string) *Error {
	e := Wrap(refusal, Refused, zh, en)
	e.Refusal = refusal
	return e
}

// Absent is the one answer for "no such thing" and "not for you"; what is "application", "grant", …, never user text.
func Absent(what policy.Text) *Error {
	return New(NotFound, "没有这一"+what.ZH+"，或您无权查看；请核对编号。",
		"There is no such "+what.EN+", or it is not for you; check its number.")
}

// Is reports whether err is a problem of this code.
func Is(err error, code Code) bool {
	var e *Error
	return errors.As(err, &e) && e.code() == code
}

// From turns any error into one that may be shown. What is already an *Error stays; a cancelled or timed-out request is
// Unavailable; everything else is Failed with a fresh incident number, its cause written to the log and shown to nobody. A *Error of
// code Failed keeps its sentence.
func From(ctx context.Context, logger *slog.Logger, err error) *Error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && e.Code.Known() && e.Code != Failed {
		return e
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return Wrap(err, Unavailable, "请求已超时或被取消；请稍后再试。", "The request timed out or was cancelled; try again later.")
	}
	if e != nil && e.Incident != "" {
		return e
	}
	incident := newIncident()
	if logger != nil {
		logger.ErrorContext(ctx, "unclassified error", slog.String("incident", incident), slog.String("cause", err.Error()))
	}
	out := New(Failed, "服务内部出错；请把事件编号告知管理员。", "The service failed; give the incident number to the administrator.")
	if e != nil && e.Code == Failed && e.Text.EN != "" {
		out.Text = e.Text // a use case said more exactly what failed, e.g. that a charge stays
	}
	out.Incident = incident
	out.Cause = err
	return out
}

func newIncident() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // crypto/rand.Read never returns an error since Go 1.24
	return "in-" + hex.EncodeToString(b[:])
}
