// Package dp designs, prices and samples the differentially private mechanisms of an answer, and says how far its numbers may be
// from the exact ones.
//
// # Promises
//
// Design turns what a plan wants noised into a fixed list of mechanisms whose joint cost is at most the ε asked. Price computes
// the cost from such a list alone, from the σ that the library will really use, each charge rounded up to a whole unit. Sampler
// draws the noise with github.com/google/differential-privacy/go/v3/noise and nothing else. All parameters are checked here
// again: NaN, infinities, ε outside [MinEpsilon, MaxEpsilon], δ outside [MinDelta, MaxDelta], sensitivities of 2^53 and more, and
// scales at which the library's output would reveal low bits of the exact value are refused. Zero values are refused.
//
// # Why it is private
//
// Let two inputs differ in one person; a Want says that its vector of cells then changes by at most Sensitivity in L1, hence in
// L2. A vector with L1 change Δ is given to the library cell by cell with l0 = 1 and linf = Δ: each cell gets noise of scale Δ/ε
// (or of the σ for L2 change Δ), which is exactly the vector mechanism for that norm. l0 is never anything else, since the
// library multiplies l0·linf in int64 and wraps.
//
//   - Laplace, scale Δ/ε: ε-DP (Dwork and others 2006), hence ε²/2-zCDP (Bun and Steinke 2016, Prop. 1.4).
//   - Gaussian, σ: Δ²/(2σ²)-zCDP (Bun and Steinke 2016, Prop. 1.6). What the library draws, by rejection, is the Gaussian's density at the
//     points of a grid of σ/2^55 or less, cut at 8.8σ: up to there it is the Gaussian but for a factor of 1 ± 2^-40. Beyond, and where only one of two
//     neighbours is cut, both have a probability below 2^-41 while Δ ≤ 1.6σ, as in every list at a root's δ of 1e-6 or less. As the rest is a factor and no
//     difference, e^ε multiplies none of it: 2^-40 of δ is charged for each draw.
//   - Threshold: the rows of one person lie in k ≤ m cells with m rows together. Cells that hold other persons too are covered by
//     the Laplace of scale m/ε. A cell of this person alone is released with probability at most e^{-(τ-c)ε/m}/2 at c rows;
//     the sum over k cells is convex in the c's, so it is largest at k-1 cells of one row and one of m-k+1; τ is where the worst
//     k gives δ. The noised integer must exceed Cut = ⌈τ⌉.
//   - Integers: the library is asked for noise on 0, whose granularity is kept at or below 1, and ⌊noise+1/2⌋ is added to the
//     integer: that equals ⌊exact+noise+1/2⌋, a function of the noised real number alone, hence post-processing. The library's own
//     AddNoiseInt64 rounds half away from the exact value, which makes "noise 0" rarer than it should be (at granularity 1/2 by
//     half), and at granularities above 1 rounds the exact value cell by cell, which breaks an L1 bound over several cells.
//
// ε(ρ, δ') = ρ + 2√(ρ ln(1/δ')) (Bun and Steinke 2016, Prop. 1.3). Under ZCDP the root's δ is split in halves: one is the δ' of
// that conversion (ConversionDelta), the other the limit of the δ's that add up (Budget().Delta). Under Basic the whole δ is the limit.
// Lists add up there, and inside one list, fixed before it runs, many mechanisms cost together what their joint privacy loss says at a δ
// that is charged (pld.go, joint.go); whether a list is priced so depends on its length and the root's δ, never on which is cheaper. Such a list may
// hold Gaussians, whose draws then take their 2^-40 each out of that same δ before the joint loss is judged at what is left.
//
// # Intervals
//
// See interval.go: they cover noise only, at their stated level or above it, never what truncation or clamping took away.
//
// # Not promised
//
// Nothing about time: noise costs 10-14 µs a draw with a data-independent distribution, but replies must still go out on a grid.
package dp
