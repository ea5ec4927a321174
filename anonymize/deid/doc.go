// Package deid turns source tables into an extract by a recipe.
//
// It promises: no column reaches the extract that the recipe does not name and the catalogue does not declare; every
// value that does is an integer inside its declared bounds or a code of its declared dictionary; every row belongs to
// one person of the register, and no person has more rows in a table than its cap. With the same register, keys and
// recipe, what one person's rows become depends on that person's rows alone (zero-out neighbours, PRIVACY "Extracts:
// local and global steps"), and the order of source rows changes nothing. Reports and errors hold counts, names of
// columns and line numbers, never a value of the data; the keys of the key ring never leave it.
//
// It does not promise: that the steps chosen make the extract anonymous (that is the risk report's and the reviewers'
// business); that persons whom the sources fail to link are one; hospitals, doctors and households as units. The file
// of the register holds keyed numbers of persons: it is as confidential as the extract.
//
// # The recipe
//
//	recipe: jinhe-query          # name
//	kind: query                  # query: local steps only; handover: dates may shift, rare values may fold
//	dataset: jinhe
//	version: "1"                 # optional; another version numbers persons anew
//	as_of: 2025-12-31            # optional; the constant date that ages are computed at
//	source: {format: auto, encoding: auto, separator: ",", missing: ["?"]}   # format: csv, parquet, ndjson, or what is there
//	unit: {from: person.id_number, guardian: person.id_is_guardians, link: person_no, form: resident-id, key: keyring:jinhe-unit}
//	exclude: {objections: true, level5: true, under14: unless-guardian-consents, named: [hiv]}
//	missing_unit: {at_most: 0.1%}
//	lists: {rare-list@1: [A20.9, B03.x00]}
//	tables:
//	  person:                    # short form: source column -> step, from person.csv, person.csv.gz or person.parquet
//	    id_number: drop
//	  encounter:                 # long form
//	    file: stays.csv          # default <table>.csv, <table>.csv.gz or <table>.parquet; a list of files with the same columns is one table
//	    link: patient_no         # the source's column that names the person; default unit.link
//	    through: stay.stay_no    # link names no person but a row of this table, by this column there; link's default is its name
//	    rest: drop               # what to do with columns not named below; without it they are an error
//	    duplicates: {at_most: 0} # rows above a cap of one a person that are dropped; default 0
//	    leave_out: {icd10: level5} # rows with such a code in a column of the source; level5, a list of the recipe, or codes
//	    columns: {admitted: keep}
//	  hospital: {public: true, columns: {hospital_id: keep}}
//	  observation:               # of JSON: see "Documents"
//	    file: ward.ndjson
//	    resource: Observation    # rows are the resources of this type; without it every record is a row
//	    each: component          # rows are the elements of this list, each with what the record says besides
//	    link: subject.reference
//	    columns: {"component.code.coding[system=http://loinc.org].code": {as: item}, component.valueQuantity.value: {as: value}}
//
// unit.from names a table with one row a person and the identifier; other tables name the person by the source's own
// number, unit.link, which that table has too. Where the table of unit.from is the only private table, link may be left
// out. The person's number appears in every private table under the catalogue's name of the unit column; the recipe
// does not name it. form: resident-id (default) joins old 15-digit numbers with their 18-digit form; form: local only
// trims and unifies widths.
//
// Where unit.guardian says that the identifier is a guardian's, the source's own number alone names the person: siblings on one parent's number are
// two, a child under her mother's number today and her father's tomorrow is one, and so is a child who has an own number now, in one source or from
// one version to the next. Two own numbers under one number of the source stop the build. Beside the register the build keeps, by a keyed digest of the guardian's
// number and the day of birth, which children stand there (wards.go), so that a guardian can speak for one; the day is that of the column which
// under14 or an age band reads, and where there is none every day fits.
//
// A table without a person's number may reach the person through another table's rows, over any number of steps: lab_result by its link
// stay_no through stay.stay_no, stay by its link patient_no to the person. Every row gets the person's number as if the column were in the table, so
// that caps, ranks, row keys, exclusions and the register mean the same. A key need not be unique, but all rows that hold it must be one
// person's: else the build stops with a count, because rows of a key that two persons share could not be any one person's alone
// (through.go has the argument). Rows whose key is nowhere count as unlinked.
//
// Where the catalogue has no table of that name, the table of unit.from only says who is who and enters no extract; so does a table that others
// go through.
// exclude.objections reads the table objections and exclude.under14 the table consents (both: the column unit.link, or the
// identifier's where there is no link; in any form that sources have); under14 takes birth_date of the table of unit.from and as_of, and leaves out
// whose birth is unknown. exclude.level5 refuses a catalogue whose tables hold a column of data level 5. leave_out drops rows by
// code: a listed code stands for all finer ones, and a row with a pair or a list of codes goes for any of them. level5 is the groups hiv,
// psychiatric and genetic (Level5) but those that exclude.named names, because the grant does. Rows of other tables that refer to such a row
// stay, without the reference.
//
// What is missing stays missing; where the catalogue says never missing, the build stops with a count. Undeclared codes
// fold into "other", and stop the build where the dictionary has no such member. Bounded columns are always clamped.
// Sources are documents of JSON, or CSV with a header (RFC 4180), UTF-8 with or without byte order mark, or GB 18030, as it is or packed with gzip (.csv.gz, unpacked
// while it is read, to at most 250 times its size or 64 MB); or Parquet, whose values are read as the text that CSV would hold (NULL is empty), so that the same table in either form gives the same extract.
// Columns of nested types and of instants (timestamps with a time zone) can only be dropped. A damaged Parquet file ends
// in an error of one sentence and asks for no memory that it has not the bytes for (see parquetReader for the bounds);
// Parquet in delta or split encodings is refused for that. Damage that leaves a well-formed file is not found out.
//
// # Documents
//
// NDJSON (.ndjson, .jsonl: one record a line), a list of records and FHIR R4 bundles (.json, also .gz) are tables whose columns are paths: names of
// members with dots between them, and behind a name that has a list an element's number, name[0], or what it holds, identifier[system=urn:x].value. One
// file may feed several tables, each with its resource. A path that leads to several values that differ stops the build: choose one, or make rows with each.
// A value under no path that the recipe names stops it too, unless rest is drop; a path that is dropped covers all below it. Of a resource, id reads as
// others refer to it (Patient/p1, or the urn that the bundle gives), and what ends in reference without server and version: rows of Group/p1 are not
// patient p1's. Dates are taken as written, without their time and its zone. A file that was cut, records larger than 64 MB and members that stand twice
// are refused, with the line, or the entry of a list or bundle. One record is in memory at a time. unit.from is a table, a dot and a path.
//
// Steps of a source column; "as" gives the name in the extract; a list gives several columns from one:
//
//	drop · keep · {as: other_name}
//	{coarsen: year|month|day}                    year as number or date, month and day as date (first day)
//	{coarsen: year, top_code: {age: 90}}         of a birth date: persons of 90 and more at as_of share one year
//	{top_code: {age: 90}}                        of a number: larger ones become 90
//	{age_band: [0, 18, 65], birth: person.birth_date}  of an event's date; labels 0-17, 18-64, 65+, or the lower bound
//	{age_band: [0, 18, 65]}                      of a number of years; of the birth date itself add "at: as_of"
//	{generalise: age, to: 5|10|20|life-stage}    the same with fixed bands, 90+ being the last of each
//	{younger_than: 14, birth: person.birth_date} a flag, 1 and 0 or yes and no. Rows under 14 at the event are also counted for
//	                                             the report by every step that takes an age with birth
//	{generalise: gbt2260, to: county|prefecture|province|region}  of six digits, or nine and twelve of streets and committees; region is
//	                                             one of north, northeast, east, central, south, southwest, northwest, hk-mo-tw, or 华北 and so on
//	{generalise: icd10, to: subcategory|category|block|chapter}   I21.0, I21, I20-I25, IX; placeholders (I10.x00) and the first of a pair of
//	                                             dagger and asterisk are read, codes of morphology are none
//	{generalise: atc, to: 1|2|3|4|5}             drugs: A, A02, A02B, A02BC, A02BC01
//	{hierarchy: FILE.csv, level: 2}              a tree in ARX's form (package hierarchy) that lies beside the recipe and is part of it; a value
//	                                             without an entry stops the build unless "else" says what becomes of it
//	{fold: {codes: rare-list@1, into: other}}    listed and undeclared values fold; "into" must be in the dictionary
//	{fold: {rarer_than: 20, into: other}}        global; when fewer persons share the other, the next rarest values go there too
//	{round: 10}                                  to the nearest multiple, halves away from zero
//	{top_code: {value: 9.5}, bottom_code: {value: 1}}  of a number: what lies beyond becomes the limit; also beside clamp and round
//	{top_code: {percentile: 99}}                 global: of the persons, each with her largest value; bottom_code likewise
//	{suppress: [code, …]}                        these values become missing; also beside another step, or a list of the recipe
//	{micro_aggregate: 5}                         global, handover only: means of neighbours (MDAV), 5 persons or more in each class
//	{clamp: catalogue, fixed_point: 2}           bounded columns are clamped with any step; this one says so
//	{pseudonym: keyring:jinhe-staff}             keyed number, a function of the value alone; column kind key or int
//	{key: encounter}                             row key of the key space; one table has it as its row key, others refer
//	{map: {"<30": 1, NO: 0}, else: 0}            by value
//	{ranges: [{from: 390, to: 459, is: circulatory}], else: other}  by the whole part of a number, inclusive
//	{redact: all}                                identifiers inside a text, however they are set (１３８, ①, 一三八, with invisible characters between),
//	                                             become markers such as ⟦mobile⟧, and the rest is looked up in the dictionary; a list of kinds of package
//	                                             identifier takes out only those
//	{shift: 30, key: keyring:jinhe-shift}        handover only: days, per person, keyed, from -30 to 30, one shift for all dates of a person in
//	                                             all tables; with "keep: weekday" whole weeks. Needs bounds: a date that is or comes beyond them
//	                                             becomes missing
//
// A step is local when its outcome for one person depends on that person and on constants, and global when other persons matter too. With
// a global step the extract has dp_scope extract: answers are protected as if the extract were the data, not the sources. The report names
// each with its line, and so does `carrel extract build`.
package deid
