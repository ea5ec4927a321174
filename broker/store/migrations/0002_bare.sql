-- +goose Up
-- Lists that ask for numbers and revisions alone are answered by the index: no document's page is read.
CREATE INDEX document_bare ON document (kind, seq, id, rev);

-- +goose Down
DROP INDEX document_bare;
