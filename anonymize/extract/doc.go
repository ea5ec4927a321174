// Package extract is the format in which a dataset stands ready for questions: one directory with a manifest and one
// sealed (age) Arrow IPC file a table, written once, never changed.
//
// Every stored value is a fixed-width integer: the person's number (uint32), row keys (uint32), codes (uint8 or uint16,
// index into the dictionary of the manifest), fixed-point decimals, days since 1970, and the rank of the row inside its
// person. Rows are sorted by person, then rank, in record batches of 122,880 rows. Column types follow from the
// catalogue alone, never from the data, so the layout of an extract tells nothing about a person.
//
// It promises: a file that does not have the hash of its manifest is never handed out; an extract appears whole or not
// at all, and never replaces another; Verify finds any changed byte, missing or extra file, wrong count, unsorted
// person, rank above the cap, code outside its dictionary and value outside its bounds.
//
// It does not promise that the manifest is the one that was published: whoever can write the directory and knows the
// recipient can write another extract. Compare Extract.Hash with the hash recorded in the audit log for that. The hashes,
// row counts and the identifier hash of a manifest depend on the data: they are for stewards and must not reach an
// answer, which is why ID is random and not derived from the content.
package extract
