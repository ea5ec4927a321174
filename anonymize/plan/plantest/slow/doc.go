// Package slow is a second reading of what a wish means: an evaluator of wide wishes over tiny databases, by nested loops, three truth
// values, and values as people write them (texts, exact fractions, dates) instead of stored integers. It shares no code with the planner,
// writes no SQL and knows no engine; tests compare the two. With it comes a generator of random wishes and databases.
//
// It promises nothing to production code, which never imports it, and it panics on wishes that the planner refuses.
package slow
