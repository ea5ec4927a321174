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

//go:embed abroad.rego
//go:embed access.rego
//go:embed agreement.rego
//go:embed amendment.rego
//go:embed application.rego
//go:embed board.rego
//go:embed catalogue.rego
//go:embed cite.rego
//go:embed condition.rego
//go:embed conduct.rego
//go:embed conflict.rego
//go:embed due.rego
//go:embed duo.rego
//go:embed fixed.rego
//go:embed grant.rego
//go:embed handover.rego
//go:embed house.rego
//go:embed institution.rego
//go:embed invited.rego
//go:embed need.rego
//go:embed panel.rego
//go:embed papers.rego
//go:embed persons.rego
//go:embed place.rego
//go:embed query.rego
//go:embed region.rego
//go:embed resident.rego
//go:embed signing.rego
//go:embed sitting.rego
//go:embed standing.rego
//go:embed supervision.rego
//go:embed suspension.rego
//go:embed transition.rego
//go:embed *.json
//go:embed schemas/input.json
//go:embed jurisdiction/chongqing/chongqing.rego
//go:embed jurisdiction/municipal/municipal.rego
//go:embed jurisdiction/sichuan/sichuan.rego
//go:embed jurisdiction/tianjin/tianjin.rego
var files embed.FS

//go:embed testdata/coverage.json
var coverage []byte

// FS returns the rules and their data.
func FS() fs.FS { return files }

// Coverage is the record of which tests notice a rule's absence (package policy/articles); it is no part of the bundle.
func Coverage() []byte { return coverage }
