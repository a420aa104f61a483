package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"unicode"

	"gopkg.in/ini.v1"
)

// maxFile bounds what is read: a device or a log given by mistake is refused
// rather than loaded into memory.
const maxFile = 1 << 20

// entry is one "key = value" line.
type entry struct {
	line       int
	section    string // "" before the first section
	key, value string
}

// header is one "[section]" line.
type header struct {
	line    int
	section string
}

// file is the content of a configuration file before it means anything.
type file struct {
	path     string
	headers  []header
	entries  []entry
	problems problems
}

// problem is one thing that is wrong with a file. Line 0 is the file as a whole.
type problem struct {
	line int
	text string
}

type problems []problem

func (p *problems) add(line int, format string, args ...any) {
	*p = append(*p, problem{line, fmt.Sprintf(format, args...)})
}

// readFile reads the lines of the file at path. Lines that cannot be
// understood are among its problems; the error is for a file that cannot be
// read at all.
func readFile(path string) (*file, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", path, reason(err))
	}
	defer in.Close()
	data, err := io.ReadAll(io.LimitReader(in, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be read: %w", path, reason(err))
	}
	if len(data) > maxFile {
		return nil, fmt.Errorf("%s: is larger than %d bytes: not a configuration file", path, maxFile)
	}
	f := &file{path: path}
	section := ""
	text := strings.TrimPrefix(string(data), "\ufeff") // some editors put a mark in front
	for i, line := range strings.Split(text, "\n") {
		section = f.readLine(i+1, line, section)
	}
	return f, nil
}

// reason strips the operation and path from a file error, which says the path
// already in front.
func reason(err error) error {
	var pathError *fs.PathError
	if errors.As(err, &pathError) {
		return pathError.Err
	}
	return err
}

// readLine adds one line that stands in section to f, and returns the section
// of the next line. Each line is given to the INI library by itself, because
// the library does not tell the lines of what it read; so the syntax is the
// library's and the line numbers are certain.
func (f *file) readLine(n int, line, section string) string {
	parsed, err := ini.LoadSources(ini.LoadOptions{
		IgnoreInlineComment: true,
		IgnoreContinuation:  true,
		KeyValueDelimiters:  "=",
	}, []byte(line))
	if err != nil {
		f.problems.add(n, "%s", syntaxProblem(line, err))
		if strings.HasPrefix(strings.TrimSpace(line), "[") {
			return brokenSection
		}
		return section
	}
	if names := parsed.SectionStrings(); len(names) > 1 || strings.HasPrefix(strings.TrimSpace(line), "[") {
		section = strings.TrimSpace(names[len(names)-1])
		f.headers = append(f.headers, header{n, section})
	}
	for _, key := range parsed.Section(ini.DefaultSection).Keys() {
		f.entries = append(f.entries, entry{n, section, key.Name(), key.Value()})
	}
	return section
}

// brokenSection stands for a section whose header could not be read. No table
// has it, so its keys cause no messages of their own.
const brokenSection = "["

// syntaxProblem says what is wrong with a line that the library refused with
// err. The library's own message is not passed on: it repeats the whole line,
// which may hold a password.
func syntaxProblem(line string, err error) string {
	word := quoteName(firstWord(line))
	switch {
	case strings.HasPrefix(word, "["):
		return word + ": want a name between brackets, such as [log]"
	case ini.IsErrDelimiterNotFound(err), ini.IsErrEmptyKeyName(err):
		return word + ": want key = value, [section], or a comment behind ; or #"
	default:
		return word + ": a quote is opened and not closed on its line"
	}
}

// firstWord is what stands before the first space or equals sign of a line.
func firstWord(line string) string {
	words := strings.FieldsFunc(line, func(r rune) bool { return r == '=' || unicode.IsSpace(r) })
	if len(words) == 0 {
		return strings.TrimSpace(line)
	}
	return words[0]
}
