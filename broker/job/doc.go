// Package job takes one question from its text to its answer, in this order and no other:
//
//	parse (child without data) → bind → plan → price → policy
//	→ T1+T2: decision, intent, charge and start in one transaction with their audit entry
//	→ the child evaluates generated SQL → the answer gate checks and noises
//	→ the next slot of the grid → T3: noised bytes with their audit entry → reply
//
// A question whose bounds are to be found goes this way twice (bounds.go).
//
// # Promises
//
// Nothing runs without a committed charge: the types make the order (audit.Pending → ledger.Started → answer.Noised). What
// leaves is a deterministic function of T3's committed bytes and the question's text. The same question under the same grant and
// extract is answered from record and costs nothing; a second identical one waits for the first. After a child was given the query
// there is one failure, charged, that says nothing else; success and failure are committed, and so seen by anybody, on the same grid of times. A
// client that goes away changes nothing: what was started is finished and recorded. Every charge, answer, repeat, refusal and
// failure is an entry of the audit log; the text of a question is an erasable text of the store, never part of an entry.
//
// # Not promised
//
// Job queues survive a restart, a running job does not: it is forfeited (charged, no answer), because running it again would
// let a failure that depends on the data choose among samples (PRIVACY, "Order of steps").
package job
