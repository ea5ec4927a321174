//go:build !long

package service_test

const (
	blackBoxRounds, blackBoxLists = 1, 30
	blackBoxPower                 = 0
)
