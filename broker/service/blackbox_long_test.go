//go:build long

package service_test

const (
	blackBoxRounds, blackBoxLists = 4, 900 // a world's budget covers 1,000
	blackBoxPower                 = charged / 2
)
