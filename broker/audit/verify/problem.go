package verify

import "fmt"

// The kinds of problems.
const (
	EntryChanged    = "entry-changed"    // a leaf does not fit its stored hash
	EntryMoved      = "entry-moved"      // a leaf fits the stored hash of another entry
	EntryMissing    = "entry-missing"    // a number is skipped
	EntryUnreadable = "entry-unreadable" // a leaf is not the JSON of an entry, or a row cannot be read
	HashWrong       = "hash-wrong"       // stored hashes do not fit the entries up to here
	LogCut          = "log-cut"          // fewer entries than the log's own head covers
	LogGrown        = "log-grown"        // entries that no head covers
	OlderLog        = "older-log"        // fewer entries than a head seen earlier
	OtherHistory    = "other-history"    // the entries contradict a signed head
	HeadMissing     = "head-missing"     // entries without a signed head
	HeadUnsigned    = "head-unsigned"    // a head that the key did not sign
	HeadMalformed   = "head-malformed"   // a head that is none
	ProofMalformed  = "proof-malformed"  // not the JSON of a proof
	ProofWrong      = "proof-wrong"      // the path does not lead from the entry to the signed root
	TooMany         = "too-many"         // more problems than are listed
)

// maxProblems bounds a report.
const maxProblems = 1000

// Sentence is one sentence in both languages.
type Sentence struct {
	ZH string `json:"zh"`
	EN string `json:"en"`
}

// Problem is one finding. As an error it speaks English.
type Problem struct {
	Kind     string   `json:"kind"`
	Index    int64    `json:"index"` // entry it concerns, from 0; -1: the whole log
	Sentence Sentence `json:"sentence"`
}

// Error implements error.
func (p *Problem) Error() string { return "verify: " + p.Sentence.EN }

// text is the sentence of a kind; %d are, in order, the numbers given.
func text(kind string) Sentence {
	switch kind {
	case EntryChanged:
		return Sentence{ZH: "第 %d 条记录的内容与其存储的哈希不符:内容被修改过。",
			EN: "Entry %d does not fit its stored hash: it was changed."}
	case EntryMoved:
		return Sentence{ZH: "第 %d 条记录的内容属于第 %d 条:记录被调换过。",
			EN: "Entry %d holds the content of entry %d: entries were moved."}
	case EntryMissing:
		return Sentence{ZH: "第 %d 条至第 %d 条记录缺失。",
			EN: "Entries %d to %d are missing."}
	case EntryUnreadable:
		return Sentence{ZH: "第 %d 条记录无法读取。",
			EN: "Entry %d cannot be read."}
	case HashWrong:
		return Sentence{ZH: "第 %d 条记录存储的哈希与此前的记录不符:其中有记录连同哈希被修改或调换。",
			EN: "The stored hashes of entry %d do not fit the entries up to it: one of them was changed or moved together with its hash."}
	case LogCut:
		return Sentence{ZH: "日志有 %d 条记录,而其签名的树头包含 %d 条:末尾的记录被删除。",
			EN: "The log has %d entries, its signed head covers %d: entries were cut from its end."}
	case LogGrown:
		return Sentence{ZH: "日志有 %d 条记录,而其签名的树头只包含 %d 条:多出的记录没有签名。",
			EN: "The log has %d entries, its signed head covers only %d: the others are unsigned."}
	case OlderLog:
		return Sentence{ZH: "日志有 %d 条记录,而先前见过的签名树头包含 %d 条:或者此副本或导出早于该树头(请重新导出后再验),或者数据库被换回旧版本或被截断。",
			EN: "The log has %d entries, a signed head seen earlier covers %d: either this copy or export is older than that head (take a new one and check again), or an older database was put back or entries were cut."}
	case OtherHistory:
		return Sentence{ZH: "前 %d 条记录与签名的树头不符:历史被改写。",
			EN: "The first %d entries contradict a signed head: history was rewritten."}
	case HeadMissing:
		return Sentence{ZH: "日志有 %d 条记录,但没有签名的树头。",
			EN: "The log has %d entries and no signed head."}
	case HeadUnsigned:
		return Sentence{ZH: "一个树头没有所给密钥的有效签名。",
			EN: "A head has no valid signature by the given key."}
	case HeadMalformed:
		return Sentence{ZH: "一个树头的格式不正确。",
			EN: "A head is not of the form of a checkpoint."}
	case ProofMalformed:
		return Sentence{ZH: "证明的格式不正确。",
			EN: "The proof is not of the form {index, size, leaf, hashes, checkpoint}."}
	case ProofWrong:
		return Sentence{ZH: "证明不成立:第 %d 条记录不在签名的 %d 条之中。",
			EN: "The proof fails: entry %d is not among the %d that the head signs."}
	case TooMany:
		return Sentence{ZH: "问题超过 %d 个,其余未列出。",
			EN: "There are more than %d problems; the others are not listed."}
	}
	return Sentence{ZH: kind, EN: kind}
}

func problem(kind string, index int64, numbers ...any) *Problem {
	s := text(kind)
	return &Problem{Kind: kind, Index: index, Sentence: Sentence{ZH: fmt.Sprintf(s.ZH, numbers...), EN: fmt.Sprintf(s.EN, numbers...)}}
}
