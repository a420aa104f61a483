package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// input is what the command line says.
type input struct {
	agent        string
	modid, cmdid int32
}

const usage = `usage: example [-agent ADDRESS] MODID CMDID

Asks the Lars agent for the route and for one host of a module, and reports a
call to that host. MODID and CMDID are whole numbers, for instance: example 1 1

`

// parse reads the command line. An error has been written to stderr.
func parse(args []string, stderr io.Writer) (input, error) {
	var in input
	flags := flag.NewFlagSet("example", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage); flags.PrintDefaults() }
	flags.StringVar(&in.agent, "agent", os.Getenv("LARS_AGENT"),
		"`ADDRESS` of the agent: IP:PORT of the first of its three ports; LARS_AGENT sets it too (default 127.0.0.1:8888)")
	if err := flags.Parse(protectNumbers(args)); err != nil {
		return in, err
	}
	numbers := slices.DeleteFunc(flags.Args(), func(arg string) bool { return arg == "--" })
	err := errors.New("give two numbers, MODID and CMDID")
	if len(numbers) == 2 {
		if in.modid, err = number("MODID", numbers[0]); err == nil {
			in.cmdid, err = number("CMDID", numbers[1])
		}
	}
	if err != nil {
		fmt.Fprintf(stderr, "example: %v\n\n", err)
		flags.Usage()
	}
	return in, err
}

func number(name, s string) (int32, error) {
	n, err := strconv.ParseInt(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a whole number from -2147483648 to 2147483647", name, s)
	}
	return int32(n), nil
}

// protectNumbers ends the flags before the first negative number: modules may
// be negative, and -5 is no flag.
func protectNumbers(args []string) []string {
	for i, arg := range args {
		if _, err := strconv.ParseInt(arg, 10, 64); err == nil && arg[0] == '-' {
			return slices.Insert(slices.Clone(args), i, "--")
		}
	}
	return args
}
