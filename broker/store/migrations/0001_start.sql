-- +goose Up

-- One row a log entry. Row n holds the leaf and the hashes of all complete subtrees that end at it, lowest level first.
CREATE TABLE log (
  n      INTEGER PRIMARY KEY CHECK (n >= 0),
  leaf   BLOB NOT NULL,
  hashes BLOB NOT NULL CHECK (length(hashes) % 32 = 0 AND length(hashes) > 0)
) STRICT;

-- Entries are never changed or removed, not even by a mistake in this program.
-- +goose StatementBegin
CREATE TRIGGER log_no_update BEFORE UPDATE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER log_no_delete BEFORE DELETE ON log BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- +goose StatementEnd

-- The signed head over all entries, written in the transaction that added the last of them.
CREATE TABLE log_head (
  id   INTEGER PRIMARY KEY CHECK (id = 1),
  size INTEGER NOT NULL,
  note BLOB NOT NULL
) STRICT;

CREATE TABLE document (
  seq     INTEGER PRIMARY KEY,
  kind    TEXT NOT NULL,
  id      TEXT NOT NULL,
  rev     INTEGER NOT NULL CHECK (rev > 0),
  owner   TEXT NOT NULL,
  state   TEXT NOT NULL,
  parent  TEXT NOT NULL,
  created INTEGER NOT NULL, -- milliseconds since 1970
  updated INTEGER NOT NULL,
  body    BLOB NOT NULL,
  UNIQUE (kind, id)
) STRICT;
CREATE INDEX document_kind   ON document (kind, seq);
CREATE INDEX document_owner  ON document (kind, owner, seq) WHERE owner <> '';
CREATE INDEX document_parent ON document (kind, parent, seq) WHERE parent <> '';
CREATE INDEX document_state  ON document (kind, state, seq) WHERE state <> '';

-- Erasable texts: body and salt go, the commitment stays.
CREATE TABLE text (
  id         TEXT PRIMARY KEY,
  commitment TEXT NOT NULL,
  salt       BLOB,
  body       TEXT,
  created    INTEGER NOT NULL,
  erased     INTEGER,
  CHECK ((erased IS NULL) = (salt IS NOT NULL AND body IS NOT NULL)),
  CHECK ((salt IS NULL) = (body IS NULL))
) STRICT;

-- Budgets. Amounts are integers: nano-ρ or nano-ε, and δ in 2^-60.
CREATE TABLE account (
  id             TEXT PRIMARY KEY,
  kind           TEXT NOT NULL,
  parent         TEXT NOT NULL,
  accounting     TEXT NOT NULL,
  root_delta     REAL NOT NULL,
  limit_units    INTEGER NOT NULL CHECK (limit_units >= 0),
  limit_delta    INTEGER NOT NULL CHECK (limit_delta >= 0),
  spent_units    INTEGER NOT NULL CHECK (spent_units BETWEEN 0 AND limit_units),
  spent_delta    INTEGER NOT NULL CHECK (spent_delta BETWEEN 0 AND limit_delta),
  frozen         INTEGER NOT NULL CHECK (frozen IN (0, 1)),
  closed         INTEGER NOT NULL CHECK (closed IN (0, 1)),
  faults         INTEGER NOT NULL CHECK (faults >= 0),
  synthetic      INTEGER NOT NULL CHECK (synthetic IN (0, 1)),
  refilled_units INTEGER NOT NULL CHECK (refilled_units >= 0),
  refilled_delta INTEGER NOT NULL CHECK (refilled_delta >= 0),
  opened         INTEGER -- nanoseconds since 1970
) STRICT, WITHOUT ROWID;
CREATE INDEX account_parent ON account (parent, id);

-- Reservations and their answers. At most one that is not forfeited answers a key.
CREATE TABLE record (
  id          TEXT NOT NULL UNIQUE,
  grant_id    TEXT NOT NULL,
  researcher  TEXT NOT NULL,
  key         TEXT NOT NULL,
  plan_hash   TEXT NOT NULL,
  state       TEXT NOT NULL,
  list        BLOB NOT NULL, -- JSON of the mechanisms
  cost_units  INTEGER NOT NULL CHECK (cost_units >= 0),
  cost_delta  INTEGER NOT NULL CHECK (cost_delta >= 0),
  attempts    INTEGER NOT NULL,
  receipt     INTEGER NOT NULL,
  answered    INTEGER NOT NULL,
  result      BLOB,
  result_hash TEXT NOT NULL,
  why         TEXT NOT NULL,
  at          INTEGER,       -- nanoseconds since 1970
  changed     INTEGER
) STRICT;
CREATE UNIQUE INDEX record_key ON record (key) WHERE state <> 'forfeited';
CREATE INDEX record_grant ON record (grant_id);
CREATE INDEX record_open ON record (state, id) WHERE state IN ('planned', 'charged', 'started');

-- +goose Down
DROP TABLE record;
DROP TABLE account;
DROP TABLE text;
DROP TABLE document;
DROP TABLE log_head;
DROP TABLE log;
