#!/bin/bash
# Everything that is checked without running the tests. It changes no file.
set -eu
cd "$(dirname "$0")/.."
go=${GO:-go}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# step NAME COMMAND...: runs the command; its output is shown when it fails.
step() {
	local name=$1 start=$SECONDS
	shift
	if "$@" >"$scratch/output" 2>&1; then
		printf 'check: ok      %s (%ds)\n' "$name" $((SECONDS - start))
		return
	fi
	cat "$scratch/output"
	printf 'check: FAILED  %s (%ds)\n' "$name" $((SECONDS - start))
	exit 1
}

formatted() {
	local files
	files=$("$($go env GOROOT)/bin/gofmt" -l .)
	[ -z "$files" ] && return
	printf 'not formatted, run gofmt -w on:\n%s\n' "$files"
	return 1
}

# Generated in a copy and compared, which needs no git.
generated() {
	cp -R proto "$scratch/proto"
	$go run -C tools ./protogen "$scratch" || return 1
	diff -ru proto "$scratch/proto" && return
	echo 'proto/larspb is not what proto/lars.proto generates: run make generate'
	return 1
}

tidy() {
	$go -C "$1" mod tidy -diff && return
	echo "$1/go.mod is not tidy: run go mod tidy in $1"
	return 1
}

build_for() {
	GOOS=${1%/*} GOARCH=${1#*/} CGO_ENABLED=0 $go build -buildvcs=false -o /dev/null "${@:2}"
}

step 'gofmt' formatted
step 'go vet' $go vet ./...
step 'go vet, tools' $go -C tools vet ./...
step 'staticcheck' $go tool -modfile=tools/go.mod staticcheck ./...
step 'generated code is fresh' generated
step 'go.mod is tidy' tidy .
step 'tools/go.mod is tidy' tidy tools
for platform in linux/amd64 linux/arm64; do
	step "build for $platform" build_for "$platform" ./...
done
for platform in darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
	step "client library for $platform" build_for "$platform" ./api/... ./example
done
