// Package opa answers the questions of package policy with Rego.
package opa
