// Package recode finds how to generalise a table so that it fulfils privacy models and loses least.
//
// Search is full-domain: one level of its hierarchy a column, the same for all rows; classes that fail the models are
// suppressed, up to a limit. It promises the least loss there is, with a proof (Proof), or, after a time limit, the best
// found with a lower bound; the same transformation for the same table, whatever the number of processors; ties go to the
// smaller level vector. Recode is local: each class is generalised as far as its rows differ, which keeps more; nothing
// is claimed about a best one. Apply does a transformation again without what the search knew, to compare.
//
// What both promise: every class that stays was judged by all models, over persons and not rows; no more rows are
// suppressed than allowed; no column goes above its cap; no error shows a value.
//
// Loss is that of ARX (Iyengar 2002; Utility.Loss), computed from integers: on its example tables the optimum and the loss
// agree with ARX 3.9.2 to the last digit it prints.
//
// It does not promise: that the models chosen suffice; that what is found for one table holds for it joined with another;
// that two releases of one table may stand side by side. A search looks at the data: levels found are global steps of a
// recipe, to be frozen as constants before an extract for queries is built.
//
// # How the search is fast
//
// It goes column by column, those with few levels first. A node is the partition of the different rows by the columns
// assigned so far, less the classes that are too small already, and with rows counted as one that no level still possible
// tells apart; so partitions shrink on the way down. Where all that counts of a class is its size (counter), a row is a word or two,
// a partition is counted before its rows are sorted into classes, which most never need, and a check is answered from
// those of finer neighbours where it can be (known). The argument that its bounds hold is beside search; the size of the
// tree comes from three of them: the limit of suppression raises the lowest level of each column still free, the loss
// at these levels is a lower bound, and so is the optimum of the last columns alone, which is found first.
package recode
