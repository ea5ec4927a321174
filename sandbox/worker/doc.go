// Package worker is the jailed child: DuckDB, and nothing else that could be wanted. It is the only importer of DuckDB.
//
// A child is born with one socket, reads its role and limits from it, confines itself (package confine) and then serves
// frames (package wire) until the socket closes. A parser turns a text into a syntax tree; an engine takes one set of
// sealed memory files, registers a table function for each, locks the engine's configuration, and answers generated
// SELECTs with BIGINT columns.
//
// It promises: whatever it answers has the asked number of BIGINT columns and no NULL; each scan reports truly how many
// rows it handed to the engine; a failure is a code and nothing else (a viewer, which never holds data, adds the engine's
// words); no text of a user is ever concatenated into SQL over data; a panic in a callback is an error of the query. It does
// not promise to come back: the parent kills.
//
// The table function is our own because the driver's Arrow view drops filters and mixes up columns. Filters are never
// pushed into a C-API function, so they stay true; the engine gets the cardinality and no other statistics, so no
// predicate folds on what the data is.
package worker
