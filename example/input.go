package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"github.com/lars-lb/lars/api/lars"
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
	flags.SetOutput(io.Discard) // it would write errors without the program's name
	flags.StringVar(&in.agent, "agent", os.Getenv("LARS_AGENT"),
		"`ADDRESS` of the agent: IP:PORT of the first of its three ports; LARS_AGENT sets it too (default 127.0.0.1:8888)")
	err := flags.Parse(protectNumbers(args))
	if err == nil {
		err = in.read(flags.Args())
	}
	if err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(stderr, "example: %v\n\n", err)
		}
		fmt.Fprint(stderr, usage)
		flags.SetOutput(stderr)
		flags.PrintDefaults()
	}
	return in, err
}

// read reads the arguments that are no flags, and checks those that are.
func (in *input) read(args []string) error {
	if err := (lars.Config{Agent: in.agent}).Validate(); err != nil {
		return err
	}
	numbers := slices.DeleteFunc(args, func(arg string) bool { return arg == "--" })
	if len(numbers) != 2 {
		return errors.New("give two numbers, MODID and CMDID")
	}
	var err error
	if in.modid, err = number("MODID", numbers[0]); err == nil {
		in.cmdid, err = number("CMDID", numbers[1])
	}
	return err
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
