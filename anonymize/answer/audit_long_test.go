//go:build long

package answer_test

const auditViews = 12_000 // a side
