//go:build !long

package answer_test

const auditViews = 400 // a side
