// Package ledger keeps the privacy budgets and the life of every reservation.
//
// # Promises
//
// No account ever spends more than its limit, however many submissions race: every charge is one conditional update of the
// store (Tx.LedgerDebit), in integers, each charge rounded up by dp.Price. A charge touches the grant and the researcher only;
// the universe (budget root) is debited once, when a grant opens, by the grant's whole limit, so no error at run time tells of
// another project. What an ended grant did not spend returns when it is closed.
//
// The order planned → charged → started → recorded → delivered cannot be skipped: a Reservation comes only from Charge or
// Resume, a Started only from Start, and neither is usable before the audit entry of its transaction is durably committed
// (audit.Pending.Receipt). A Started gives its immutable list of mechanisms out once, to the answer gate. Only the bytes that
// the transaction of Record committed are ever given out (Recorded.Bytes).
//
// Between started and recorded nothing is retried: a failure there forfeits the reservation, which stays charged. Otherwise a
// failure that depends on the sample would be rejection sampling, and the released distribution would not be the mechanism's
// (PRIVACY, "Order of steps"). A fault before a child was given the query (Started.Give, called by the parent before
// the first byte) is honest: the charge is kept and the same reservation may start again.
//
// # Why the sum of charges is the guarantee
//
// Under ZCDP each list is ρ-zCDP with additive δ; adaptive sums compose by addition (Bun and Steinke 2016, Lemma 1.7 and 8.2 for
// the approximate form), with the stopping rule "limit not exceeded" a privacy filter (Feldman and Zrnic 2021; Whitehouse and
// others 2023). Under Basic, ε and δ add (Dwork and others 2006), with the same filter (Rogers and others 2016).
//
// # Not promised
//
// Protection against a store that was rolled back (the audit log's checkpoint outside the data directory finds that), one
// account for an extract of several owners (one parent universe a grant), and accounting tighter than the sum.
package ledger
