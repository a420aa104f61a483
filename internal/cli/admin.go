package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/inspect"
)

// adminPeer is a daemon with an admin address, as messages call it.
type adminPeer struct {
	name    string // "agent"
	program string // "lars-lb-agent"
	example string // an admin address
}

// adminClient asks the admin address of a daemon.
type adminClient struct {
	addr string
	peer adminPeer
	http *http.Client
}

// newAdminClient checks the flags that it is made of.
func (a *app) newAdminClient(peer adminPeer, addr string) (*adminClient, error) {
	if a.timeout < time.Millisecond || a.timeout > time.Minute {
		return nil, wrongUsage("--timeout %v: must be from 1ms to 1m", a.timeout)
	}
	host, port, err := net.SplitHostPort(addr)
	if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host == "" || n == 0 {
		return nil, wrongUsage("--admin %q is not IP:PORT, such as %s", addr, peer.example)
	}
	return &adminClient{addr, peer, &http.Client{Transport: &http.Transport{
		// No proxy: the daemon is on this machine, or near.
		DialContext:           (&net.Dialer{Timeout: a.timeout}).DialContext,
		ResponseHeaderTimeout: a.timeout,
	}}}, nil
}

// patient lets an answer take so long.
func (c *adminClient) patient(d time.Duration) {
	c.http.Transport.(*http.Transport).ResponseHeaderTimeout = d
}

func (c *adminClient) close() { c.http.CloseIdleConnections() }

// get reads the answer to a request into value.
func (c *adminClient) get(ctx context.Context, path string, query url.Values, value any) error {
	return c.ask(ctx, http.MethodGet, path, query, value)
}

// post is get for what changes something.
func (c *adminClient) post(ctx context.Context, path string, value any) error {
	return c.ask(ctx, http.MethodPost, path, nil, value)
}

func (c *adminClient) ask(ctx context.Context, method, path string, query url.Values, value any) error {
	at := url.URL{Scheme: "http", Host: c.addr, Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, method, at.String(), nil)
	if err != nil {
		return wrongUsage("--admin %q is not IP:PORT, such as %s", c.addr, c.peer.example)
	}
	response, err := c.http.Do(request)
	if err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		var wrapped *url.Error // says the whole request again
		if errors.As(err, &wrapped) {
			err = wrapped.Err
		}
		return fmt.Errorf("no %s answers at its admin address %s: %w; set [admin] addr in %s's configuration and restart it, or name another with --admin",
			c.peer.name, c.addr, err, c.peer.program)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return c.refusal(response)
	}
	if err := json.NewDecoder(response.Body).Decode(value); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("the answer of %s is not that of the admin address of %s: %w", c.addr, c.peer.program, err)
	}
	return nil
}

// refusal is what an answer other than 200 says. Only what is of Lars explains
// itself in JSON.
func (c *adminClient) refusal(response *http.Response) error {
	const most = 4096
	body, _ := io.ReadAll(io.LimitReader(response.Body, most))
	var explained inspect.Error
	if json.Unmarshal(body, &explained) == nil && explained.Error != "" {
		return errors.New(explained.Error)
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		return fmt.Errorf("the %s at %s is starting: try again", c.peer.name, c.addr)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return fmt.Errorf("%s is not the admin address of a %s, or of an older one (%s: %q); name the right one with --admin, as [admin] addr in %s's configuration says",
		c.addr, c.peer.program, response.Status, text, c.peer.program)
}
