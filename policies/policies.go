// Package policies holds the rules of Carrel: Rego v1, one package per concern, tests beside, and the data they read
// (sources of law with their validity, workflow tables, roles, budgets, purposes, routes and actions) as JSON rooted at
// "carrel".
//
// It promises: FS holds every rule and every data file and no test, so what is hashed into a decision's bundle is what
// decided. It does not evaluate anything: that is policy/opa.
//
// A rule's id begins with the article it serves (articles.json); its texts are in rules.json. Rules say what must be
// shown to hold; what is not shown is missing and denies. So a fact that nobody sent denies too.
package policies

import (
	"embed"
	"io/fs"
)

//go:embed board.rego conflict.rego due.rego invited.rego sitting.rego
//go:embed access.rego agreement.rego application.rego catalogue.rego cite.rego conduct.rego duo.rego grant.rego handover.rego institution.rego need.rego panel.rego papers.rego persons.rego query.rego region.rego signing.rego standing.rego supervision.rego suspension.rego transition.rego
//go:embed amendment.rego
//go:embed *.json
//go:embed jurisdiction/chongqing/chongqing.rego jurisdiction/municipal/municipal.rego jurisdiction/sichuan/sichuan.rego jurisdiction/tianjin/tianjin.rego
var files embed.FS

//go:embed testdata/coverage.json
var coverage []byte

// FS returns the rules and their data.
func FS() fs.FS { return files }

// Coverage is the record of which tests notice a rule's absence (package policy/articles); it is no part of the bundle.
func Coverage() []byte { return coverage }
