package config

import (
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// kind is a type of value: how it is written, and which values are allowed.
type kind[T any] struct {
	want     string
	verbatim bool // no comment behind the value: it is taken as it stands
	parse    func(string) (T, bool)
	allow    func(T) bool
	blame    func(string) string // what of a long text is not allowed; may be nil
}

// number is an integer of lo to hi.
func number(lo, hi int) kind[int] {
	return kind[int]{
		want:  fmt.Sprintf("a number of %d to %d", lo, hi),
		parse: func(s string) (int, bool) { n, err := strconv.Atoi(s); return n, err == nil },
		allow: func(n int) bool { return lo <= n && n <= hi },
	}
}

// port is a port number of lo to hi.
func port(lo, hi uint16) kind[uint16] {
	return kind[uint16]{
		want:  fmt.Sprintf("a port of %d to %d", lo, hi),
		parse: func(s string) (uint16, bool) { n, err := strconv.ParseUint(s, 10, 16); return uint16(n), err == nil },
		allow: func(n uint16) bool { return lo <= n && n <= hi },
	}
}

// rate is a share of 0 to 1.
func rate() kind[float64] {
	return kind[float64]{
		want:  "a rate of 0 to 1, such as 0.1",
		parse: func(s string) (float64, bool) { v, err := strconv.ParseFloat(s, 64); return v, err == nil },
		allow: func(v float64) bool { return v >= 0 && v <= 1 },
	}
}

// duration is a time of lo to hi.
func duration(lo, hi time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		want:  fmt.Sprintf("a duration of %s to %s, with a unit (250ms, 15s, 24h) or in seconds", short(lo), short(hi)),
		parse: parseDuration,
		allow: func(d time.Duration) bool { return lo <= d && d <= hi },
	}
}

// durationOrNone is a time of lo to hi, or 0 for none.
func durationOrNone(lo, hi time.Duration) kind[time.Duration] {
	k := duration(lo, hi)
	within := k.allow
	k.want += ", or 0"
	k.allow = func(d time.Duration) bool { return d == 0 || within(d) }
	return k
}

func parseDuration(s string) (time.Duration, bool) {
	if d, err := time.ParseDuration(s); err == nil {
		return d, true
	}
	seconds, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(seconds) || math.Abs(seconds) > math.MaxInt64/float64(2*time.Second) {
		return 0, false
	}
	return time.Duration(math.Round(seconds * float64(time.Second))), true
}

// short drops the zero minutes and seconds that time.Duration prints.
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// oneOf is one of a few words.
func oneOf(words ...string) kind[string] {
	return kind[string]{
		want:  list(words),
		parse: func(s string) (string, bool) { return s, true },
		allow: func(s string) bool { return slices.Contains(words, s) },
	}
}

// list joins words as a sentence does: "a, b or c".
func list(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}

// address is the IPv4 address of an interface to listen on.
func address() kind[netip.Addr] {
	return kind[netip.Addr]{
		want:  "an IPv4 address, such as 127.0.0.1, or 0.0.0.0 for all interfaces",
		parse: func(s string) (netip.Addr, bool) { a, err := netip.ParseAddr(s); return a, err == nil },
		allow: netip.Addr.Is4,
	}
}

// endpoint is an address and port to listen on, or nothing.
func endpoint() kind[netip.AddrPort] {
	return kind[netip.AddrPort]{
		want: "IP:PORT, such as 127.0.0.1:7780, or nothing to keep it off",
		parse: func(s string) (netip.AddrPort, bool) {
			if s == "" {
				return netip.AddrPort{}, true
			}
			ap, err := netip.ParseAddrPort(s)
			return ap, err == nil
		},
		allow: func(ap netip.AddrPort) bool { return ap == netip.AddrPort{} || ap.IsValid() },
	}
}

// host is the name or address of a machine to connect to.
func host() kind[string] {
	return kind[string]{
		want:  "an address or host name, such as 127.0.0.1 or db.example.org",
		parse: func(s string) (string, bool) { return s, true },
		allow: func(s string) bool {
			if _, err := netip.ParseAddr(s); err == nil {
				return true
			}
			// 253 is the longest name DNS carries.
			return s != "" && len(s) <= 253 && !strings.ContainsFunc(s, func(r rune) bool {
				return r != '.' && r != '-' && r != '_' && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r))
			})
		},
	}
}

// text is any text but the empty one; what names it in messages.
func text(what string) kind[string] {
	return kind[string]{
		want:  what,
		parse: func(s string) (string, bool) { return s, true },
		allow: func(s string) bool { return s != "" && !strings.ContainsRune(s, 0) },
	}
}

// optionalPath is the path of a file, or nothing.
func optionalPath() kind[string] {
	return kind[string]{
		want:  "the path of a file, or nothing to keep none",
		parse: func(s string) (string, bool) { return s, true },
		allow: func(s string) bool { return !strings.ContainsRune(s, 0) },
	}
}

// secret is any text, the empty one too, taken as it stands.
func secret() kind[Secret] {
	return kind[Secret]{
		want:     "a password",
		verbatim: true,
		parse:    func(s string) (Secret, bool) { return Secret(s), true },
		allow:    func(Secret) bool { return true },
	}
}

// level is the least severe kind of message that is logged.
func level() kind[slog.Level] {
	levels := map[string]slog.Level{
		"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError,
	}
	return kind[slog.Level]{
		want:  "debug, info, warn or error",
		parse: func(s string) (slog.Level, bool) { l, ok := levels[s]; return l, ok },
		allow: func(l slog.Level) bool {
			_, ok := levels[strings.ToLower(l.String())]
			return ok
		},
	}
}
