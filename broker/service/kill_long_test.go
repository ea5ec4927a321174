//go:build unix && long

package service_test

const killRounds = 12
