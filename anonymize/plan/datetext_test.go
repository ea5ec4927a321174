package plan

import (
	"testing"
	"time"
)

// TestFormats: texts as DuckDB 1.5.5 writes them.
func TestFormats(t *testing.T) {
	t.Parallel()
	const format = "%Y|%y|%m|%-m|%b|%B|%d|%-d|%j|%a|%A|%w|%u|%%"
	for day, want := range map[string]string{
		"2020-02-03": "2020|20|02|2|Feb|February|03|3|034|Mon|Monday|1|1|%",
		"2019-12-29": "2019|19|12|12|Dec|December|29|29|363|Sun|Sunday|0|7|%",
		"1999-01-01": "1999|99|01|1|Jan|January|01|1|001|Fri|Friday|5|5|%",
		"0987-06-05": "0987|87|06|6|Jun|June|05|5|156|Tue|Tuesday|2|2|%",
	} {
		at, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		_, show, ok := readFormat(format)
		if !ok || show(at) != want {
			t.Errorf("%s: %s, want %s", day, show(at), want)
		}
	}
}

// TestFormatsTell: a key has one member for each text that there can be, so what a format tells is neither more nor less.
func TestFormatsTell(t *testing.T) {
	t.Parallel()
	for format, want := range map[string]string{
		"%Y": "y", "%y!": "y", "%m": "m", "%B %b": "m", "%Y-%m": "my", "%a": "w", "%u%w": "w", "%d": "d", "%j": "d", "%Y %a": "d", "%m %a": "d", "%Y-%m-%d": "d", "": "", "%%": "",
	} {
		if told, _, ok := readFormat(format); !ok || told != want {
			t.Errorf("%q tells %q, want %q", format, told, want)
		}
	}
	for _, format := range []string{"%", "%H", "%Q", "%-", "%-Y", "a%", "%é"} {
		if _, _, ok := readFormat(format); ok {
			t.Errorf("%q was read", format)
		}
	}
}

func TestDatesRead(t *testing.T) {
	t.Parallel()
	f := dateForm(`(\d{4})-(\d{2})-(\d{2})`, "Ymd")
	for s, want := range map[string]int64{"1970-01-01": 0, "2000-02-29": 11016, "0001-01-01": dayMin, "9999-12-31": dayMax} {
		if n, ok := f.read(s); !ok || n != want {
			t.Errorf("%s is %d %v", s, n, ok)
		}
	}
	for _, s := range []string{"", "1970-1-1", "1970-01-01 ", "2001-02-29", "1970-13-01", "0000-01-01", "12000-01-01", "1970-01-01x"} {
		if _, ok := f.read(s); ok {
			t.Errorf("%q was read as a date", s)
		}
	}
	for s, want := range map[string]bool{" 2020-1-5": true, "2020/01/05": true, "Infinity": true, "epoch": true, "I63": false, "": false, "other": false} {
		if likeDate.MatchString(s) != want {
			t.Errorf("%q may be a date for the engine: %v", s, !want)
		}
	}
}
