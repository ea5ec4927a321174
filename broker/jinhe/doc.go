// Package jinhe makes the demo city Jinhe (金河): source tables of a regional health service over eight years, as they
// would come out of hospitals, with identifiers on purpose, so that de-identification has work to do; and beside them
// the catalogue entries, recipes and public tables that the city comes with.
//
// It promises that nothing in it is anybody: the city, its districts (codes 5199xx, which GB/T 2260 never gave out),
// its hospitals and its people are invented, and every file of it is marked synthetic. A resident ID number passes the
// checksum of GB 11643 and names a real county of Sichuan, so that detection is tested on the real form, but one whose
// code was not in force in the year of birth, so no birth was registered under it. Phone numbers start with 154, a
// range that no network in China uses.
//
// It promises that the same seed and number of persons give the same bytes, on any number of processors.
//
// It does not promise epidemiology: rates, costs and times follow published orders of magnitude, chosen so that a
// result looks like medicine (see model.go); no figure of it may be cited.
package jinhe
