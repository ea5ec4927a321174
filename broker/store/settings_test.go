package store

import "testing"

// Durability and erasure hang on settings that no test of behaviour can see without pulling the plug.
func TestSettingsOfTheConnections(t *testing.T) {
	t.Parallel()
	s := newTestStore(t)
	ask := func(ses *session, pragma string) string {
		var v string
		if err := ses.conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&v); err != nil {
			t.Fatal(err)
		}
		return v
	}
	for pragma, want := range map[string]string{
		"synchronous": "2", "journal_mode": "wal", "secure_delete": "1", "foreign_keys": "1", "busy_timeout": "5000", "trusted_schema": "0",
	} {
		if got := ask(s.w.s, pragma); got != want {
			t.Errorf("writer: %s is %s, want %s", pragma, got, want)
		}
	}
	r := <-s.readers
	if got := ask(r, "query_only"); got != "1" {
		t.Errorf("reader: query_only is %s", got)
	}
	s.readers <- r
}
