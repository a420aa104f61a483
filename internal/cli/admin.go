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

// adminClient asks the admin address of an agent.
type adminClient struct {
	addr string
	http *http.Client
}

// newAdminClient checks the flags that it is made of.
func (a *app) newAdminClient() (*adminClient, error) {
	if a.timeout < time.Millisecond || a.timeout > time.Minute {
		return nil, wrongUsage("--timeout %v: must be from 1ms to 1m", a.timeout)
	}
	host, port, err := net.SplitHostPort(a.admin)
	if n, portErr := strconv.ParseUint(port, 10, 16); err != nil || portErr != nil || host == "" || n == 0 {
		return nil, wrongUsage("--admin %q is not IP:PORT, such as 127.0.0.1:7782", a.admin)
	}
	return &adminClient{a.admin, &http.Client{Transport: &http.Transport{
		// No proxy: the agent is on this machine, or near.
		DialContext:           (&net.Dialer{Timeout: a.timeout}).DialContext,
		ResponseHeaderTimeout: a.timeout,
	}}}, nil
}

func (c *adminClient) close() { c.http.CloseIdleConnections() }

// get reads the answer to a request into value.
func (c *adminClient) get(ctx context.Context, path string, query url.Values, value any) error {
	at := url.URL{Scheme: "http", Host: c.addr, Path: path, RawQuery: query.Encode()}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, at.String(), nil)
	if err != nil {
		return wrongUsage("--admin %q is not IP:PORT, such as 127.0.0.1:7782", c.addr)
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
		return fmt.Errorf("no agent answers at its admin address %s: %w; set [admin] addr in lars-lb-agent's configuration and restart it, or name another with --admin", c.addr, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return c.refusal(response)
	}
	if err := json.NewDecoder(response.Body).Decode(value); err != nil {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		return fmt.Errorf("the answer of %s is not an agent's: %w", c.addr, err)
	}
	return nil
}

// refusal is what an answer other than 200 says. Only an agent explains itself
// in JSON.
func (c *adminClient) refusal(response *http.Response) error {
	const most = 4096
	body, _ := io.ReadAll(io.LimitReader(response.Body, most))
	var explained inspect.Error
	if json.Unmarshal(body, &explained) == nil && explained.Error != "" {
		return errors.New(explained.Error)
	}
	if response.StatusCode == http.StatusServiceUnavailable {
		return fmt.Errorf("the agent at %s is starting: try again", c.addr)
	}
	text, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	return fmt.Errorf("%s is not the admin address of a lars-lb-agent, or of an older one (%s: %q); name the right one with --admin, as [admin] addr in lars-lb-agent's configuration says", c.addr, response.Status, text)
}
