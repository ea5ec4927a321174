package store

import "strings"

// All SQL of the package, in one place: another database needs another version of this file and of the migrations.
const (
	sqlBegin     = "BEGIN IMMEDIATE"
	sqlBeginView = "BEGIN"
	sqlCommit    = "COMMIT"
	sqlRollback  = "ROLLBACK"
	sqlSave      = "SAVEPOINT one"
	sqlRelease   = "RELEASE one"
	sqlUndo      = "ROLLBACK TO one"
	sqlTruncate  = "PRAGMA wal_checkpoint(TRUNCATE)"
	sqlNoWait    = "PRAGMA busy_timeout(0)"
	sqlWait      = "PRAGMA busy_timeout(5000)"

	sqlLogSize   = "SELECT coalesce(max(n) + 1, 0) FROM log"
	sqlLogAppend = "INSERT INTO log (n, leaf, hashes) VALUES (?, ?, ?)"
	sqlLogHash   = "SELECT substr(hashes, ?, 32) FROM log WHERE n = ?"
	sqlLogLeaf   = "SELECT leaf FROM log WHERE n = ?"
	sqlLogScan   = "SELECT n, leaf FROM log WHERE n >= ? ORDER BY n LIMIT ?"
	sqlHeadPut   = "INSERT INTO log_head (id, size, note) VALUES (1, ?, ?) ON CONFLICT (id) DO UPDATE SET size = excluded.size, note = excluded.note"
	sqlHeadGet   = "SELECT note FROM log_head WHERE id = 1"

	sqlDocGet    = "SELECT rev, body FROM document WHERE kind = ? AND id = ?"
	sqlDocExists = "SELECT 1 FROM document WHERE kind = ? AND id = ?"
	sqlDocInsert = "INSERT INTO document (kind, id, rev, owner, state, parent, created, updated, body) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	sqlDocUpdate = "UPDATE document SET rev = rev + 1, owner = ?, state = ?, parent = ?, updated = ?, body = ? WHERE kind = ? AND id = ? AND rev = ?"
	sqlDocSeq    = "SELECT seq FROM document WHERE kind = ? AND id = ?"

	sqlTextPut   = "INSERT INTO text (id, commitment, salt, body, created) VALUES (?, ?, ?, ?, ?)"
	sqlTextGet   = "SELECT commitment, salt, body, erased FROM text WHERE id = ?"
	sqlTextErase = "UPDATE text SET salt = NULL, body = NULL, erased = ? WHERE id = ? AND erased IS NULL"

	accountColumns = "id, kind, parent, accounting, root_delta, limit_units, limit_delta, spent_units, spent_delta, frozen, closed, faults, synthetic, refilled_units, refilled_delta, opened"
	sqlAccountGet  = "SELECT " + accountColumns + " FROM account WHERE id = ?"
	sqlAccountList = "SELECT " + accountColumns + " FROM account WHERE parent = ? ORDER BY id"
	sqlAccountPut  = "INSERT INTO account (" + accountColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlAccountSet  = "UPDATE account SET root_delta = ?, limit_units = ?, limit_delta = ?, spent_units = ?, spent_delta = ?, frozen = ?, closed = ?, faults = ?, synthetic = ?, refilled_units = ?, refilled_delta = ?, opened = ? WHERE id = ?"
	// The guard of every budget: what is left is compared before anything is added, so the sum cannot overflow either.
	sqlDebit = "UPDATE account SET spent_units = spent_units + ?1, spent_delta = spent_delta + ?2 WHERE id = ?3 AND closed = 0 AND frozen = 0" +
		" AND ?1 <= limit_units - spent_units AND ?2 <= limit_delta - spent_delta"
	sqlCredit = "UPDATE account SET spent_units = spent_units - ?1, spent_delta = spent_delta - ?2 WHERE id = ?3" +
		" AND ?1 <= spent_units AND ?2 <= spent_delta"

	recordColumns    = "id, grant_id, researcher, key, plan_hash, state, list, cost_units, cost_delta, attempts, receipt, answered, result, result_hash, why, at, changed"
	sqlRecordGet     = "SELECT " + recordColumns + " FROM record WHERE id = ?"
	sqlRecordByKey   = "SELECT " + recordColumns + " FROM record WHERE key = ? AND state <> 'forfeited'"
	sqlRecordByState = "SELECT " + recordColumns + " FROM record WHERE state = ? ORDER BY id"
	sqlRecordTotal   = "SELECT coalesce(sum(cost_units), 0), coalesce(sum(cost_delta), 0) FROM record WHERE grant_id = ? AND state <> 'planned'"
	sqlRecordPut     = "INSERT INTO record (" + recordColumns + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
	sqlRecordState   = "SELECT state FROM record WHERE id = ?"
	sqlRecordMove    = "UPDATE record SET state = ?1 WHERE id = ?2 AND state = ?3"
	sqlRecordSet     = "UPDATE record SET state = ?1, plan_hash = ?4, attempts = ?5, receipt = ?6, answered = ?7, result = ?8, result_hash = ?9, why = ?10, at = ?11, changed = ?12 WHERE id = ?2 AND state = ?3"
)

// sqlDocList builds the listing for the filters in use; the arguments follow in the same order: kind, owner, state, parent, seq, limit.
// sqlTextList reads textsAtOnce texts that were not erased.
func sqlTextList() string {
	return "SELECT id, commitment, salt, body FROM text WHERE erased IS NULL AND id IN (?" + strings.Repeat(", ?", textsAtOnce-1) + ")"
}

func sqlDocList(f Filter, after bool) string {
	var b strings.Builder
	if f.Bare {
		b.WriteString("SELECT seq, id, rev, '', '', '', 0, 0, NULL FROM document WHERE kind = ?")
	} else {
		b.WriteString("SELECT seq, id, rev, owner, state, parent, created, updated, body FROM document WHERE kind = ?")
	}
	// A filter repeats the index's condition, else the partial index cannot serve it.
	for _, c := range []struct{ column, value string }{{"owner", f.Owner}, {"state", f.State}, {"parent", f.Parent}} {
		if c.value != "" {
			b.WriteString(" AND " + c.column + " = ? AND " + c.column + " <> ''")
		}
	}
	order := ">"
	if f.Newest {
		order = "<"
	}
	if after {
		b.WriteString(" AND seq " + order + " ?")
	}
	b.WriteString(" ORDER BY seq")
	if f.Newest {
		b.WriteString(" DESC")
	}
	b.WriteString(" LIMIT ?")
	return b.String()
}
