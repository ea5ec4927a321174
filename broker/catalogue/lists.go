package catalogue

import (
	"bytes"
	"embed"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"carrel/policy"
)

//go:embed codes/*.csv
var embedded embed.FS

// Code is one member of a code list.
type Code struct {
	Code   string
	Label  policy.Text
	Parent string // code of the next wider class, in whatever list that is; "" when there is none
}

// List is a code list, named with its version ("icd10@jinhe-1"). Its codes are unique and sorted by bytes.
type List struct {
	Name  string
	Codes []Code
}

// Lists holds code lists by name. The zero value holds none.
type Lists struct{ byName map[string]*List }

// Embedded returns the small lists that come with the product. Full lists are imported from files.
func Embedded() (*Lists, error) {
	l := &Lists{}
	files, err := fs.Glob(embedded, "codes/*.csv")
	if err != nil {
		return nil, fmt.Errorf("catalogue: embedded code lists: %w", err)
	}
	for _, name := range files {
		b, err := embedded.ReadFile(name)
		if err != nil {
			return nil, fmt.Errorf("catalogue: embedded code lists: %w", err)
		}
		list, err := ParseList(strings.TrimSuffix(path.Base(name), ".csv"), bytes.NewReader(b))
		if err != nil {
			return nil, err
		}
		if err := l.Add(list); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// Add adds a list. A name is given once: a changed list is a new version.
func (l *Lists) Add(list *List) error {
	if _, there := l.byName[list.Name]; there {
		return fmt.Errorf("code list %s is there already; a changed list needs a new version", list.Name)
	}
	if l.byName == nil {
		l.byName = map[string]*List{}
	}
	l.byName[list.Name] = list
	return nil
}

// Get returns a list by name@version.
func (l *Lists) Get(name string) (*List, bool) {
	if l == nil {
		return nil, false
	}
	list, ok := l.byName[name]
	return list, ok
}

// Names returns the names of all lists, sorted.
func (l *Lists) Names() []string {
	var names []string
	for name := range l.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// maxCodes is what fits a uint16 code column.
const maxCodes = 1 << 16

// ParseList reads a list from CSV with the header code,zh,en or code,zh,en,parent. The name must carry a version.
func ParseList(name string, r io.Reader) (*List, error) {
	if base, version, ok := strings.Cut(name, "@"); !ok || base == "" || version == "" {
		return nil, fmt.Errorf("code list %q: the name needs a version, as in icd10@2016", name)
	}
	cr := csv.NewReader(r)
	cr.ReuseRecord = false
	head, err := cr.Read()
	if err != nil {
		return nil, fmt.Errorf("code list %s: %w", name, err)
	}
	head[0] = strings.TrimPrefix(head[0], "\ufeff")
	if h := strings.Join(head, ","); h != "code,zh,en" && h != "code,zh,en,parent" {
		return nil, fmt.Errorf("code list %s: the first line must be code,zh,en or code,zh,en,parent", name)
	}
	list := &List{Name: name}
	for {
		row, err := cr.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("code list %s: %w", name, err)
		}
		line, _ := cr.FieldPos(0)
		c := Code{Code: row[0], Label: policy.Text{ZH: row[1], EN: row[2]}}
		if len(row) == 4 {
			c.Parent = row[3]
		}
		if c.Code == "" || c.Label.ZH == "" || c.Label.EN == "" {
			return nil, fmt.Errorf("code list %s, line %d: a code needs itself and both labels", name, line)
		}
		if len(list.Codes) == maxCodes {
			return nil, fmt.Errorf("code list %s, line %d: more than %d codes", name, line, maxCodes)
		}
		list.Codes = append(list.Codes, c)
	}
	return list, list.sort()
}

func (l *List) sort() error {
	slices.SortFunc(l.Codes, func(a, b Code) int { return strings.Compare(a.Code, b.Code) })
	for i := 1; i < len(l.Codes); i++ {
		if l.Codes[i].Code == l.Codes[i-1].Code {
			return fmt.Errorf("code list %s: a code stands twice, the second time as member %d", l.Name, i+1)
		}
	}
	if len(l.Codes) == 0 {
		return fmt.Errorf("code list %s is empty", l.Name)
	}
	return nil
}

// Find returns the member with that code.
func (l *List) Find(code string) (Code, bool) {
	i, ok := slices.BinarySearchFunc(l.Codes, code, func(c Code, s string) int { return strings.Compare(c.Code, s) })
	if !ok {
		return Code{}, false
	}
	return l.Codes[i], true
}

// values returns the list as a dictionary. The part "zh", "en" or "parent" takes that column of the list as the
// dictionary instead of the codes: the names in a public table of names need no list of their own.
func (l *List) values(part string) ([]Value, error) {
	var out []Value
	for _, c := range l.Codes {
		switch part {
		case "":
			out = append(out, Value{Code: c.Code, Label: c.Label})
		case "zh":
			out = append(out, Value{Code: c.Label.ZH, Label: c.Label})
		case "en":
			out = append(out, Value{Code: c.Label.EN, Label: c.Label})
		case "parent":
			if c.Parent != "" {
				out = append(out, Value{Code: c.Parent, Label: policy.Text{ZH: c.Parent, EN: c.Parent}})
			}
		default:
			return nil, fmt.Errorf("a code list has the parts zh, en and parent")
		}
	}
	slices.SortFunc(out, func(a, b Value) int { return strings.Compare(a.Code, b.Code) })
	out = slices.CompactFunc(out, func(a, b Value) bool { return a.Code == b.Code })
	if len(out) == 0 {
		return nil, fmt.Errorf("code list %s has no member with that part", l.Name)
	}
	return out, nil
}
