package lbagent

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/route"
)

// Route adds to an HTTP server what shows the agent's modules and hosts:
//
//	GET /modules                  every module that has hosts
//	GET /hosts?modid=M&cmdid=C    the hosts of one
//
// Both answer with JSON, errors too; see package inspect. The handlers may run
// at any time, also after Serve has returned.
func (a *Agent) Route(mux *http.ServeMux) {
	mux.HandleFunc("GET /modules", a.serveModules)
	mux.HandleFunc("GET /hosts", a.serveHosts)
}

// serveModules writes one module after the other: there may be a million. Each
// takes its RouteLB's mutex by itself, and none is held while the client reads.
func (a *Agent) serveModules(w http.ResponseWriter, r *http.Request) {
	if err := onlyKeys(r.URL.Query()); err != nil {
		writeError(w, http.StatusBadRequest, err)
		return
	}
	var ids []route.Module
	for _, shard := range a.shards {
		ids = shard.Modules(ids)
	}
	slices.SortFunc(ids, route.Module.Compare)
	w.Header().Set("Content-Type", "application/json")
	out := bufio.NewWriterSize(w, 64<<10)
	separator := "{\"modules\": ["
	for _, id := range ids {
		m, ok := a.shards[id.Shard()].View(id, a.clock())
		if !ok {
			continue // it has lost its hosts meanwhile
		}
		line, err := json.Marshal(&m)
		if err != nil {
			panic(err) // a type of ours
		}
		_, _ = out.WriteString(separator)
		_, _ = out.WriteString("\n  ")
		if _, err := out.Write(line); err != nil {
			return // the client is gone
		}
		separator = ","
	}
	if separator != "," { // there was none
		_, _ = out.WriteString(separator)
	}
	_, _ = out.WriteString("\n]}\n")
	_ = out.Flush() // fails only if the client is gone
}

func (a *Agent) serveHosts(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	err := onlyKeys(query, "modid", "cmdid")
	modid, modErr := number(query, "modid")
	cmdid, cmdErr := number(query, "cmdid")
	for _, err := range []error{err, modErr, cmdErr} {
		if err != nil {
			writeError(w, http.StatusBadRequest, err)
			return
		}
	}
	id := route.Module{ModID: modid, CmdID: cmdid}
	now, wall := a.clock(), time.Now()
	m, views, ok := a.shards[id.Shard()].Hosts(id, nil, now)
	if !ok {
		writeError(w, http.StatusNotFound, fmt.Errorf("the agent has no hosts of module %v: nobody has asked it for that yet, or lars-dns has no such route", id))
		return
	}
	answer := inspect.Hosts{Module: m, Hosts: make([]inspect.Host, len(views))}
	for i := range views {
		answer.Hosts[i] = describe(&m, &views[i], now, wall)
	}
	writeJSON(w, http.StatusOK, &answer)
}

// onlyKeys refuses parameters that mean nothing, so that a misspelt one is not
// passed over.
func onlyKeys(query url.Values, known ...string) error {
	for key := range query {
		if !slices.Contains(known, key) {
			return fmt.Errorf("parameter %q is unknown", key)
		}
	}
	return nil
}

func number(query url.Values, key string) (int32, error) {
	values := query[key]
	if len(values) != 1 {
		return 0, fmt.Errorf("want the parameters modid and cmdid, once each, as in /hosts?modid=1&cmdid=1")
	}
	n, err := strconv.ParseInt(values[0], 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%s %q is not a whole number from -2147483648 to 2147483647", key, values[0])
	}
	return int32(n), nil
}

func writeError(w http.ResponseWriter, status int, err error) {
	writeJSON(w, status, inspect.Error{Error: err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(value) // fails only if the client is gone
}
