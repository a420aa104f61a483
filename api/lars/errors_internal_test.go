package lars

import (
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// TestAgentDownAdvice asks the third of three consecutive ports: the advice
// names the address that was configured, which is where to look.
func TestAgentDownAdvice(t *testing.T) {
	p := newPort(netip.MustParseAddrPort("127.0.0.1:10001"), "127.0.0.1:9999", 1, time.Now())
	got := callFailed(opGetHost, route.Module{ModID: 1, CmdID: 1}, p, syscall.ECONNREFUSED).Error()
	for _, want := range []string{"port 127.0.0.1:10001: agent does not answer", "start lars-lb-agent on 127.0.0.1:9999, or name the right address"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
