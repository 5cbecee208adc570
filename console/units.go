package console

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// none stands for what is unknown or does not apply.
const none = "-"

// bytes is an amount in MiB, whole ones from 10 on; none when it is unknown.
func bytes(n int64) string {
	mib := float64(n) / (1 << 20)
	switch {
	case n <= 0:
		return none
	case mib < 10:
		return fmt.Sprintf("%.1f MiB", mib)
	}
	return fmt.Sprintf("%.0f MiB", mib)
}

// short is a duration of a load or an inference, in ms or s; none when it is 0.
func short(seconds float64) string {
	switch {
	case seconds <= 0:
		return none
	case seconds < 0.0995:
		return fmt.Sprintf("%.1f ms", seconds*1000)
	case seconds < 0.9995:
		return fmt.Sprintf("%.0f ms", seconds*1000)
	case seconds < 9.95:
		return fmt.Sprintf("%.1f s", seconds)
	}
	return long(seconds)
}

// long is how long ago something was, or how long it lasts: in its largest
// unit, and the next one below 10.
func long(seconds float64) string {
	d := time.Duration(max(seconds, 0) * float64(time.Second)).Round(time.Second)
	units := []struct {
		name string
		size time.Duration
	}{{"d", 24 * time.Hour}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}}
	for i, u := range units {
		n := d / u.size
		if n == 0 || i == len(units)-1 {
			continue
		}
		next := units[i+1]
		if rest := d % u.size / next.size; n < 10 && rest > 0 {
			return fmt.Sprintf("%d %s %d %s", n, u.name, rest, next.name)
		}
		return fmt.Sprintf("%d %s", n, u.name)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// percent is a share of 0 to 1.
func percent(share float64) string { return fmt.Sprintf("%.0f %%", share*100) }

// printable is text fit for a terminal: clients choose their names.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, text)
}
