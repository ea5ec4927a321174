package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// ErrQuestion is the cause of every refusal to put a malformed question to the rules.
var ErrQuestion = errors.New("policy: question is not well formed")

// List is a slice that is written as [] when nil, so that no rule ever meets a null where it expects a list.
type List[T any] []T

// MarshalJSON writes the list, nil as [].
func (l List[T]) MarshalJSON() ([]byte, error) {
	if len(l) == 0 {
		return []byte("[]"), nil
	}
	return json.Marshal([]T(l))
}

// The one zone of all dates of law: China Standard Time has no summer time, so the offset is fixed.
const zoneSeconds = 8 * 3600

const (
	momentLayout = "2006-01-02T15:04:05-07:00"
	dateLayout   = "2006-01-02"
	monthLayout  = "2006-01"
)

// Moment is an instant as policy reads it, e.g. 2026-11-21T10:00:00+08:00: always that offset, so that moments compare
// as strings and the first ten characters are the day of the decision.
type Moment string

// At is the moment of t.
func At(t time.Time) Moment {
	return Moment(t.In(time.FixedZone("CST", zoneSeconds)).Format(momentLayout))
}

func (m Moment) valid() error {
	t, err := time.Parse(momentLayout, string(m))
	if err != nil || At(t) != m {
		return fmt.Errorf("%w: moment is not of the form 2026-11-21T10:00:00+08:00", ErrQuestion)
	}
	return nil
}

// Date is a day, e.g. 2026-11-21. The empty date is "none"; rules treat it as missing.
type Date string

// DateOf is the day of t in China.
func DateOf(t time.Time) Date {
	return Date(t.In(time.FixedZone("CST", zoneSeconds)).Format(dateLayout))
}

func (d Date) valid() error { return validIn(string(d), dateLayout, "date") }

// Month is a calendar month, e.g. 2026-11. The empty month is "none".
type Month string

func (m Month) valid() error { return validIn(string(m), monthLayout, "month") }

func validIn(s, layout, what string) error {
	if s == "" {
		return nil
	}
	t, err := time.Parse(layout, s)
	if err != nil || t.Format(layout) != s {
		return fmt.Errorf("%w: %s is not of the form %s", ErrQuestion, what, layout)
	}
	return nil
}
