//go:build !long

package service_test

const (
	blackBoxRounds, blackBoxLists = 1, 40
	blackBoxPower                 = 0
)
