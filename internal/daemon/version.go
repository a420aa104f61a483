package daemon

import (
	"runtime"
	"runtime/debug"
)

// version is set, or what Go recorded of the build when set is empty.
func version(set string) string {
	if set != "" {
		return set
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		return recorded(info)
	}
	return "unknown"
}

// describe adds the Go version and the platform to that of the program.
func describe(version string) string {
	return version + " " + runtime.Version() + " " + runtime.GOOS + "/" + runtime.GOARCH
}

// recorded is the module's version, or else the commit that was built.
func recorded(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	commit, dirty := "", ""
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			commit = setting.Value[:min(len(setting.Value), 12)]
		case "vcs.modified":
			if setting.Value == "true" {
				dirty = "+changes"
			}
		}
	}
	if commit == "" {
		return "development"
	}
	return commit + dirty
}
