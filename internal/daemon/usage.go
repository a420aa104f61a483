package daemon

import (
	"fmt"
	"strings"
)

// usage is what -h prints.
func usage[C any](spec *Spec[C]) string {
	var b strings.Builder
	section := func(title, text string) {
		fmt.Fprintf(&b, "\n%s\n", title)
		for line := range strings.SplitSeq(strings.TrimSpace(text), "\n") {
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		}
	}
	fmt.Fprintf(&b, "%s\n", strings.TrimSpace(spec.About))
	section("Usage", spec.Name+" [-conf FILE] [-check]")
	section("Flags", `
-conf FILE  configuration to read (default `+spec.DefaultConf+`)
-check      read the configuration, say whether it is good, and end
-version    print the version and end
-h          print this text and end`)
	section("Configuration", `
An INI file; `+spec.DefaultConf+` explains every key. A key that is left out
has its default. An unknown key or a bad value is an error that names its line.`)
	if spec.Environment != "" {
		section("Environment", spec.Environment)
	}
	section("Signals", `
SIGTERM, SIGINT  stop within 2 s; a second one ends the process at once
SIGHUP           read the configuration again: what can change live does, the
                 log says what needs a restart; a bad file changes nothing`)
	section("Exit code", `
0  stopped by a signal, or all good
1  failed while running
2  bad arguments or a bad configuration`)
	section("Examples", spec.Name+`
`+spec.Name+` -conf /etc/lars/`+spec.Name+`.conf
`+spec.Name+` -check -conf /etc/lars/`+spec.Name+`.conf && kill -HUP $(pidof `+spec.Name+`)`)
	return b.String()
}
