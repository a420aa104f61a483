package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/config"
)

// dnsAdminExample is the admin address that the shipped configuration gives
// lars-dns.
const dnsAdminExample = "127.0.0.1:7780"

// dnsCommand is the group of what lars-dns serves.
func (a *app) dnsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dns COMMAND",
		Short: "Show what lars-dns serves, and accept that most routes are removed",
		Long: `Show what lars-dns serves, and accept that most routes are removed.

These commands ask the admin address of lars-dns: that of --admin, else of
LARS_DNS_ADMIN, else [admin] addr in its configuration file (--conf). Each
lars-dns is asked by itself.`,
		Example: "  lars dns status\n  lars dns accept",
	}
	cmd.PersistentFlags().StringVar(&a.dnsAdmin, "admin", fromEnvironment("LARS_DNS_ADMIN", ""),
		"admin `ADDRESS` of lars-dns, IP:PORT (LARS_DNS_ADMIN; default what its configuration says)")
	asGroup(cmd)
	cmd.AddCommand(a.dnsStatusCommand(), a.dnsAcceptCommand())
	return cmd
}

func (a *app) newDNSAdmin() (*adminClient, error) {
	addr := a.dnsAdmin
	if addr == "" {
		var err error
		if addr, err = a.dnsAdminOfConf(); err != nil {
			return nil, err
		}
	}
	return a.newAdminClient(adminPeer{"lars-dns", "lars-dns", dnsAdminExample}, addr)
}

// dnsAdminOfConf is the admin address that lars-dns's configuration says.
func (a *app) dnsAdminOfConf() (string, error) {
	c, err := config.LoadDNS(a.conf)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", &configError{fmt.Errorf("%w; name lars-dns's admin address with --admin, or its configuration with --conf FILE or LARS_CONF", err)}
	case err != nil:
		return "", &configError{err}
	case c.Admin.Addr == netip.AddrPort{}:
		return "", fmt.Errorf("%s keeps the admin server of lars-dns off; set [admin] addr = %s there and restart lars-dns", a.conf, dnsAdminExample)
	}
	// What listens everywhere also listens here.
	if addr := c.Admin.Addr; addr.Addr().IsUnspecified() {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port()).String(), nil
	}
	return c.Admin.Addr.String(), nil
}
