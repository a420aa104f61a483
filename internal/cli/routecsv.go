package cli

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// maxProblems is how many bad lines of one file are named.
const maxProblems = 10

// columns of a route file, in order; also its header. The last one may be
// missing, in the header and in any line.
var columns = [...]string{"modid", "cmdid", "ip", "port", "weight"}

// readCSV reads a file of routes: a line for each host,
// modid,cmdid,ip,port,weight, below a header that may be missing. A line
// without a weight says nothing of it. Empty lines and lines that begin with #
// are skipped, and so are repeated hosts. The error names every bad line, up
// to a bound, by name, line, column and value; then there are no routes.
func readCSV(name string, in io.Reader) ([]store.Entry, error) {
	r := csv.NewReader(withoutMark(in))
	r.FieldsPerRecord = -1 // counted here, for a message of our own
	r.TrimLeadingSpace = true
	r.ReuseRecord = true
	r.Comment = '#'
	var (
		entries  []store.Entry
		problems []error
		lines    []int // of entries
		seen     = make(map[store.Entry]int)
		hosts    = make(map[route.Module]int)
	)
	for first := true; len(problems) < maxProblems; first = false {
		record, err := r.Read()
		if err == io.EOF && len(problems) > 0 {
			return nil, errors.Join(problems...)
		}
		if err == io.EOF {
			return entries, nil
		}
		var syntax *csv.ParseError
		if errors.As(err, &syntax) {
			return nil, errors.Join(append(problems, fmt.Errorf("%s:%d: column %d: %w", name, syntax.Line, syntax.Column, syntax.Err))...)
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", name, err)
		}
		if first && isHeader(record) {
			continue
		}
		line, _ := r.FieldPos(0)
		e, err := parseRecord(record)
		if i, again := seen[e.Key()]; err == nil && again {
			err = mergeRepeated(&entries[i], e, lines[i])
		} else if err == nil {
			seen[e.Key()] = len(entries)
			entries, lines = append(entries, e), append(lines, line)
			if hosts[e.Module]++; hosts[e.Module] == route.MaxHosts+1 {
				err = fmt.Errorf("host %v is one too many for module %v, at most %d are possible", e.Host, e.Module, route.MaxHosts)
			}
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s:%d: %w", name, line, err))
		}
	}
	return nil, errors.Join(append(problems, fmt.Errorf("%s: and perhaps more, the rest was not read", name))...)
}

// mergeRepeated adds what a later line says about the host of first.
func mergeRepeated(first *store.Entry, later store.Entry, line int) error {
	w, given := first.Weight.Value()
	if !given {
		first.Weight = later.Weight
	} else if v := later.Weight.Or(w); v != w {
		return fmt.Errorf("column weight: host %v of module %v has %d here and %d in line %d", later.Host, later.Module, v, w, line)
	}
	return nil
}

// withoutMark skips the byte order mark that spreadsheets begin a file with.
func withoutMark(in io.Reader) io.Reader {
	const mark = "\ufeff"
	r := bufio.NewReader(in)
	if begin, _ := r.Peek(len(mark)); string(begin) == mark {
		_, _ = r.Discard(len(mark)) // peeked at
	}
	return r
}

func isHeader(record []string) bool {
	return validLength(record) && slices.EqualFunc(record, columns[:len(record)], func(field, column string) bool {
		return strings.EqualFold(strings.TrimSpace(field), column)
	})
}

// validLength reports whether a record has all columns, or all but the weight.
func validLength(record []string) bool {
	return len(record) == len(columns) || len(record) == len(columns)-1
}

func parseRecord(record []string) (store.Entry, error) {
	var e store.Entry
	if !validLength(record) {
		return e, fmt.Errorf("%s, want 4 or 5: modid,cmdid,ip,port and perhaps weight", count(len(record), "column", "columns"))
	}
	for i, to := range []*int32{&e.Module.ModID, &e.Module.CmdID} {
		s := strings.TrimSpace(record[i])
		n, err := strconv.ParseInt(s, 10, 32)
		if err != nil {
			return e, fmt.Errorf("column %s: %q is not a whole number from -2147483648 to 2147483647", columns[i], s)
		}
		*to = int32(n)
	}
	ip, number := strings.TrimSpace(record[2]), strings.TrimSpace(record[3])
	addr, err := netip.ParseAddr(ip)
	if err != nil || !addr.Is4() || addr.IsUnspecified() {
		return e, fmt.Errorf("column ip: %q is not an IPv4 address such as 192.168.1.177", ip)
	}
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return e, fmt.Errorf("column port: %q is not a port from 1 to 65535", number)
	}
	e.Host, _ = route.HostFrom(netip.AddrPortFrom(addr, uint16(port)))
	if len(record) == len(columns) {
		s := strings.TrimSpace(record[4])
		weight, err := parseWeight(s)
		if err != nil {
			return e, fmt.Errorf("column weight: %q is not %s", s, aWeight(0))
		}
		e.Weight = store.WeightOf(weight)
	}
	return e, nil
}

// writeCSV writes what readCSV reads.
func writeCSV(out io.Writer, entries []store.Entry) error {
	w := bufio.NewWriter(out)
	fmt.Fprintln(w, strings.Join(columns[:], ","))
	for _, e := range entries {
		ap := e.Host.AddrPort()
		fmt.Fprintf(w, "%d,%d,%s,%d,%d\n", e.Module.ModID, e.Module.CmdID, ap.Addr(), ap.Port(), e.Weight.Or(route.DefaultWeight))
	}
	return w.Flush() // the first error of all
}
