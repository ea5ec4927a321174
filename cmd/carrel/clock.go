package main

import "time"

// zone is the time of the law, whatever the machine's: due days and hours are China's, as the pages show them.
func zone() *time.Location { return time.FixedZone("CST", 8*60*60) }

// minute writes an instant to people, with its offset, so that nobody takes it for another clock's.
func minute(t time.Time) string { return written(t, "2006-01-02 15:04 -07:00") }

// second is minute to the second, for what follows each other closely.
func second(t time.Time) string { return written(t, "2006-01-02 15:04:05 -07:00") }

// dayOf is the day of the law that an instant is on.
func dayOf(t time.Time) string { return written(t, time.DateOnly) }

func written(t time.Time, layout string) string {
	if t.IsZero() {
		return ""
	}
	return t.In(zone()).Format(layout)
}
